import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { RetryStageExecutionCommand, StartPipelineExecutionCommand } from "@aws-sdk/client-codepipeline";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { until } from "#demo/until.ts";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "../iam/index.ts";
import { fileInZip } from "./artifact-zip.ts";
import { ACTION_WORK } from "./progression.ts";
import {
  actions,
  anApproval,
  aPipeline,
  aPipelineSystem,
  BUCKET,
  created,
  DEFINITIONS,
  ended,
  failureOf,
  history,
  IMAGE,
  pipelineName,
  started,
} from "./testing.ts";
import { WATCH_WORK } from "./watch.ts";

/** Waits until the watcher has looked at the source once more. */
async function looked(system: TestSystem): Promise<void> {
  const [watch] = await dueWatches(system);
  system.bus.publish("source-changed", "omenking/cruddur");
  await until(
    () => dueWatches(system),
    ([later]) => later !== undefined && later > watch!,
  );
}

/** When pipelines are looked at next. */
async function dueWatches(system: TestSystem): Promise<number[]> {
  const db = system.db.withTables<{ work: { kind: string; due_at: number } }>();
  const rows = await db.selectFrom("work").select("due_at").where("kind", "=", WATCH_WORK).execute();
  return rows.map(({ due_at }) => Number(due_at));
}

