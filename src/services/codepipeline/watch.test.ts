import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  CreatePipelineCommand,
  ListPipelineExecutionsCommand,
  type PipelineDeclaration,
  UpdatePipelineCommand,
} from "@aws-sdk/client-codepipeline";
import { until } from "#demo/until.ts";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "../iam/index.ts";
import { anApproval, aPipeline, aPipelineSystem, aSource, type PipelineSystem } from "./testing.ts";
import { WATCH_WORK } from "./watch.ts";

const pipelineName = "watched";

/** A source and an approval that nobody answers, so every execution leaves the source stage. */
function aWatched(
  made: PipelineSystem,
  changes: Partial<PipelineDeclaration> = {},
  configuration = {},
): PipelineDeclaration {
  return aPipeline(made.connectionArn, {
    name: pipelineName,
    stages: [
      { name: "Source", actions: [aSource(made.connectionArn, configuration)] },
      { name: "Review", actions: [anApproval()] },
    ],
    ...changes,
  });
}

async function executions(system: TestSystem) {
  return (await system.root.send(new ListPipelineExecutionsCommand({ pipelineName }))).pipelineExecutionSummaries!;
}

const fetched = (system: TestSystem, commitId: string) =>
  until(
    () => executions(system),
    ([newest]) => newest?.sourceRevisions?.[0]?.revisionId === commitId,
  );

/** When the pipeline's sources are looked at next; undefined where they are not watched. */
async function nextLook(system: TestSystem): Promise<number | undefined> {
  const db = system.db.withTables<{ work: { kind: string; due_at: number } }>();
  const row = await db.selectFrom("work").select("due_at").where("kind", "=", WATCH_WORK).executeTakeFirst();
  return row && Number(row.due_at);
}

/** Waits until the sources were looked at once more. */
async function looked(system: TestSystem): Promise<void> {
  const before = (await nextLook(system))!;
  system.bus.publish("source-changed", "omenking/cruddur");
  await until(
    () => nextLook(system),
    (next) => next !== undefined && next > before,
  );
}

const unwatched = (system: TestSystem) =>
  until(
    () => nextLook(system),
    (next) => next === undefined,
  );

describe("a watched source", () => {
  it("starts the pipeline once per commit, over a restart too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "slipway-watch-test-"));
    const database = join(folder, "slipway.db");
    await using made = await aPipelineSystem({ database });
    try {
      const one = await made.commit("prod", "one");
      await made.system.root.send(new CreatePipelineCommand({ pipeline: aWatched(made) }));
      await fetched(made.system, one);
      await made.system.work.stop();
      const two = await made.commit("prod", "two");
      const restart = () =>
        testSystem({
          services: made.system.registry.services,
          database,
          identities: (parts) => new IamIdentities(parts),
          config: made.system.config,
        });
      for (let times = 0; times < 2; times++) {
        await using again = await restart();
        await until(
          () => executions(again),
          (seen) => seen.length === 2,
        );
        await looked(again);
        const seen = await executions(again);
        assert.deepEqual([seen.length, seen[0]?.trigger?.triggerType], [2, "Webhook"]);
      }
      assert.notEqual(one, two);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("starts the pipeline when its branch appears", async () => {
    await using made = await aPipelineSystem();
    await made.commit("main", "elsewhere");
    await made.system.root.send(new CreatePipelineCommand({ pipeline: aWatched(made) }));
    await until(
      () => executions(made.system),
      ([first]) => first?.status === "Failed",
    );
    const commitId = await made.commit("prod", "one");
    made.system.bus.publish("source-changed", "omenking/cruddur");
    assert.equal((await fetched(made.system, commitId)).length, 2);
  });

  it("starts nothing when it is changed to another branch, but from then on", async () => {
    await using made = await aPipelineSystem();
    const { system } = made;
    await made.commit("main", "elsewhere");
    const first = await made.commit("prod", "one");
    await system.root.send(new CreatePipelineCommand({ pipeline: aWatched(made) }));
    await fetched(system, first);
    await system.root.send(new UpdatePipelineCommand({ pipeline: aWatched(made, {}, { BranchName: "main" }) }));
    await looked(system);
    assert.equal((await executions(system)).length, 1);
    const commitId = await made.commit("main", "two");
    system.bus.publish("source-changed", "omenking/cruddur");
    assert.equal((await fetched(system, commitId)).length, 2);
  });

  it("is left alone without DetectChanges", async () => {
    await using made = await aPipelineSystem();
    await made.commit("prod", "one");
    await made.system.root.send(
      new CreatePipelineCommand({ pipeline: aWatched(made, {}, { DetectChanges: "false" }) }),
    );
    await unwatched(made.system);
  });

  const trigger = (branches: object): Partial<PipelineDeclaration> => ({
    pipelineType: "V2",
    triggers: [
      {
        providerType: "CodeStarSourceConnection",
        gitConfiguration: { sourceActionName: "Source", push: [{ branches }] },
      },
    ],
  });

  it("obeys a trigger's branches", async () => {
    await using made = await aPipelineSystem();
    const first = await made.commit("prod", "one");
    const excluded = aWatched(made, trigger({ includes: ["p*"], excludes: ["prod"] }));
    await made.system.root.send(new CreatePipelineCommand({ pipeline: excluded }));
    await fetched(made.system, first);
    await unwatched(made.system);

    await made.system.root.send(new UpdatePipelineCommand({ pipeline: aWatched(made, trigger({ includes: ["p*"] })) }));
    const commitId = await made.commit("prod", "two");
    made.system.bus.publish("source-changed", "omenking/cruddur");
    const [newest] = await fetched(made.system, commitId);
    assert.equal(newest?.trigger?.triggerType, "WebhookV2");
  });

  it("cannot have branch patterns that are none", async () => {
    await using made = await aPipelineSystem({ work: false });
    const pipeline = aWatched(made, trigger({ includes: ["main"], excludes: ["release/{1,2"] }));
    await assert.rejects(made.system.root.send(new CreatePipelineCommand({ pipeline })), {
      name: "InvalidStructureException",
      message: /'Source' is not valid: \{ is not closed in release\/\{1,2/,
    });
  });

  it("cannot have triggers that are not built", async () => {
    await using made = await aPipelineSystem({ work: false });
    const pipeline = aWatched(made, trigger({ includes: ["*"] }));
    Object.assign(pipeline.triggers![0]!.gitConfiguration!, { pullRequest: [{ events: ["CLOSED"] }] });
    await assert.rejects(made.system.root.send(new CreatePipelineCommand({ pipeline })), {
      name: "InvalidStructureException",
      message: /pull request/,
    });
  });
});
