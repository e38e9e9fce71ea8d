/** Builds that cannot succeed: which phase fails, with which of AWS's codes, and what the message says to do. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  BatchGetBuildsCommand,
  type Build,
  CreateProjectCommand,
  type CreateProjectCommandInput,
  ListBuildsCommand,
  StartBuildCommand,
  type StartBuildCommandInput,
  StopBuildCommand,
} from "@aws-sdk/client-codebuild";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { ZipFile } from "yazl";
import { type Clients, clientsOf } from "#demo/clients.ts";
import { LONG, until } from "#demo/until.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

const BUCKET = "sources-of-failures";

interface Failure {
  readonly name: string;
  readonly project?: Partial<CreateProjectCommandInput>;
  readonly start?: Partial<StartBuildCommandInput>;
  readonly phase: string;
  readonly statusCode: string;
  readonly says: RegExp;
}

const S3_SOURCE = { type: "S3", location: `${BUCKET}/source.zip` } as const;

const FAILURES: readonly Failure[] = [
  {
    name: "a buildspec that is not YAML",
    start: { buildspecOverride: "version: 0.2\nphases:\n  build:\n   commands:\n\t- echo hi\n" },
    phase: "DOWNLOAD_SOURCE",
    statusCode: "YAML_FILE_ERROR",
    says: /line 5/,
  },
  {
    name: "an unknown phase",
    start: { buildspecOverride: "version: 0.2\nphases:\n  biuld:\n    commands:\n      - echo hi\n" },
    phase: "DOWNLOAD_SOURCE",
    statusCode: "YAML_FILE_ERROR",
    says: /biuld.*line 3|line 3.*biuld/s,
  },
  {
    name: "a missing buildspec",
    project: { source: S3_SOURCE },
    phase: "DOWNLOAD_SOURCE",
    statusCode: "YAML_FILE_ERROR",
    says: /buildspec\.yml/,
  },
  {
    name: "an image that cannot be pulled",
    start: { imageOverride: "127.0.0.1:1/no/such:image" },
    phase: "PROVISIONING",
    statusCode: "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
    says: /Unable to pull customer's container image/,
  },
  {
    name: "an artifact glob that matches nothing",
    project: { artifacts: { type: "S3", location: BUCKET, packaging: "ZIP", name: "out.zip" } },
    start: {
      buildspecOverride:
        "version: 0.2\nphases:\n  build:\n    commands:\n      - echo hi\nartifacts:\n  files: ['dist/*.jar']\n",
    },
    phase: "UPLOAD_ARTIFACTS",
    statusCode: "CLIENT_ERROR",
    says: /no matching artifact paths found/,
  },
  {
    name: "a command that fails",
    start: { buildspecOverride: "version: 0.2\nphases:\n  build:\n    commands:\n      - exit 3\n" },
    phase: "BUILD",
    statusCode: "COMMAND_EXECUTION_ERROR",
    says: /exit 3.*exit status 3/,
  },
];

describe("a build that cannot succeed", () => {
  let slipway: SlipwayProcess;
  let clients: Clients;
  let serviceRole: string;

  before(async () => {
    slipway = await SlipwayProcess.start();
    clients = clientsOf(slipway.running);
    const trust = { Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" };
    const role = await clients.iam.send(
      new CreateRoleCommand({
        RoleName: "builder",
        AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
      }),
    );
    serviceRole = role.Role!.Arn!;
    const statement = { Effect: "Allow", Action: ["logs:*", "s3:*"], Resource: "*" };
    await clients.iam.send(
      new PutRolePolicyCommand({
        RoleName: "builder",
        PolicyName: "work",
        PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
      }),
    );
    await clients.s3.send(
      new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: "ca-central-1" } }),
    );
    await clients.s3.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: "source.zip", Body: await zipOf("README.md", "hello") }),
    );
  });
  after(() => slipway?.[Symbol.asyncDispose]());

  async function createProject(name: string, project: Partial<CreateProjectCommandInput> = {}): Promise<void> {
    await clients.codebuild.send(
      new CreateProjectCommand({
        name,
        serviceRole,
        source: { type: "NO_SOURCE", buildspec: "version: 0.2\nphases:\n  build:\n    commands:\n      - sleep 60\n" },
        artifacts: { type: "NO_ARTIFACTS" },
        environment: {
          type: "LINUX_CONTAINER",
          image: "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
          computeType: "BUILD_GENERAL1_SMALL",
        },
        ...project,
      }),
    );
  }

  async function ended(id: string): Promise<Build> {
    return until(
      async () => {
        const { builds } = await clients.codebuild.send(new BatchGetBuildsCommand({ ids: [id] }));
        return builds?.[0]?.buildComplete ? builds[0] : undefined;
      },
      Boolean,
      LONG,
    );
  }

  for (const [index, { name, project, start, phase, statusCode, says }] of FAILURES.entries()) {
    it(`for ${name} says ${statusCode} at ${phase}`, async () => {
      const projectName = `failure-${index}`;
      await createProject(projectName, project);
      const { build } = await clients.codebuild.send(new StartBuildCommand({ projectName, ...start }));
      const failed = await ended(build!.id!);
      assert.equal(failed.buildStatus, "FAILED", JSON.stringify(failed.phases));
      const at = failed.phases?.find(({ phaseStatus }) => phaseStatus === "FAILED");
      assert.equal(at?.phaseType, phase);
      assert.equal(at?.contexts?.[0]?.statusCode, statusCode);
      assert.match(at?.contexts?.[0]?.message ?? "", says);
    });
  }

  it("is refused when the queue is full, and nothing of it is kept", async () => {
    await createProject("queue");
    const started: string[] = [];
    let refusal: Error | undefined;
    while (!refusal && started.length < 1000) {
      try {
        const { build } = await clients.codebuild.send(new StartBuildCommand({ projectName: "queue" }));
        started.push(build!.id!);
      } catch (error) {
        refusal = error as Error;
      }
    }
    assert.equal(refusal?.name, "AccountLimitExceededException");
    assert.match(refusal.message, /Cannot have more than \d+ builds in queue for the account/);
    const { ids } = await clients.codebuild.send(new ListBuildsCommand({}));
    assert.equal(ids?.filter((id) => id.startsWith("queue:")).length, started.length);
    for (const id of started) await clients.codebuild.send(new StopBuildCommand({ id }));
    for (const id of started) assert.equal((await ended(id)).buildStatus, "STOPPED");
  });
});

function zipOf(name: string, content: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    zip.outputStream.on("data", (chunk: Buffer) => chunks.push(chunk));
    zip.outputStream.on("end", () => resolve(Buffer.concat(chunks)));
    zip.outputStream.on("error", reject);
  });
}
