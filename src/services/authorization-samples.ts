/** One tagged resource of every kind for authorization-reference.test.ts, and how requests name it. */
import assert from "node:assert/strict";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as codebuild from "@aws-sdk/client-codebuild";
import * as codepipeline from "@aws-sdk/client-codepipeline";
import * as connections from "@aws-sdk/client-codestar-connections";
import * as ecr from "@aws-sdk/client-ecr";
import * as ecs from "@aws-sdk/client-ecs";
import * as elb from "@aws-sdk/client-elastic-load-balancing-v2";
import * as kms from "@aws-sdk/client-kms";
import * as s3 from "@aws-sdk/client-s3";
import { InProcessClient } from "#gateway/client.ts";
import { Registry } from "#gateway/registry.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { iamResources, NAME, organizationsResources, type Samples, stsResources, Tags } from "./identity-samples.ts";

const tags = [{ key: "team", value: "red" }];

/** By service: values by member, or by OPERATION.member where one operation means something else by it. */
export async function taggedResources(system: TestSystem): Promise<Readonly<Record<string, Samples>>> {
  const identities = await iamResources(system);
  const connection = await connectionResources(system);
  return {
    iam: identities,
    organizations: await organizationsResources(system),
    sts: await stsResources(system, identities),
    s3: await s3Resources(system),
    kms: await kmsResources(system),
    logs: await logsResources(system),
    ecr: await ecrResources(system),
    elbv2: await elbResources(system),
    ecs: await ecsResources(system),
    codebuild: await codebuildResources(system, identities.role as string),
    "codestar-connections": connection,
    codeconnections: await renamedConnectionResources(system),
    codepipeline: await codepipelineResources(system, identities.role as string),
  };
}

async function s3Resources({ root }: TestSystem): Promise<Samples> {
  await root.send(new s3.CreateBucketCommand({ Bucket: NAME }));
  await root.send(new s3.PutObjectCommand({ Bucket: NAME, Key: NAME, Body: "x", Tagging: "team=red" }));
  const { Versions } = await root.send(new s3.ListObjectVersionsCommand({ Bucket: NAME }));
  return {
    Bucket: NAME,
    Key: NAME,
    VersionId: Versions?.[0]?.VersionId,
    CopySource: `${NAME}/${NAME}`,
    "PutObject.Tagging": "team=red",
    "CopyObject.Tagging": "team=red",
    "CreateMultipartUpload.Tagging": "team=red",
    "PutObjectTagging.Tagging": { TagSet: Tags },
  };
}

async function kmsResources({ root }: TestSystem): Promise<Samples> {
  const Tags = [{ TagKey: "team", TagValue: "red" }];
  const { KeyMetadata } = await root.send(new kms.CreateKeyCommand({ Tags }));
  const KeyId = KeyMetadata!.Arn!;
  const AliasName = "alias/sample";
  await root.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
  const { CiphertextBlob } = await root.send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from("x") }));
  return {
    KeyId,
    "DescribeKey.KeyId": AliasName,
    "Decrypt.KeyId": AliasName,
    "Encrypt.KeyId": AliasName,
    "GenerateDataKey.KeyId": AliasName,
    "GenerateDataKeyWithoutPlaintext.KeyId": AliasName,
    TargetKeyId: KeyId,
    SourceKeyId: AliasName,
    DestinationKeyId: AliasName,
    AliasName,
    CiphertextBlob,
    Plaintext: Buffer.from("x"),
    EncryptionContext: { team: "red" },
    SourceEncryptionContext: { team: "red" },
    MultiRegion: true,
    Tags,
    TagKeys: ["team"],
  };
}

