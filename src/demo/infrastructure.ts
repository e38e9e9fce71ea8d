/** Creates what the story needs, in the order in which a person would. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateProjectCommand,
  type CreateProjectCommandInput,
  CreateWebhookCommand,
  type CreateWebhookCommandInput,
} from "@aws-sdk/client-codebuild";
import { CreatePipelineCommand, type CreatePipelineCommandInput } from "@aws-sdk/client-codepipeline";
import { CreateConnectionCommand, GetConnectionCommand } from "@aws-sdk/client-codestar-connections";
import { CreateRepositoryCommand, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  type CreateServiceCommandInput,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
} from "@aws-sdk/client-ecs";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ModifyTargetGroupAttributesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { type BucketLocationConstraint, CreateBucketCommand } from "@aws-sdk/client-s3";
import { codeBuildRole, codePipelineRole } from "#roles/definitions.ts";
import { createServiceRole } from "#roles/service-role.ts";
import { filledInput, filledText } from "./inputs.ts";
import { BUILD_LOGS, CLUSTER, PIPELINE, PROJECT, SERVICE } from "./names.ts";
import type { Story } from "./story.ts";
import { executionSucceeded } from "./verification.ts";

const BASE_IMAGE = "cruddur-python:3.10-slim-buster";
const REPOSITORIES = ["cruddur-python", "backend-flask"] as const;
const APP_PORT = 4567;
const APP_FOLDER = new URL("../../examples/cruddur/backend-flask/", import.meta.url);

export async function createConnection(story: Story): Promise<void> {
  const { connections } = story.clients;
  const created = await connections.send(
    new CreateConnectionCommand({ ProviderType: "GitHub", ConnectionName: "cruddur" }),
  );
  const arn = created.ConnectionArn!;
  const { Connection } = await connections.send(new GetConnectionCommand({ ConnectionArn: arn }));
  if (Connection?.ConnectionStatus !== "AVAILABLE") {
    throw new Error(`The connection is ${Connection?.ConnectionStatus}; start Slipway with --provider github=FOLDER`);
  }
  story.values = { ...story.values, CONNECTION_ARN: arn };
}

export async function pushImages(story: Story): Promise<void> {
  const { ecr } = story.clients;
  for (const repositoryName of REPOSITORIES) {
    await ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability: "MUTABLE" }));
  }
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [username = "", password = ""] = Buffer.from(authorizationData![0]!.authorizationToken!, "base64")
    .toString()
    .split(":");
  const { port, baseImage } = story.options;
  const { registry, local } = registryNames(story);
  const login = { username, password, serveraddress: `127.0.0.1:${port}` };
  await story.images.tag(baseImage, `${registry}/${BASE_IMAGE}`);
  await story.images.build(await applicationFiles(story.values), `${local}/backend-flask:latest`);
  await story.images.tag(baseImage, `${local}/${BASE_IMAGE}`);
  await story.images.push(`${local}/${BASE_IMAGE}`, login);
  await story.images.push(`${local}/backend-flask:latest`, login);
}

/** Takes from the host's engine what was tagged and built there, and what Slipway pulled. The images that `slipway` brings stay. */
export async function removeImages(story: Story): Promise<void> {
  const { registry, local } = registryNames(story);
  await story.images.remove(`${registry}/${BASE_IMAGE}`);
  for (const repository of REPOSITORIES) {
    for (const name of await story.images.namesOf(`${local}/${repository}`)) await story.images.remove(name);
  }
}

/** The host's engine has no proxy: it reaches the registry through the port, by the registry's name as a prefix. */
function registryNames({ options }: Story): { registry: string; local: string } {
  const registry = `${options.account}.dkr.ecr.${options.region}.amazonaws.com`;
  return { registry, local: `127.0.0.1:${options.port}/${registry}` };
}

/** The application as version 1 has it, account and region written into its Dockerfile. */
async function applicationFiles(values: Readonly<Record<string, string>>): Promise<Map<string, string>> {
  const entries = await readdir(APP_FOLDER, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(APP_FOLDER.pathname.length);
    const text = await readFile(path, "utf8");
    files.set(
      name,
      name === "Dockerfile" ? text.replace(/\$(ACCOUNT_ID|AWS_DEFAULT_REGION)/g, (_, key) => values[key]!) : text,
    );
  }
  return files;
}

