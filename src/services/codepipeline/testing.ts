/**
 * A system in which pipelines run against the real IAM, STS, S3 and connections, a git repository in a folder, and CodeBuild
 * and ECS that do what the test says: strict fakes behind the real wire models.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as codebuildSdk from "@aws-sdk/client-codebuild";
import type * as pipelines from "@aws-sdk/client-codepipeline";
import { CreateConnectionCommand } from "@aws-sdk/client-codestar-connections";
import * as ecsSdk from "@aws-sdk/client-ecs";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { ZipFile } from "yazl";
import { defineService } from "#gateway/service.ts";
import { git } from "#git/git.ts";
import { ACCOUNT, REGION, type TestSystem, type TestSystemOptions, testSystem } from "#tests/helpers/test-system.ts";
import { codeconnections } from "../codeconnections/index.ts";
import { codestarConnections } from "../codestar-connections/index.ts";
import { IamIdentities, iam } from "../iam/index.ts";
import { s3 } from "../s3/index.ts";
import { sts } from "../sts/index.ts";
import { codepipeline } from "./index.ts";

export const ROLE = `arn:aws:iam::${ACCOUNT}:role/pipeline`;
export const BUCKET = "codepipeline-artifacts";
export const REPOSITORY = "omenking/cruddur";

/** Everything that a pipeline's role needs for the story, by its statement's name. */
const STATEMENTS = {
  connection: { Effect: "Allow", Action: "codestar-connections:UseConnection", Resource: "*" },
  artifacts: { Effect: "Allow", Action: ["s3:PutObject", "s3:GetObject"], Resource: `arn:aws:s3:::${BUCKET}/*` },
  build: { Effect: "Allow", Action: ["codebuild:StartBuild", "codebuild:BatchGetBuilds"], Resource: "*" },
  deploy: { Effect: "Allow", Action: ["ecs:*", "iam:PassRole"], Resource: "*" },
} as const;
export type Permission = keyof typeof STATEMENTS;

export interface PipelineSystem extends AsyncDisposable {
  readonly system: TestSystem;
  readonly builds: FakeCodeBuild;
  readonly ecs: FakeEcs;
  /** The folder of the repository. */
  readonly repository: string;
  readonly connectionArn: string;
  /** Commits to a branch and returns the commit's id. */
  commit(branch: string, message: string): Promise<string>;
  allow(...permissions: readonly Permission[]): Promise<void>;
}

const EVERYTHING = Object.keys(STATEMENTS) as Permission[];

export async function aPipelineSystem(options: Partial<TestSystemOptions> = {}): Promise<PipelineSystem> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-pipeline-test-"));
  const repository = join(folder, `${REPOSITORY}.git`);
  await mkdir(repository, { recursive: true });
  await git(["init", "--quiet", "--initial-branch=prod"], { cwd: repository });
  const builds = new FakeCodeBuild();
  const ecs = new FakeEcs();
  const system = await testSystem({
    services: [iam, sts, s3, codestarConnections, codeconnections, codepipeline, builds.service, ecs.service],
    identities: (parts) => new IamIdentities(parts),
    config: { providerEndpoints: { github: folder } },
    ...options,
  });
  const trust = { Effect: "Allow", Principal: { Service: "codepipeline.amazonaws.com" }, Action: "sts:AssumeRole" };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: trust });
  await system.root.send(new CreateRoleCommand({ RoleName: "pipeline", AssumeRolePolicyDocument }));
  await system.root.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const connection = new CreateConnectionCommand({ ConnectionName: "cruddur", ProviderType: "GitHub" });
  const { ConnectionArn = "" } = await system.root.send(connection);
  let count = 0;
  const made: PipelineSystem = {
    system,
    builds,
    ecs,
    repository,
    connectionArn: ConnectionArn,
    async commit(branch, message) {
      await git(["checkout", "--quiet", "-B", branch], { cwd: repository });
      await writeFile(join(repository, "VERSION"), String(++count));
      await git(["add", "."], { cwd: repository });
      const author = ["-c", "user.name=Andrew", "-c", "user.email=andrew@example.com"];
      await git([...author, "commit", "--quiet", "-m", message], { cwd: repository });
      return (await git(["rev-parse", "HEAD"], { cwd: repository })).toString().trim();
    },
    async allow(...permissions) {
      const PolicyDocument = JSON.stringify({
        Version: "2012-10-17",
        Statement: permissions.map((permission) => STATEMENTS[permission]),
      });
      await system.root.send(new PutRolePolicyCommand({ RoleName: "pipeline", PolicyName: "story", PolicyDocument }));
    },
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await made.allow(...EVERYTHING);
  return made;
}

