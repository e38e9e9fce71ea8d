/**
 * One of everything that the services can hold, in one account, with a mark in everything that is only that account's to
 * read. The isolation walk lets another account ask for all of it.
 */
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as codebuild from "@aws-sdk/client-codebuild";
import * as codepipeline from "@aws-sdk/client-codepipeline";
import * as connections from "@aws-sdk/client-codestar-connections";
import * as ecr from "@aws-sdk/client-ecr";
import * as ecs from "@aws-sdk/client-ecs";
import * as elb from "@aws-sdk/client-elastic-load-balancing-v2";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as s3 from "@aws-sdk/client-s3";
import * as sts from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { digestOf, pushed, type TestImage } from "#services/ecr/testing.ts";
import { REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { delegationOf } from "./delegation.ts";
import { federationOf, type IssuerKeyPair, sharedIssuer } from "./federation.ts";
import { organizationOf } from "./organization.ts";
import { peopleOf } from "./people.ts";

/** Deliberately the name of nearly everything: the other account will ask for it. */
export const NAME = "fixture";

const trust = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Sid: "Kept", Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });

/** By member, "service.member" or "service.Operation.member"; the first is the likeliest, the others are tried too. */
export type Samples = Record<string, readonly unknown[]>;

/** Optional members without which a call finds nothing: they are always given. */
export const ALWAYS: ReadonlySet<string> = new Set([
  "codebuild.RetryBuild.id",
  "ecs.cluster",
  "iam.AcquireRole.ReplacementValues",
  "iam.DeactivateMFADevice.UserName",
  "iam.DeleteAccessKey.UserName",
  "iam.DeleteLoginProfile.UserName",
  "iam.DeleteSSHPublicKey.UserName",
  "iam.DeleteServiceSpecificCredential.UserName",
  "iam.DeleteSigningCertificate.UserName",
  "iam.GetLoginProfile.UserName",
  "iam.GetMFADevice.UserName",
  "iam.ResetServiceSpecificCredential.UserName",
  "iam.UpdateAccessKey.UserName",
  "iam.UpdateServiceSpecificCredential.UserName",
  "iam.UpdateSigningCertificate.UserName",
  "organizations.DescribeEffectivePolicy.TargetId",
]);

export interface Fixture {
  readonly accountId: string;
  readonly samples: Samples;
  /** Texts that nobody else may be told unless they said them first. */
  readonly secrets: readonly string[];
  readonly webhook: codebuild.Webhook;
  readonly badgeUrl: string;
  readonly dnsName: string;
  readonly image: TestImage;
  readonly layerDigest: string;
  /** Long-term keys of a user, and a session. */
  readonly accessKey: iam.AccessKey;
  readonly session: sts.Credentials;
}

