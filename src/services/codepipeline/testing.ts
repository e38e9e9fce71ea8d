/**
 * A system in which pipelines run against the real IAM, STS, S3 and connections, a git repository in a folder, and CodeBuild
 * and ECS that do what the test says: strict fakes behind the real wire models.
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pipelines from "@aws-sdk/client-codepipeline";
import { CreateConnectionCommand } from "@aws-sdk/client-codestar-connections";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { until } from "#demo/until.ts";
import { git } from "#git/git.ts";
import { ACCOUNT, type TestSystem, type TestSystemOptions, testSystem } from "#tests/helpers/test-system.ts";
import { codeconnections } from "../codeconnections/index.ts";
import { codestarConnections } from "../codestar-connections/index.ts";
import { IamIdentities, iam } from "../iam/index.ts";
import { s3 } from "../s3/index.ts";
import { sts } from "../sts/index.ts";
import { codepipeline } from "./index.ts";
import { FakeCodeBuild, FakeEcs } from "./testing-services.ts";

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
      const head = count === 0 ? [] : ["-p", "HEAD"];
      await writeFile(join(repository, "VERSION"), String(++count));
      const run = async (...command: string[]) => (await git(command, { cwd: repository })).toString().trim();
      await run("add", ".");
      const author = ["-c", "user.name=Andrew", "-c", "user.email=andrew@example.com"];
      const commitId = await run(...author, "commit-tree", await run("write-tree"), ...head, "-m", message);
      // The branch appears with the commit: whoever watches it would take one without for a revision of its own.
      await run("update-ref", `refs/heads/${branch}`, commitId);
      await run("symbolic-ref", "HEAD", `refs/heads/${branch}`);
      return commitId;
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

/** What aPipeline is called. */
export const pipelineName = "cruddur-backend-fargate";
export const IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/backend-flask:2";
export const DEFINITIONS = { "imagedefinitions.json": JSON.stringify([{ name: "backend-flask", imageUri: IMAGE }]) };

export const history = async (system: TestSystem) =>
  (await system.root.send(new pipelines.ListPipelineExecutionsCommand({ pipelineName }))).pipelineExecutionSummaries!;

export async function created({ system, connectionArn }: PipelineSystem, changes = {}): Promise<string> {
  await system.root.send(new pipelines.CreatePipelineCommand({ pipeline: aPipeline(connectionArn, changes) }));
  return (await history(system))[0]!.pipelineExecutionId!;
}

export const started = ({ builds }: PipelineSystem, count = 1) =>
  until(
    async () => builds.started.length,
    (length) => length >= count,
  );

export async function ended(
  system: TestSystem,
  pipelineExecutionId: string,
  status: pipelines.PipelineExecutionStatus,
) {
  const get = new pipelines.GetPipelineExecutionCommand({ pipelineName, pipelineExecutionId });
  const { pipelineExecution } = await until(
    () => system.root.send(get),
    (seen) => seen.pipelineExecution?.status !== "InProgress",
  );
  assert.equal(pipelineExecution?.status, status);
  return pipelineExecution;
}

/** The latest action executions of a pipeline execution by action name. */
export async function actions(system: TestSystem, pipelineExecutionId: string) {
  const list = new pipelines.ListActionExecutionsCommand({ pipelineName, filter: { pipelineExecutionId } });
  const { actionExecutionDetails = [] } = await system.root.send(list);
  // Newest come first.
  return Object.fromEntries(actionExecutionDetails.toReversed().map((detail) => [detail.actionName!, detail]));
}

export async function failureOf(system: TestSystem, pipelineExecutionId: string, action: string) {
  await ended(system, pipelineExecutionId, "Failed");
  return (await actions(system, pipelineExecutionId))[action]?.output?.executionResult?.errorDetails;
}