/** Source → Build → Deploy, as the Cruddur pipeline is. */
export function aPipeline(
  connectionArn: string,
  changes: Partial<pipelines.PipelineDeclaration> = {},
): pipelines.PipelineDeclaration {
  return {
    name: "cruddur-backend-fargate",
    roleArn: ROLE,
    artifactStore: { type: "S3", location: BUCKET },
    stages: [
      { name: "Source", actions: [aSource(connectionArn)] },
      {
        name: "Build",
        actions: [
          {
            name: "Build",
            actionTypeId: { category: "Build", owner: "AWS", provider: "CodeBuild", version: "1" },
            configuration: {
              ProjectName: "bake-image",
              EnvironmentVariables: JSON.stringify([{ name: "MESSAGE", value: "#{SourceVariables.CommitMessage}" }]),
            },
            inputArtifacts: [{ name: "SourceArtifact" }],
            outputArtifacts: [{ name: "BuildArtifact" }],
            namespace: "BuildVariables",
          },
        ],
      },
      {
        name: "Deploy",
        actions: [
          {
            name: "Deploy",
            actionTypeId: { category: "Deploy", owner: "AWS", provider: "ECS", version: "1" },
            configuration: { ClusterName: "cruddur", ServiceName: "backend-flask" },
            inputArtifacts: [{ name: "BuildArtifact" }],
          },
        ],
      },
    ],
    ...changes,
  };
}

export function aSource(
  connectionArn: string,
  configuration: Record<string, string> = {},
): pipelines.ActionDeclaration {
  return {
    name: "Source",
    actionTypeId: { category: "Source", owner: "AWS", provider: "CodeStarSourceConnection", version: "1" },
    configuration: {
      ConnectionArn: connectionArn,
      FullRepositoryId: REPOSITORY,
      BranchName: "prod",
      ...configuration,
    },
    outputArtifacts: [{ name: "SourceArtifact" }],
    namespace: "SourceVariables",
  };
}

export function anApproval(name = "Approve"): pipelines.ActionDeclaration {
  return { name, actionTypeId: { category: "Approval", owner: "AWS", provider: "Manual", version: "1" } };
}

/** Builds end when the test says so. */
export class FakeCodeBuild {
  readonly started: codebuildSdk.StartBuildCommandInput[] = [];
  /** The first answers of StartBuild are lost, as in a crash: the build starts and nobody hears of it. */
  answersToLose = 0;
  readonly #builds = new Map<string, codebuildSdk.Build>();