/** `admitted`: an account that policies in the samples (not those in force) name. `issuer`: the same for all of a system. */
export async function everythingOf(
  system: TestSystem,
  root: Client,
  image: TestImage,
  admitted: string,
  issuer?: IssuerKeyPair,
): Promise<Fixture> {
  const { accountId } = root.scope;
  /** In descriptions, tags, variables, log events, objects, policies: it may be in no answer to anybody else. */
  const MARK = `kept-by-${accountId}`;
  const TAGS = [{ Key: "owner", Value: MARK }];
  const LOWER_TAGS = [{ key: "owner", value: MARK }];
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${MARK}/*` }],
  });
  /** Things that only lists tell of: the stranger's have other names. */
  const LISTED = `only-${accountId}`;
  const samples: Samples = {};
  const secrets: string[] = [MARK, MARK.replaceAll("-", ""), LISTED];
  const send: Client["send"] = (command) => root.send(command);

  // IAM
  const arn = (kind: string) => `arn:aws:iam::${accountId}:${kind}/${NAME}`;
  await send(new iam.CreateUserCommand({ UserName: NAME, Tags: TAGS }));
  await send(new iam.CreateGroupCommand({ GroupName: NAME }));
  await send(new iam.AddUserToGroupCommand({ UserName: NAME, GroupName: NAME }));
  const services = ["codebuild", "codepipeline", "ecs-tasks", "ecs"].map((name) => `${name}.amazonaws.com`);
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { Service: services }, Action: "sts:AssumeRole" },
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
      },
    ],
  });
  await send(new iam.CreateRoleCommand({ RoleName: NAME, AssumeRolePolicyDocument, Description: MARK, Tags: TAGS }));
  const roleArn = arn("role");
  const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
  await send(
    new iam.PutRolePolicyCommand({ RoleName: NAME, PolicyName: NAME, PolicyDocument: JSON.stringify(everything) }),
  );
  await send(new iam.PutUserPolicyCommand({ UserName: NAME, PolicyName: NAME, PolicyDocument: policy }));
  await send(new iam.PutGroupPolicyCommand({ GroupName: NAME, PolicyName: NAME, PolicyDocument: policy }));
  await send(new iam.CreatePolicyCommand({ PolicyName: NAME, PolicyDocument: policy, Description: MARK, Tags: TAGS }));
  const PolicyArn = arn("policy");
  await send(new iam.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policy }));
  await send(new iam.AttachUserPolicyCommand({ UserName: NAME, PolicyArn }));
  await send(new iam.AttachGroupPolicyCommand({ GroupName: NAME, PolicyArn }));
  await send(new iam.AttachRolePolicyCommand({ RoleName: NAME, PolicyArn }));
  await send(new iam.PutUserPermissionsBoundaryCommand({ UserName: NAME, PermissionsBoundary: PolicyArn }));
  const boundary = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
  const { Policy: wide } = await send(
    new iam.CreatePolicyCommand({ PolicyName: "fixture-boundary", PolicyDocument: JSON.stringify(boundary) }),
  );
  await send(new iam.PutRolePermissionsBoundaryCommand({ RoleName: NAME, PermissionsBoundary: wide!.Arn! }));
  await send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: NAME }));
  await send(new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName: NAME, RoleName: NAME }));
  await send(new iam.CreateAccountAliasCommand({ AccountAlias: `fixture-${accountId}` }));
  const { AccessKey } = await send(new iam.CreateAccessKeyCommand({ UserName: NAME }));
  await send(new iam.CreateServiceLinkedRoleCommand({ AWSServiceName: "ecs.amazonaws.com", Description: MARK }));
  const { DeletionTaskId } = await deletionTask(send);
  await send(new iam.CreateServiceLinkedRoleCommand({ AWSServiceName: "ecs.amazonaws.com", Description: MARK }));
  const { Credentials } = await send(new sts.AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "walk" }));
  secrets.push(AccessKey!.SecretAccessKey!, Credentials!.SecretAccessKey!, Credentials!.SessionToken!);
  await send(new iam.CreateUserCommand({ UserName: LISTED }));
  await send(new iam.CreateGroupCommand({ GroupName: LISTED }));
  await send(new iam.CreateRoleCommand({ RoleName: LISTED, AssumeRolePolicyDocument }));
  await send(new iam.CreatePolicyCommand({ PolicyName: LISTED, PolicyDocument: policy }));
  await send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: LISTED }));
  Object.assign(samples, {
    UserName: [NAME],
    GroupName: [NAME],
    RoleName: [NAME],
    PolicyName: [NAME],
    InstanceProfileName: [NAME],
    AccountAlias: [`fixture-${accountId}`],
    PolicyArn: [PolicyArn],
    PolicySourceArn: [arn("user"), arn("group"), roleArn],
    CallerArn: [arn("user")],
    PermissionsBoundary: [PolicyArn],
    VersionId: ["v2"],
    AccessKeyId: [AccessKey!.AccessKeyId, Credentials!.AccessKeyId],
    "iam.GetAccessKeyLastUsed.AccessKeyId": [AccessKey!.AccessKeyId],
    "iam.UpdateAccessKey.AccessKeyId": [AccessKey!.AccessKeyId],
    "iam.DeleteAccessKey.AccessKeyId": [AccessKey!.AccessKeyId],
    DeletionTaskId: [DeletionTaskId],
    "iam.DeleteServiceLinkedRole.RoleName": ["AWSServiceRoleForECS"],
    NewUserName: ["fixture-renamed"],
    NewGroupName: ["fixture-renamed"],
    AWSServiceName: ["ecs.amazonaws.com"],
    RoleArn: [roleArn],
    RoleSessionName: ["walk"],
    ActionNames: [["s3:GetObject"]],
    PolicyInputList: [[policy]],
    PolicyDocument: [policy.replace(MARK, "any")],
    AssumeRolePolicyDocument: [trust("ecs-tasks.amazonaws.com")],
    "iam.UpdateAssumeRolePolicy.PolicyDocument": [trust("ecs-tasks.amazonaws.com")],
    "sts.AssumeRole.PolicyArns": [[{ arn: PolicyArn }]],
    "sts.GetFederationToken.Name": [NAME],
  });

  const report = await send(new iam.GenerateServiceLastAccessedDetailsCommand({ Arn: roleArn }));
  secrets.push(report.JobId!);
  Object.assign(samples, {
    "iam.Arn": [arn("user"), arn("group"), roleArn, PolicyArn],
    "iam.JobId": [report.JobId],
    ServiceNamespace: ["s3"],
    ServiceNamespaces: [["s3"]],
  });

  Object.assign(samples, await peopleOf(system, root, { name: NAME, listed: LISTED }, secrets));
  const marked = { name: NAME, mark: MARK };
  Object.assign(samples, await federationOf(system, root, marked, issuer ?? (await sharedIssuer(system)), secrets));
  Object.assign(samples, await organizationOf(system, root, marked, secrets));
  Object.assign(samples, await delegationOf(system, root, marked, secrets));

  // KMS
  const { KeyMetadata } = await send(
    new kms.CreateKeyCommand({ Description: MARK, Tags: [{ TagKey: "owner", TagValue: MARK }] }),
  );
  const KeyId = KeyMetadata!.KeyId!;
  await send(new kms.CreateAliasCommand({ AliasName: "alias/fixture", TargetKeyId: KeyId }));
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from(MARK) }));
  secrets.push(KeyId);
  const keys = [KeyId, KeyMetadata!.Arn!, "alias/fixture", `arn:aws:kms:${REGION}:${accountId}:alias/fixture`];
  Object.assign(samples, {
    KeyId: keys,
    TargetKeyId: keys,
    DestinationKeyId: keys,
    SourceKeyId: keys,
    AliasName: ["alias/fixture"],
    CiphertextBlob: [CiphertextBlob],
    Plaintext: [Buffer.from("text")],
    "kms.PolicyName": ["default"],
    "kms.Policy": [
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "kms:*", Resource: "*" }],
      }),
    ],
    kmsKeyId: [KeyMetadata!.Arn!],
  });

  await send(new kms.CreateAliasCommand({ AliasName: `alias/${LISTED}`, TargetKeyId: KeyId }));

  // S3
  const Bucket = `fixture-${accountId}`;
  const object = { Bucket, Key: NAME };
  await send(new s3.CreateBucketCommand({ Bucket }));
  await send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  await send(new s3.CreateBucketCommand({ Bucket: LISTED }));
  const { VersionId } = await send(
    new s3.PutObjectCommand({ ...object, Body: MARK, Metadata: { owner: MARK }, Tagging: `owner=${MARK}` }),
  );
  await send(new s3.PutObjectCommand({ ...object, Body: MARK, Metadata: { owner: MARK } }));
  const { UploadId } = await send(new s3.CreateMultipartUploadCommand(object));
  const { ETag } = await send(new s3.UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: MARK }));
  await send(new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: TAGS } }));
  await send(
    new s3.PutBucketPolicyCommand({
      Bucket,
      Policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: MARK.replaceAll("-", ""),
            Effect: "Allow",
            Principal: { AWS: accountId },
            Action: "s3:GetObject",
            Resource: `arn:aws:s3:::${Bucket}/*`,
          },
        ],
      }),
    }),
  );
  await send(
    new s3.PutBucketLifecycleConfigurationCommand({
      Bucket,
      LifecycleConfiguration: {
        Rules: [{ ID: MARK, Status: "Enabled", Filter: { Prefix: "old/" }, Expiration: { Days: 9 } }],
      },
    }),
  );
  secrets.push(VersionId!, UploadId!);
  Object.assign(samples, {
    Bucket: [Bucket],
    Key: [NAME],
    "s3.VersionId": [VersionId],
    UploadId: [UploadId],
    CopySource: [`${Bucket}/${NAME}`, `${Bucket}/${NAME}?versionId=${VersionId}`],
    ExpectedBucketOwner: [accountId],
    PartNumber: [1],
    MultipartUpload: [{ Parts: [{ PartNumber: 1, ETag }] }],
    Delete: [{ Objects: [{ Key: NAME }, { Key: NAME, VersionId }] }],
    Tagging: [{ TagSet: [{ Key: "k", Value: "v" }] }],
    "s3.Policy": [
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { AWS: admitted }, Action: "s3:*", Resource: `arn:aws:s3:::${Bucket}/*` },
        ],
      }),
    ],
    LifecycleConfiguration: [{ Rules: [{ Status: "Enabled", Filter: { Prefix: "new/" }, Expiration: { Days: 1 } }] }],
    "s3.Body": ["body"],
    ServerSideEncryptionConfiguration: [
      { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }] },
    ],
    OwnershipControls: [{ Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] }],
    VersioningConfiguration: [{ Status: "Suspended" }],
    "s3.GetObjectAttributes.ObjectAttributes": [["ETag", "ObjectSize"]],
  });

  // CloudWatch Logs
  const group = { logGroupName: NAME };
  await send(new logs.CreateLogGroupCommand({ ...group, tags: { owner: MARK } }));
  await send(new logs.CreateLogStreamCommand({ ...group, logStreamName: NAME }));
  const timestamp = system.clock.now().getTime();
  await send(
    new logs.PutLogEventsCommand({ ...group, logStreamName: NAME, logEvents: [{ timestamp, message: MARK }] }),
  );
  await send(new logs.PutRetentionPolicyCommand({ ...group, retentionInDays: 7 }));
  await send(new logs.CreateLogGroupCommand({ logGroupName: LISTED }));
  const logGroupArn = `arn:aws:logs:${REGION}:${accountId}:log-group:${NAME}`;
  Object.assign(samples, {
    logGroupName: [NAME],
    logStreamName: [NAME],
    logStreamNames: [[NAME]],
    logGroupIdentifier: [logGroupArn, NAME],
    logGroupIdentifiers: [[logGroupArn]],
    accountIdentifiers: [[accountId]],
    logGroupNamePrefix: [NAME],
    logGroupNamePattern: [NAME],
    "logs.resourceArn": [logGroupArn],
    logEvents: [[{ timestamp, message: "of the caller" }]],
    retentionInDays: [1],
    "logs.tags": [{ k: "v" }],
    "logs.UntagLogGroup.tags": [["owner"]],
  });

  // ECR
  const repositoryName = "fixture/app";
  const created = await send(new ecr.CreateRepositoryCommand({ repositoryName, tags: TAGS }));
  await pushed(root, repositoryName, image, NAME);
  await send(
    new ecr.PutLifecyclePolicyCommand({
      repositoryName,
      lifecyclePolicyText: JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            description: MARK,
            selection: { tagStatus: "untagged", countType: "imageCountMoreThan", countNumber: 9 },
            action: { type: "expire" },
          },
        ],
      }),
    }),
  );
  await send(new ecr.StartLifecyclePolicyPreviewCommand({ repositoryName }));
  await send(
    new ecr.SetRepositoryPolicyCommand({
      repositoryName,
      policyText: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Sid: MARK, Effect: "Allow", Principal: { AWS: accountId }, Action: "ecr:BatchGetImage" }],
      }),
    }),
  );
  await send(new ecr.CreateRepositoryCommand({ repositoryName: LISTED }));
  const upload = await send(new ecr.InitiateLayerUploadCommand({ repositoryName }));
  secrets.push(upload.uploadId!);
  const layerDigest = digestOf(image.blobs[1]!);
  Object.assign(samples, {
    repositoryName: [repositoryName],
    repositoryNames: [[repositoryName]],
    registryId: [accountId],
    registryIds: [[accountId]],
    layerDigest: [layerDigest],
    layerDigests: [[layerDigest]],
    imageIds: [[{ imageTag: NAME }], [{ imageDigest: image.digest }]],
    subjectId: [{ imageDigest: image.digest }],
    imageManifest: [image.manifest],
    imageTag: ["other"],
    uploadId: [upload.uploadId],
    partFirstByte: [0],
    partLastByte: [2],
    layerPartBlob: [Buffer.from("abc")],
    lifecyclePolicyText: [
      JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            selection: { tagStatus: "untagged", countType: "imageCountMoreThan", countNumber: 1 },
            action: { type: "expire" },
          },
        ],
      }),
    ],
    policyText: [
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: "*", Action: "ecr:*" }] }),
    ],
    "ecr.resourceArn": [created.repository!.repositoryArn],
  });

  // Connections
  const host = await send(
    new connections.CreateHostCommand({
      Name: NAME,
      ProviderType: "GitHubEnterpriseServer",
      ProviderEndpoint: "https://github.internal",
      Tags: TAGS,
    }),
  );
  const connection = await send(
    new connections.CreateConnectionCommand({ ConnectionName: NAME, ProviderType: "GitHub", Tags: TAGS }),
  );
  await send(new connections.CreateConnectionCommand({ ConnectionName: LISTED, ProviderType: "GitHub" }));
  const listedHost = {
    Name: LISTED,
    ProviderType: "GitHubEnterpriseServer",
    ProviderEndpoint: "https://github.internal",
  };
  await send(new connections.CreateHostCommand({ ...listedHost, ProviderType: "GitHubEnterpriseServer" }));
  secrets.push(idOf(host.HostArn!), idOf(connection.ConnectionArn!));
  Object.assign(samples, {
    ConnectionName: [NAME],
    ConnectionArn: [connection.ConnectionArn],
    HostArn: [host.HostArn],
    HostArnFilter: [host.HostArn],
    "codestar-connections.Name": [NAME],
    "codeconnections.Name": [NAME],
    "codestar-connections.ResourceArn": [connection.ConnectionArn, host.HostArn],
    "codeconnections.ResourceArn": [connection.ConnectionArn, host.HostArn],
    ProviderEndpoint: ["https://other.internal"],
  });

  // Load balancing
  const subnets = ["subnet-0a1", "subnet-0b2"];
  const balancer = (await send(new elb.CreateLoadBalancerCommand({ Name: NAME, Subnets: subnets, Tags: TAGS })))
    .LoadBalancers![0]!;
  const targetGroup = (
    await send(
      new elb.CreateTargetGroupCommand({
        Name: NAME,
        Protocol: "HTTP",
        Port: 80,
        VpcId: "vpc-0c3",
        TargetType: "ip",
        Tags: TAGS,
      }),
    )
  ).TargetGroups![0]!;
  const forward = [{ Type: "forward" as const, TargetGroupArn: targetGroup.TargetGroupArn }];
  const fixed = [
    {
      Type: "fixed-response" as const,
      FixedResponseConfig: { StatusCode: "200", MessageBody: MARK, ContentType: "text/plain" },
    },
  ];
  const listener = (
    await send(
      new elb.CreateListenerCommand({
        LoadBalancerArn: balancer.LoadBalancerArn,
        Protocol: "HTTP",
        Port: 80,
        DefaultActions: forward,
        Tags: TAGS,
      }),
    )
  ).Listeners![0]!;
  const rule = (
    await send(
      new elb.CreateRuleCommand({
        ListenerArn: listener.ListenerArn,
        Priority: 1,
        Conditions: [{ Field: "path-pattern", Values: [`/${MARK}`] }],
        Actions: fixed,
        Tags: TAGS,
      }),
    )
  ).Rules![0]!;
  await send(
    new elb.RegisterTargetsCommand({
      TargetGroupArn: targetGroup.TargetGroupArn,
      Targets: [{ Id: "10.1.2.3", Port: 8080 }],
    }),
  );
  for (const one of [balancer.LoadBalancerArn!, targetGroup.TargetGroupArn!])
    secrets.push(one.slice(one.lastIndexOf("/") + 1));
  await send(new elb.CreateLoadBalancerCommand({ Name: LISTED, Subnets: subnets }));
  await send(
    new elb.CreateTargetGroupCommand({ Name: LISTED, Protocol: "HTTP", Port: 80, VpcId: "vpc-0c3", TargetType: "ip" }),
  );
  const elbArns = [balancer.LoadBalancerArn, targetGroup.TargetGroupArn, listener.ListenerArn, rule.RuleArn];
  Object.assign(samples, {
    LoadBalancerArn: [balancer.LoadBalancerArn],
    LoadBalancerArns: [[balancer.LoadBalancerArn]],
    TargetGroupArn: [targetGroup.TargetGroupArn],
    TargetGroupArns: [[targetGroup.TargetGroupArn]],
    ListenerArn: [listener.ListenerArn],
    ListenerArns: [[listener.ListenerArn]],
    RuleArn: [rule.RuleArn],
    RuleArns: [[rule.RuleArn]],
    ResourceArns: elbArns.map((one) => [one]),
    "elbv2.Name": [NAME],
    "elbv2.Names": [[NAME]],
    RulePriorities: [[{ RuleArn: rule.RuleArn, Priority: 7 }]],
    Conditions: [[{ Field: "path-pattern", Values: ["/other"] }]],
    Actions: [forward],
    DefaultActions: [forward],
    "elbv2.CreateListener.Port": [81],
    "elbv2.CreateListener.Protocol": ["HTTP"],
    "elbv2.CreateRule.Priority": [9],
    "elbv2.CreateTargetGroup.Protocol": ["HTTP"],
    "elbv2.CreateTargetGroup.Port": [80],
    "elbv2.CreateTargetGroup.VpcId": ["vpc-0c3"],
    Targets: [[{ Id: "10.1.2.3", Port: 8080 }]],
    Attributes: [],
    "elbv2.ModifyLoadBalancerAttributes.Attributes": [[{ Key: "idle_timeout.timeout_seconds", Value: "5" }]],
    "elbv2.ModifyTargetGroupAttributes.Attributes": [[{ Key: "deregistration_delay.timeout_seconds", Value: "5" }]],
    Subnets: [subnets],
    SecurityGroups: [["sg-0d1e2f3a4b5c6d7e8"]],
  });

  // ECS
  const network = { awsvpcConfiguration: { subnets } };
  const cluster = (await send(new ecs.CreateClusterCommand({ clusterName: NAME, tags: LOWER_TAGS }))).cluster!;
  const definition = {
    family: NAME,
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    executionRoleArn: roleArn,
    taskRoleArn: roleArn,
    containerDefinitions: [
      {
        name: "app",
        image: "example.test/app:1",
        portMappings: [{ containerPort: 80 }],
        environment: [{ name: "SECRET", value: MARK }],
      },
    ],
  } satisfies ecs.RegisterTaskDefinitionCommandInput;
  await send(new ecs.CreateClusterCommand({ clusterName: LISTED }));
  const { taskDefinition } = await send(new ecs.RegisterTaskDefinitionCommand({ ...definition, tags: LOWER_TAGS }));
  await send(new ecs.RegisterTaskDefinitionCommand({ ...definition, family: LISTED }));
  const { taskDefinition: inactive } = await send(
    new ecs.RegisterTaskDefinitionCommand({ ...definition, family: "fixture-old" }),
  );
  await send(new ecs.DeregisterTaskDefinitionCommand({ taskDefinition: inactive!.taskDefinitionArn! }));
  const { service } = await send(
    new ecs.CreateServiceCommand({
      cluster: NAME,
      serviceName: NAME,
      taskDefinition: NAME,
      desiredCount: 1,
      launchType: "FARGATE",
      networkConfiguration: network,
      clientToken: "fixture-service",
      loadBalancers: [{ targetGroupArn: targetGroup.TargetGroupArn, containerName: "app", containerPort: 80 }],
      tags: LOWER_TAGS,
    }),
  );
  const run = {
    cluster: NAME,
    taskDefinition: NAME,
    launchType: "FARGATE" as const,
    networkConfiguration: network,
    startedBy: MARK,
  };
  const { tasks } = await send(
    new ecs.RunTaskCommand({
      ...run,
      clientToken: "fixture-token",
      overrides: { containerOverrides: [{ name: "app", environment: [{ name: "MORE", value: MARK }] }] },
    }),
  );
  const taskArn = tasks![0]!.taskArn!;
  const taskId = taskArn.slice(taskArn.lastIndexOf("/") + 1);
  await send(new ecs.PutAccountSettingCommand({ name: "containerInsights", value: "enabled", principalArn: roleArn }));
  secrets.push(taskId);
  const definitions = [`${NAME}:1`, NAME, taskDefinition!.taskDefinitionArn!];
  Object.assign(samples, {
    cluster: [NAME, cluster.clusterArn],
    clusters: [[NAME], [cluster.clusterArn]],
    clusterName: [NAME],
    service: [NAME, service!.serviceArn],
    services: [[NAME], [service!.serviceArn]],
    "ecs.serviceName": [NAME, service!.serviceArn],
    "ecs.CreateService.serviceName": ["fixture-other"],
    task: [taskId, taskArn],
    tasks: [[taskId], [taskArn]],
    taskDefinition: definitions,
    taskDefinitions: definitions.filter((one) => one !== NAME).map((one) => [one]),
    "ecs.DeleteTaskDefinitions.taskDefinitions": [["fixture-old:1"], [inactive!.taskDefinitionArn]],
    "ecs.DeregisterTaskDefinition.taskDefinition": definitions.filter((one) => one !== NAME),
    family: [NAME],
    familyPrefix: [NAME],
    principalArn: [roleArn, arn("user")],
    "ecs.resourceArn": [cluster.clusterArn, service!.serviceArn, taskArn, taskDefinition!.taskDefinitionArn],
    "ecs.RegisterTaskDefinition.executionRoleArn": [roleArn],
    "ecs.RegisterTaskDefinition.taskRoleArn": [roleArn],
    containerDefinitions: [definition.containerDefinitions],
    networkConfiguration: [network],
    launchType: ["FARGATE"],
    "ecs.RunTask.clientToken": ["fixture-token"],
    "ecs.CreateService.clientToken": ["fixture-service"],
    "ecs.CreateService.loadBalancers": [
      [{ targetGroupArn: targetGroup.TargetGroupArn, containerName: "app", containerPort: 80 }],
    ],
    startedBy: [MARK],
    "ecs.name": ["containerInsights"],
    "ecs.value": ["enabled"],
    "ecs.capacityProviders": [["FARGATE"]],
    "ecs.settings": [[{ name: "containerInsights", value: "enabled" }]],
  });

  // CodeBuild
  const source = {
    type: "GITHUB" as const,
    location: "https://github.com/owner/repo.git",
    buildspec: `version: 0.2\nphases: {build: {commands: [echo ${MARK}]}}`,
  };
  const environment = {
    type: "LINUX_CONTAINER" as const,
    image: "aws/codebuild/standard:7.0",
    computeType: "BUILD_GENERAL1_SMALL" as const,
    environmentVariables: [{ name: "SECRET", value: MARK }],
  };
  const { project } = await send(
    new codebuild.CreateProjectCommand({
      name: NAME,
      description: MARK,
      source,
      artifacts: { type: "NO_ARTIFACTS" },
      environment,
      serviceRole: roleArn,
      badgeEnabled: true,
      tags: LOWER_TAGS,
    }),
  );
  await send(
    new codebuild.CreateProjectCommand({
      name: LISTED,
      source,
      artifacts: { type: "NO_ARTIFACTS" },
      environment,
      serviceRole: roleArn,
    }),
  );
  const imported = await send(
    new codebuild.ImportSourceCredentialsCommand({
      token: `token-${MARK}`,
      serverType: "GITHUB",
      authType: "PERSONAL_ACCESS_TOKEN",
    }),
  );
  const { webhook } = await send(
    new codebuild.CreateWebhookCommand({
      projectName: NAME,
      manualCreation: true,
      filterGroups: [[{ type: "EVENT", pattern: "PUSH" }]],
    }),
  );
  const { build } = await send(
    new codebuild.StartBuildCommand({ projectName: NAME, idempotencyToken: "fixture-token" }),
  );
  secrets.push(
    idOf(build!.id!),
    idOf(imported.arn!),
    webhook!.secret!,
    new URL(project!.badge!.badgeRequestUrl!).searchParams.get("uuid")!,
  );
  Object.assign(samples, {
    "codebuild.name": [NAME, project!.arn],
    "codebuild.CreateProject.name": [NAME],
    "codebuild.projectName": [NAME, project!.arn],
    projectArn: [project!.arn],
    "codebuild.names": [[NAME], [project!.arn]],
    "codebuild.ids": [[build!.id], [build!.arn]],
    "codebuild.id": [build!.id, build!.arn],
    "codebuild.arn": [imported.arn],
    "codebuild.StartBuild.idempotencyToken": ["fixture-token"],
    "codebuild.serviceRole": [roleArn],
    "codebuild.resourceAccessRole": [roleArn],
    "codebuild.source": [{ type: "NO_SOURCE", buildspec: "version: 0.2\nphases: {build: {commands: [ls]}}" }],
    "codebuild.artifacts": [{ type: "NO_ARTIFACTS" }],
    "codebuild.environment": [{ ...environment, environmentVariables: [] }],
    "codebuild.token": ["token-of-the-caller"],
    "codebuild.encryptionKey": [KeyMetadata!.Arn],
    "codebuild.ImportSourceCredentials.serverType": ["GITHUB"],
    "codebuild.ImportSourceCredentials.authType": ["PERSONAL_ACCESS_TOKEN"],
  });

  // CodePipeline
  const pipeline: codepipeline.PipelineDeclaration = {
    name: NAME,
    roleArn,
    artifactStore: { type: "S3", location: Bucket },
    stages: [
      {
        name: "Source",
        actions: [
          {
            name: "Source",
            actionTypeId: { category: "Source", owner: "AWS", provider: "CodeStarSourceConnection", version: "1" },
            configuration: {
              ConnectionArn: connection.ConnectionArn!,
              FullRepositoryId: "owner/repo",
              BranchName: MARK,
            },
            outputArtifacts: [{ name: "Code" }],
          },
        ],
      },
      {
        name: "Approval",
        actions: [
          {
            name: "Approval",
            actionTypeId: { category: "Approval", owner: "AWS", provider: "Manual", version: "1" },
            configuration: { CustomData: MARK },
          },
        ],
      },
    ],
  };
  await send(new codepipeline.CreatePipelineCommand({ pipeline, tags: LOWER_TAGS }));
  await send(new codepipeline.CreatePipelineCommand({ pipeline: { ...pipeline, name: LISTED } }));
  const { pipelineExecutionId } = await send(
    new codepipeline.StartPipelineExecutionCommand({ name: NAME, clientRequestToken: "fixture-token" }),
  );
  await send(
    new codepipeline.DisableStageTransitionCommand({
      pipelineName: NAME,
      stageName: "Approval",
      transitionType: "Inbound",
      reason: MARK,
    }),
  );
  secrets.push(pipelineExecutionId!);
  Object.assign(samples, {
    "codepipeline.name": [NAME],
    "codepipeline.pipelineName": [NAME],
    "codepipeline.pipeline": [pipeline],
    "codepipeline.CreatePipeline.pipeline": [{ ...pipeline, name: "fixture-other" }],
    stageName: ["Approval"],
    actionName: ["Approval"],
    pipelineExecutionId: [pipelineExecutionId],
    "codepipeline.ListActionExecutions.filter": [{ pipelineExecutionId }],
    "codepipeline.clientRequestToken": ["fixture-token"],
    "codepipeline.token": ["12345678-1234-1234-1234-123456789012"],
    "codepipeline.resourceArn": [`arn:aws:codepipeline:${REGION}:${accountId}:${NAME}`],
    "codepipeline.GetActionType.owner": ["AWS"],
    "codepipeline.GetActionType.provider": ["CodeBuild"],
    "codepipeline.GetActionType.category": ["Build"],
    "codepipeline.GetActionType.version": ["1"],
  });

  // Everywhere
  Object.assign(samples, {
    TagKeys: [["owner"]],
    tagKeys: [["owner"]],
    Tags: [[{ Key: "k", Value: "v" }]],
    "kms.Tags": [[{ TagKey: "k", TagValue: "v" }]],
    tags: [[{ key: "k", value: "v" }]],
    "ecr.tags": [[{ Key: "k", Value: "v" }]],
  });

  return {
    accountId,
    samples,
    secrets,
    webhook: webhook!,
    badgeUrl: project!.badge!.badgeRequestUrl!,
    dnsName: balancer.DNSName!,
    image,
    layerDigest,
    accessKey: AccessKey!,
    session: Credentials!,
  };
}

/** What comes after the last slash or colon of an ARN or a build's id. */
function idOf(text: string): string {
  return text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf(":")) + 1);
}

async function deletionTask(send: Client["send"]) {
  return send(new iam.DeleteServiceLinkedRoleCommand({ RoleName: "AWSServiceRoleForECS" }));
}