describe("a pipeline", () => {
  it("runs when it is made: source to artifact, build, new revision, rolled service", async () => {
    await using made = await aPipelineSystem();
    const { system, builds, ecs } = made;
    const commitId = await made.commit("prod", 'Say "hello"');
    const id = await created(made);
    await started(made);

    const [build] = builds.started;
    assert.match(
      build!.sourceLocationOverride!,
      new RegExp(`^${BUCKET}/cruddur-backend-farg/SourceArti/[A-Za-z0-9]{7}$`),
    );
    assert.equal(build!.sourceTypeOverride, "S3");
    assert.deepEqual(build!.environmentVariablesOverride, [
      { name: "MESSAGE", value: 'Say "hello"', type: "PLAINTEXT" },
    ]);
    const { location, path, name, ...rest } = build!.artifactsOverride!;
    assert.deepEqual([location, path, name?.length], [BUCKET, "cruddur-backend-farg/BuildArtif", 7]);
    assert.deepEqual(rest, { type: "S3", packaging: "ZIP", namespaceType: "NONE", overrideArtifactName: false });
    const Key = build!.sourceLocationOverride!.slice(BUCKET.length + 1);
    const { Body } = await system.root.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    assert.equal((await fileInZip(await buffer(Body as Readable), "VERSION", 100))?.toString(), "1");

    await builds.finish(
      system,
      { buildStatus: "SUCCEEDED", exportedEnvironmentVariables: [{ name: "TAG", value: "2" }] },
      DEFINITIONS,
    );
    await until(
      async () => ecs.registered.length,
      (length) => length > 0,
    );
    ecs.complete();
    const execution = await ended(system, id, "Succeeded");

    assert.deepEqual(ecs.registered, [
      {
        family: "backend-flask",
        cpu: "256",
        requiresCompatibilities: ["FARGATE"],
        containerDefinitions: [
          { name: "backend-flask", image: IMAGE, portMappings: [{ containerPort: 4567 }] },
          { name: "xray", image: "xray:1" },
        ],
        tags: [{ key: "app", value: "cruddur" }],
      },
    ]);
    assert.equal(execution.artifactRevisions?.[0]?.revisionId, commitId);
    assert.equal(execution.trigger?.triggerType, "CreatePipeline");
    const { Source, Build, Deploy } = await actions(system, id);
    assert.equal(Source?.output?.outputVariables?.CommitId, commitId);
    assert.equal(Build?.input?.inputArtifacts?.[0]?.s3location?.key, Key);
    assert.deepEqual(Build?.output?.outputVariables, { TAG: "2" });
    assert.match(Build?.output?.executionResult?.externalExecutionUrl ?? "", /#\/builds\/bake-image:/);
    assert.equal(Deploy?.output?.executionResult?.externalExecutionId, "ecs-svc/2");
    assert.deepEqual(system.workErrors, []);
  });

  it("starts once for a new commit on its branch, and not for others", async () => {
    await using made = await aPipelineSystem();
    const { system } = made;
    await made.commit("prod", "one");
    await created(made);
    await started(made);
    await made.commit("main", "elsewhere");
    const commitId = await made.commit("prod", "two");
    system.bus.publish("source-changed", "OmenKing/cruddur");
    const seen = await until(
      () => history(system),
      (executions) => executions.length > 1,
    );
    assert.equal(seen[0]?.trigger?.triggerType, "Webhook");
    assert.equal(seen[0]?.trigger?.triggerDetail, made.connectionArn);
    await until(
      () => history(system),
      ([newest]) => newest?.sourceRevisions?.[0]?.revisionId === commitId,
    );
    // Looked at again and again, the same commit starts nothing more.
    for (let look = 0; look < 3; look++) await looked(system);
    assert.equal((await history(system)).length, 2);
  });

  it("fetches the commit that it is asked for", async () => {
    await using made = await aPipelineSystem();
    const first = await made.commit("prod", "one");
    await made.commit("prod", "two");
    await created(made);
    const { pipelineExecutionId = "" } = await made.system.root.send(
      new StartPipelineExecutionCommand({
        name: pipelineName,
        sourceRevisions: [{ actionName: "Source", revisionType: "COMMIT_ID", revisionValue: first }],
      }),
    );
    const revision = await until(
      async () => (await actions(made.system, pipelineExecutionId)).Source?.output?.outputVariables?.CommitId,
      (commitId) => commitId !== undefined,
    );
    assert.equal(revision, first);
  });
});

describe("an action's own role", () => {
  const ACTION_ROLE = "arn:aws:iam::111122223333:role/action";

  it("is assumed by the pipeline's role and decides what the action may do", async () => {
    await using made = await aPipelineSystem();
    const { system } = made;
    await made.commit("prod", "one");
    const { stages = [] } = aPipeline(made.connectionArn);
    stages[1]!.actions![0]!.roleArn = ACTION_ROLE;
    const id = await created(made, { stages });
    const unknown = await failureOf(system, id, "Build");
    assert.equal(
      unknown?.message,
      `arn:aws:iam::111122223333:role/pipeline is not authorized to perform AssumeRole on role ${ACTION_ROLE}`,
    );
    const policy = (statement: object) =>
      JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", ...statement } });
    const trust = policy({ Principal: { AWS: "arn:aws:iam::111122223333:role/pipeline" }, Action: "sts:AssumeRole" });
    await system.root.send(new CreateRoleCommand({ RoleName: "action", AssumeRolePolicyDocument: trust }));
    const retry = { pipelineName, stageName: "Build", pipelineExecutionId: id, retryMode: "FAILED_ACTIONS" } as const;
    await system.root.send(new RetryStageExecutionCommand(retry));
    const denied = await failureOf(system, id, "Build");
    assert.match(denied?.message ?? "", /^Error calling startBuild: User: .*assumed-role\/action\//);
    const PolicyDocument = policy({ Action: "codebuild:*", Resource: "*" });
    await system.root.send(new PutRolePolicyCommand({ RoleName: "action", PolicyName: "p", PolicyDocument }));
    await system.root.send(new RetryStageExecutionCommand(retry));
    await started(made);
  });
});

describe("an approval", () => {
  it("fails when nobody answers in time", async () => {
    await using made = await aPipelineSystem();
    const { system } = made;
    await made.commit("prod", "one");
    const [source] = aPipeline(made.connectionArn).stages!;
    const stages = [source!, { name: "Review", actions: [{ ...anApproval(), timeoutInMinutes: 5 }] }];
    const id = await created(made, { stages });
    const waiting = await until(
      async () => (await actions(system, id)).Approve,
      (run) => run?.status === "InProgress",
    );
    system.setNow(new Date(waiting!.startTime!.getTime() + 5 * 60_000));
    await system.work.schedule(system.db, ACTION_WORK, waiting!.actionExecutionId!);
    system.work.wake();
    const error = await failureOf(system, id, "Approve");
    assert.equal(error?.message, "The approval was not answered within 5 minutes");
  });
});

describe("recovery", () => {
  it("finds the build again whose start was not written down", async () => {
    await using made = await aPipelineSystem();
    made.builds.answersToLose = 1;
    await made.commit("prod", "one");
    const id = await created(made);
    await until(
      async () => (await actions(made.system, id)).Build?.output?.executionResult?.externalExecutionId,
      Boolean,
    );
    assert.equal(made.builds.started.length, 1);
    assert.equal(made.system.workErrors.length, 1);
  });

  it("goes on in another process where the first one was, and does nothing twice", async () => {
    const folder = await mkdtemp(join(tmpdir(), "slipway-recovery-test-"));
    const database = join(folder, "slipway.db");
    try {
      const first = await aPipelineSystem({ database });
      await first.commit("prod", "one");
      const id = await created(first);
      await started(first);
      await first.builds.finish(first.system, { buildStatus: "SUCCEEDED" }, DEFINITIONS);
      await until(
        async () => (await actions(first.system, id)).Deploy?.output?.executionResult?.externalExecutionId,
        Boolean,
      );
      await first[Symbol.asyncDispose]();

      const { services } = first.system.registry;
      await using second = await testSystem({ services, database, identities: (parts) => new IamIdentities(parts) });
      first.ecs.complete();
      await ended(second, id, "Succeeded");
      assert.deepEqual([first.builds.started.length, first.ecs.registered.length], [1, 1]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