  readonly service = defineService({
    name: "codebuild",
    sdk: codebuildSdk,
    Client: codebuildSdk.CodeBuildClient,
    operations: {
      StartBuild: {
        authorize: {
          action: "codebuild:StartBuild",
          resources: (input: codebuildSdk.StartBuildInput) => [
            `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/${input.projectName}`,
          ],
        },
        run: (input) => this.#start(input as codebuildSdk.StartBuildCommandInput),
      },
      BatchGetBuilds: {
        authorize: { action: "codebuild:BatchGetBuilds", resources: () => ["*"] },
        run: ({ ids }) => ({ builds: ids!.map((id) => this.#builds.get(id)!) }),
      },
    },
    limits: {},
    validation: { code: "InvalidInputException" },
    migrations: [],
  });

  #start(input: codebuildSdk.StartBuildCommandInput): { build: codebuildSdk.Build } {
    const id = `${input.projectName}:${input.idempotencyToken}`;
    if (input.projectName === "missing") {
      const message = "Project cannot be found: missing";
      throw new codebuildSdk.ResourceNotFoundException({ message, $metadata: {} });
    }
    const known = this.#builds.get(id);
    if (!known) {
      this.started.push(input);
      this.#builds.set(id, { id, buildStatus: "IN_PROGRESS" });
    }
    if (this.answersToLose-- > 0) throw new Error("the process died before the answer was written down");
    return { build: this.#builds.get(id)! };
  }

  /** Ends the last build; a successful one leaves its artifact where it was asked to. */
  async finish(
    system: TestSystem,
    end: Partial<codebuildSdk.Build>,
    files: Record<string, string> = {},
  ): Promise<void> {
    const input = this.started.at(-1)!;
    const id = `${input.projectName}:${input.idempotencyToken}`;
    const { location, path, name } = input.artifactsOverride!;
    if (end.buildStatus === "SUCCEEDED") {
      const Body = await zipped(files);
      await system.root.send(new PutObjectCommand({ Bucket: location, Key: `${path}/${name}`, Body }));
    }
    this.#builds.set(id, { ...this.#builds.get(id), ...end });
    system.bus.publish("codebuild:build", input.idempotencyToken!);
  }
}

/** One service with one task definition; deployments complete when the test says so. */
export class FakeEcs {
  readonly registered: ecsSdk.RegisterTaskDefinitionCommandInput[] = [];
  readonly taskDefinition: ecsSdk.TaskDefinition = {
    family: "backend-flask",
    revision: 1,
    taskDefinitionArn: taskDefinitionArn(1),
    status: "ACTIVE",
    cpu: "256",
    requiresCompatibilities: ["FARGATE"],
    compatibilities: ["EC2", "FARGATE"],
    containerDefinitions: [
      { name: "backend-flask", image: "old", portMappings: [{ containerPort: 4567 }] },
      { name: "xray", image: "xray:1" },
    ],
  };
  deployments: ecsSdk.Deployment[] = [
    {
      id: "ecs-svc/1",
      status: "PRIMARY",
      taskDefinition: taskDefinitionArn(1),
      rolloutState: "COMPLETED",
      desiredCount: 1,
      runningCount: 1,
    },
  ];

  readonly service = defineService({
    name: "ecs",
    sdk: ecsSdk,
    Client: ecsSdk.ECSClient,
    operations: {
      DescribeServices: {
        authorize: { action: "ecs:DescribeServices", resources: () => ["*"] },
        run: ({ cluster, services }) => {
          if (cluster !== "cruddur")
            throw new ecsSdk.ClusterNotFoundException({ message: "Cluster not found.", $metadata: {} });
          return { services: services?.[0] === "backend-flask" ? [this.#view()] : [] };
        },
      },
      DescribeTaskDefinition: {
        authorize: { action: "ecs:DescribeTaskDefinition", resources: () => ["*"] },
        run: () => ({ taskDefinition: this.taskDefinition, tags: [{ key: "app", value: "cruddur" }] }),
      },
      RegisterTaskDefinition: {
        authorize: { action: "ecs:RegisterTaskDefinition", resources: () => ["*"] },
        run: (input) => {
          this.registered.push(input as ecsSdk.RegisterTaskDefinitionCommandInput);
          return { taskDefinition: { taskDefinitionArn: taskDefinitionArn(this.registered.length + 1) } };
        },
      },
      UpdateService: {
        authorize: { action: "ecs:UpdateService", resources: () => ["*"] },
        run: ({ taskDefinition }) => {
          const old = this.deployments.map((deployment) => ({ ...deployment, status: "ACTIVE" }));
          const id = `ecs-svc/${this.deployments.length + 1}`;
          const ours = { id, status: "PRIMARY", taskDefinition, desiredCount: 1, runningCount: 0 };
          this.deployments = [{ ...ours, rolloutState: "IN_PROGRESS" }, ...old];
          return { service: this.#view() };
        },
      },
    },
    limits: {},
    validation: { code: "InvalidParameterException" },
    migrations: [],
  });

  #view(): ecsSdk.Service {
    return {
      serviceName: "backend-flask",
      status: "ACTIVE",
      taskDefinition: taskDefinitionArn(1),
      deployments: this.deployments,
    };
  }

  complete(): void {
    this.deployments = [{ ...this.deployments[0], rolloutState: "COMPLETED", runningCount: 1 }];
  }

  fail(rolloutStateReason: string): void {
    this.deployments = [
      { ...this.deployments[0], rolloutState: "FAILED", rolloutStateReason },
      ...this.deployments.slice(1),
    ];
  }
}

function taskDefinitionArn(revision: number): string {
  return `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/backend-flask:${revision}`;
}

async function zipped(files: Record<string, string>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** Looks again and again; fails with what it last saw when nothing comes of it. */
export async function eventually<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const PATIENCE_MS = 20_000;
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline)
      throw new Error(`It never came to what was expected; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