export async function createRoles(story: Story): Promise<void> {
  const { region, account: accountId } = story.options;
  const { iam } = story.clients;
  const { ARTIFACT_BUCKET = "", CONNECTION_ARN = "" } = story.values;
  await createRole(story, "CruddurServiceExecutionRole", "/", "ecs-tasks", ["execution-policy"]);
  await createRole(story, "CruddurTaskRole", "/", "ecs-tasks", []);
  // As the console makes them; the story's own is the policy that lets builds push.
  const place = { accountId, region };
  const build = codeBuildRole({ ...place, project: PROJECT, logGroup: BUILD_LOGS, connectionArn: CONNECTION_ARN });
  await createServiceRole(iam, build);
  await putRolePolicy(story, build.name, "ecr-policy");
  const pipeline = codePipelineRole({
    ...place,
    pipeline: PIPELINE,
    artifactBucket: ARTIFACT_BUCKET,
    actions: [
      { provider: "CodeStarSourceConnection", configuration: { ConnectionArn: CONNECTION_ARN } },
      { provider: "CodeBuild", configuration: { ProjectName: PROJECT } },
      { provider: "ECS", configuration: { ClusterName: CLUSTER, ServiceName: SERVICE } },
    ],
    taskRoleArns: ["CruddurServiceExecutionRole", "CruddurTaskRole"].map(
      (name) => `arn:aws:iam::${accountId}:role/${name}`,
    ),
  });
  await createServiceRole(iam, pipeline);
}

async function createRole(story: Story, RoleName: string, Path: string, trust: string, policies: readonly string[]) {
  const { iam } = story.clients;
  const AssumeRolePolicyDocument = await filledText(`trust-${trust}`, story.values);
  await iam.send(new CreateRoleCommand({ RoleName, Path, AssumeRolePolicyDocument }));
  for (const policy of policies) await putRolePolicy(story, RoleName, policy);
}

async function putRolePolicy({ clients, values }: Story, RoleName: string, PolicyName: string): Promise<void> {
  const PolicyDocument = await filledText(PolicyName, values);
  await clients.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
}

export async function createLogGroups({ clients }: Story): Promise<void> {
  for (const logGroupName of ["cruddur", BUILD_LOGS])
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName }));
}

export async function createLoadBalancer(story: Story): Promise<void> {
  const { elbv2 } = story.clients;
  const { SUBNET_1, SUBNET_2, SECURITY_GROUP } = story.values;
  const groups = await elbv2.send(
    new CreateTargetGroupCommand({
      Name: "cruddur-backend-flask-tg",
      Protocol: "HTTP",
      Port: APP_PORT,
      TargetType: "ip",
      VpcId: "vpc-0c4ff0dd97c4a5d31",
      HealthCheckPath: "/api/health-check",
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
    }),
  );
  const TargetGroupArn = groups.TargetGroups![0]!.TargetGroupArn!;
  await elbv2.send(
    new ModifyTargetGroupAttributesCommand({
      TargetGroupArn,
      Attributes: [{ Key: "deregistration_delay.timeout_seconds", Value: "5" }],
    }),
  );
  const balancers = await elbv2.send(
    new CreateLoadBalancerCommand({
      Name: "cruddur-alb",
      Type: "application",
      Scheme: "internet-facing",
      Subnets: [SUBNET_1!, SUBNET_2!],
      SecurityGroups: [SECURITY_GROUP!],
    }),
  );
  const { LoadBalancerArn, DNSName } = balancers.LoadBalancers![0]!;
  await elbv2.send(
    new CreateListenerCommand({
      LoadBalancerArn,
      Protocol: "HTTP",
      Port: APP_PORT,
      DefaultActions: [{ Type: "forward", TargetGroupArn }],
    }),
  );
  story.values = { ...story.values, TARGET_GROUP_ARN: TargetGroupArn };
  story.target = { host: "127.0.0.1", port: story.options.port, name: DNSName! };
}

export async function createService(story: Story): Promise<void> {
  const { ecs } = story.clients;
  await ecs.send(new CreateClusterCommand({ clusterName: "cruddur" }));
  const definition = await filledInput<RegisterTaskDefinitionCommandInput>("task-definition", story.values);
  await ecs.send(new RegisterTaskDefinitionCommand(definition));
  await ecs.send(new CreateServiceCommand(await filledInput<CreateServiceCommandInput>("service", story.values)));
}

export async function createProject(story: Story): Promise<void> {
  const { codebuild } = story.clients;
  const input = await filledInput<CreateProjectCommandInput>("project", story.values);
  const { project } = await codebuild.send(new CreateProjectCommand(input));
  story.badgeUrl = project?.badge?.badgeRequestUrl;
  const { webhook } = await codebuild.send(
    new CreateWebhookCommand(await filledInput<CreateWebhookCommandInput>("webhook", story.values)),
  );
  story.webhook = { payloadUrl: webhook!.payloadUrl!, secret: webhook!.secret! };
}

export async function createPipeline(story: Story): Promise<void> {
  const { s3, codepipeline } = story.clients;
  const LocationConstraint = story.options.region as BucketLocationConstraint;
  await s3.send(
    new CreateBucketCommand({
      Bucket: story.values.ARTIFACT_BUCKET,
      ...(story.options.region !== "us-east-1" && { CreateBucketConfiguration: { LocationConstraint } }),
    }),
  );
  const input = await filledInput<CreatePipelineCommandInput>("pipeline", story.values);
  await codepipeline.send(new CreatePipelineCommand(input));
  await executionSucceeded(story, 1);
}