async function logsResources({ root }: TestSystem): Promise<Samples> {
  await root.send(new logs.CreateLogGroupCommand({ logGroupName: NAME, tags: { team: "red" } }));
  await root.send(new logs.CreateLogStreamCommand({ logGroupName: NAME, logStreamName: NAME }));
  return {
    logGroupName: NAME,
    // One of the two names a group.
    logGroupIdentifier: undefined,
    "PutLogGroupDeletionProtection.logGroupIdentifier": NAME,
    logStreamName: NAME,
    resourceArn: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${NAME}`,
    tagKeys: ["team"],
    "UntagLogGroup.tags": ["team"],
  };
}

async function ecrResources({ root }: TestSystem): Promise<Samples> {
  await root.send(new ecr.CreateRepositoryCommand({ repositoryName: NAME, tags: Tags }));
  return {
    registryId: ACCOUNT,
    repositoryName: NAME,
    repositoryNames: [NAME],
    resourceArn: `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/${NAME}`,
    tags: Tags,
    tagKeys: ["team"],
  };
}

async function elbResources({ root }: TestSystem): Promise<Samples> {
  const Subnets = ["subnet-0a1", "subnet-0b2"];
  const { LoadBalancers } = await root.send(new elb.CreateLoadBalancerCommand({ Name: NAME, Subnets, Tags }));
  const LoadBalancerArn = LoadBalancers![0]!.LoadBalancerArn!;
  const group = new elb.CreateTargetGroupCommand({
    Name: NAME,
    Protocol: "HTTP",
    Port: 80,
    VpcId: "vpc-1",
    TargetType: "ip",
    Tags,
  });
  const { TargetGroups } = await root.send(group);
  const TargetGroupArn = TargetGroups![0]!.TargetGroupArn!;
  const forward: elb.Action[] = [{ Type: "forward", TargetGroupArn }];
  const { Listeners } = await root.send(
    new elb.CreateListenerCommand({ LoadBalancerArn, Protocol: "HTTP", Port: 80, DefaultActions: forward, Tags }),
  );
  const ListenerArn = Listeners![0]!.ListenerArn!;
  const { Rules } = await root.send(
    new elb.CreateRuleCommand({
      ListenerArn,
      Priority: 1,
      Conditions: [{ Field: "path-pattern", Values: ["/x"] }],
      Actions: forward,
      Tags,
    }),
  );
  const RuleArn = Rules![0]!.RuleArn!;
  return {
    LoadBalancerArn,
    TargetGroupArn,
    ListenerArn,
    RuleArn,
    ResourceArns: [LoadBalancerArn],
    Tags,
    TagKeys: ["team"],
  };
}

async function ecsResources({ root }: TestSystem): Promise<Samples> {
  await root.send(new ecs.CreateClusterCommand({ clusterName: NAME, tags }));
  const { taskDefinition } = await root.send(
    new ecs.RegisterTaskDefinitionCommand({
      family: NAME,
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "256",
      memory: "512",
      containerDefinitions: [{ name: NAME, image: "example.test/app:1" }],
      tags,
    }),
  );
  const placed: ecs.RunTaskCommandInput = {
    cluster: NAME,
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-0a1b2c3d"] } },
    taskDefinition: NAME,
    tags,
  };
  await root.send(new ecs.CreateServiceCommand({ ...placed, serviceName: NAME, desiredCount: 0 }));
  const { tasks } = await root.send(new ecs.RunTaskCommand(placed));
  return {
    clusters: [NAME],
    services: [NAME],
    tasks: [tasks![0]!.taskArn],
    task: tasks![0]!.taskArn,
    taskDefinition: taskDefinition!.taskDefinitionArn,
    taskDefinitions: [taskDefinition!.taskDefinitionArn],
    resourceArn: `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/${NAME}`,
    cpu: "256",
    memory: "512",
    tags,
    tagKeys: ["team"],
  };
}

async function codebuildResources({ root }: TestSystem, serviceRole: string): Promise<Samples> {
  await root.send(
    new codebuild.CreateProjectCommand({
      name: NAME,
      serviceRole,
      source: { type: "NO_SOURCE", buildspec: "version: 0.2\nphases: {build: {commands: [true]}}" },
      artifacts: { type: "NO_ARTIFACTS" },
      environment: { type: "LINUX_CONTAINER", image: "example.test/app:1", computeType: "BUILD_GENERAL1_SMALL" },
      tags,
    }),
  );
  const build = `${NAME}:11111111-2222-3333-4444-555555555555`;
  return {
    names: [NAME],
    ids: [build],
    id: build,
    projectArn: `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/${NAME}`,
    role: serviceRole,
    tags,
  };
}

async function connectionResources({ root }: Pick<TestSystem, "root">): Promise<Samples> {
  const host = new connections.CreateHostCommand({
    Name: NAME,
    ProviderType: "GitHubEnterpriseServer",
    ProviderEndpoint: "https://git.example.test",
    Tags,
  });
  const { HostArn } = await root.send(host);
  const { ConnectionArn } = await root.send(
    new connections.CreateConnectionCommand({ ConnectionName: NAME, ProviderType: "GitHub", Tags }),
  );
  return { HostArn, ConnectionArn, ResourceArn: ConnectionArn, ProviderType: "GitHub", Tags, TagKeys: ["team"] };
}

/** The same under the service's newer name, by which it makes ARNs of that name. */
async function renamedConnectionResources(system: TestSystem): Promise<Samples> {
  const { root, registry } = system;
  const renamed = new Registry(registry.services.filter(({ name }) => name !== "codestar-connections"));
  return connectionResources({ root: new InProcessClient(system, renamed, root.principal, root.scope) });
}

async function codepipelineResources({ root }: TestSystem, roleArn: string): Promise<Samples> {
  const approval = (name: string, category: "Source" | "Approval"): codepipeline.StageDeclaration => ({
    name,
    actions: [
      category === "Approval"
        ? { name, actionTypeId: { category, owner: "AWS", provider: "Manual", version: "1" } }
        : {
            name,
            actionTypeId: { category, owner: "AWS", provider: "CodeStarSourceConnection", version: "1" },
            configuration: {
              ConnectionArn: `arn:aws:codestar-connections:${REGION}:${ACCOUNT}:connection/11111111-2222-3333-4444-555555555555`,
              FullRepositoryId: "owner/repository",
              BranchName: "main",
            },
            outputArtifacts: [{ name: "source" }],
          },
    ],
  });
  const pipeline: codepipeline.PipelineDeclaration = {
    name: NAME,
    roleArn,
    artifactStore: { type: "S3", location: NAME },
    stages: [approval("Source", "Source"), approval("Approve", "Approval")],
  };
  await root.send(new codepipeline.CreatePipelineCommand({ pipeline, tags }));
  return {
    pipeline,
    "CreatePipeline.pipeline": { ...pipeline },
    resourceArn: `arn:aws:codepipeline:${REGION}:${ACCOUNT}:${NAME}`,
    tags,
    tagKeys: ["team"],
  };
}

/** The input with the values that it names: `$name`. */
export function filled(input: object, values: Readonly<Record<string, unknown>>): object {
  const reviver = (_key: string, value: unknown) => {
    if (typeof value !== "string" || !value.startsWith("$")) return value;
    assert.ok(value.slice(1) in values, `there is no sample ${value}`);
    return values[value.slice(1)];
  };
  return JSON.parse(JSON.stringify(input), reviver) as object;
}
