import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CreatePipelineCommand,
  DisableStageTransitionCommand,
  EnableStageTransitionCommand,
  GetPipelineExecutionCommand,
  GetPipelineStateCommand,
  ListActionExecutionsCommand,
  ListPipelineExecutionsCommand,
  type PipelineDeclaration,
  PutApprovalResultCommand,
  RetryStageExecutionCommand,
  StartPipelineExecutionCommand,
  StopPipelineExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { until } from "#demo/until.ts";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { anApproval, aPipeline, aPipelineSystem, aSource, type PipelineSystem } from "../testing.ts";

const pipelineName = "approvals";
const UNKNOWN = "00000000-0000-0000-0000-000000000000";

/** Source, then two stages that wait for a person. */
function approvals(connectionArn: string, changes: Partial<PipelineDeclaration> = {}): PipelineDeclaration {
  return aPipeline(connectionArn, {
    name: pipelineName,
    stages: [
      { name: "Source", actions: [aSource(connectionArn, { DetectChanges: "false" })] },
      { name: "Review", actions: [anApproval()] },
      { name: "Release", actions: [anApproval()] },
    ],
    ...changes,
  });
}

async function running(changes: Partial<PipelineDeclaration> = {}): Promise<PipelineSystem & { id: string }> {
  const made = await aPipelineSystem();
  await made.commit("prod", "one");
  await made.system.root.send(new CreatePipelineCommand({ pipeline: approvals(made.connectionArn, changes) }));
  const { pipelineExecutionSummaries } = await made.system.root.send(
    new ListPipelineExecutionsCommand({ pipelineName }),
  );
  return { ...made, id: pipelineExecutionSummaries![0]!.pipelineExecutionId! };
}

async function stage(system: TestSystem, name: string) {
  const { stageStates } = await system.root.send(new GetPipelineStateCommand({ name: pipelineName }));
  return stageStates!.find(({ stageName }) => stageName === name)!;
}

async function token(system: TestSystem, stageName: string, not?: string): Promise<string> {
  const state = await until(
    () => stage(system, stageName),
    ({ actionStates }) => {
      const found = actionStates?.[0]?.latestExecution?.token;
      return found !== undefined && found !== not;
    },
  );
  return state.actionStates![0]!.latestExecution!.token!;
}

async function answer(system: TestSystem, stageName: string, status: "Approved" | "Rejected", given?: string) {
  return system.root.send(
    new PutApprovalResultCommand({
      pipelineName,
      stageName,
      actionName: "Approve",
      token: given ?? (await token(system, stageName)),
      result: { status, summary: "looked at it" },
    }),
  );
}

async function status(system: TestSystem, pipelineExecutionId: string) {
  const get = new GetPipelineExecutionCommand({ pipelineName, pipelineExecutionId });
  return (await system.root.send(get)).pipelineExecution!.status;
}

const start = (system: TestSystem, input = {}) =>
  system.root.send(new StartPipelineExecutionCommand({ name: pipelineName, ...input }));

describe("approvals", () => {
  it("let the execution go on, once, with the token of the pending one", async () => {
    await using made = await running();
    const { system, id } = made;
    const pending = await token(system, "Review");
    await assert.rejects(answer(system, "Review", "Approved", UNKNOWN), { name: "InvalidApprovalTokenException" });
    await answer(system, "Review", "Approved", pending);
    await assert.rejects(answer(system, "Review", "Approved", pending), { name: "ApprovalAlreadyCompletedException" });
    await answer(system, "Release", "Approved");
    assert.equal(await status(system, id), "Succeeded");
    const { actionStates } = await stage(system, "Review");
    const latest = actionStates?.[0]?.latestExecution;
    assert.deepEqual([latest?.status, latest?.summary, latest?.token], ["Succeeded", "looked at it", undefined]);
    assert.match(latest?.lastUpdatedBy ?? "", /:root$/);
  });

  it("fail the stage when rejected, and can be asked for again", async () => {
    await using made = await running();
    const { system, id } = made;
    const first = await token(system, "Review");
    await answer(system, "Review", "Rejected");
    assert.equal(await status(system, id), "Failed");
    const retry = { pipelineName, stageName: "Review", pipelineExecutionId: id, retryMode: "FAILED_ACTIONS" } as const;
    await system.root.send(new RetryStageExecutionCommand(retry));
    await answer(system, "Review", "Approved", await token(system, "Review", first));
    await assert.rejects(system.root.send(new RetryStageExecutionCommand(retry)), {
      name: "StageNotRetryableException",
    });
    const list = new ListActionExecutionsCommand({ pipelineName, filter: { pipelineExecutionId: id } });
    const runs = (await system.root.send(list)).actionExecutionDetails!.filter(
      ({ stageName }) => stageName === "Review",
    );
    assert.deepEqual(
      runs.map((run) => run.status),
      ["Succeeded", "Failed"],
    );
    assert.match(runs[1]?.output?.executionResult?.errorDetails?.message ?? "", /^Rejected by arn:.*looked at it$/);
  });

  it("name what is not there", async () => {
    await using made = await running();
    const given = {
      pipelineName,
      stageName: "Review",
      actionName: "Approve",
      token: UNKNOWN,
      result: { status: "Approved", summary: "" },
    } as const;
    const wrong: [object, string][] = [
      [{ pipelineName: "none" }, "PipelineNotFoundException"],
      [{ stageName: "None" }, "StageNotFoundException"],
      [{ actionName: "None" }, "ActionNotFoundException"],
      [{ token: "x" }, "ValidationException"],
    ];
    for (const [change, name] of wrong) {
      await assert.rejects(made.system.root.send(new PutApprovalResultCommand({ ...given, ...change })), { name });
    }
  });
});

describe("executions", () => {
  it("are started once per client request token", async () => {
    await using made = await running();
    const one = await start(made.system, { clientRequestToken: "once" });
    const two = await start(made.system, { clientRequestToken: "once" });
    assert.equal(one.pipelineExecutionId, two.pipelineExecutionId);
    assert.notEqual(one.pipelineExecutionId, made.id);
  });

  it("take the pipeline's variables", async () => {
    await using made = await running({
      pipelineType: "V2",
      variables: [
        { name: "COLOUR", defaultValue: "red" },
        { name: "SIZE", defaultValue: "S" },
      ],
    });
    const { pipelineExecutionId } = await start(made.system, { variables: [{ name: "SIZE", value: "L" }] });
    const get = new GetPipelineExecutionCommand({ pipelineName, pipelineExecutionId });
    const { pipelineExecution } = await made.system.root.send(get);
    assert.deepEqual(pipelineExecution?.variables, [
      { name: "COLOUR", resolvedValue: "red" },
      { name: "SIZE", resolvedValue: "L" },
    ]);
    await assert.rejects(start(made.system, { variables: [{ name: "X", value: "1" }] }), {
      name: "ValidationException",
    });
  });

  it("are listed newest first, page by page, and by the stage that they got through", async () => {
    await using made = await running();
    const { system } = made;
    const ids = [made.id];
    await answer(system, "Review", "Approved");
    for (let count = 0; count < 2; count++) ids.unshift((await start(system)).pipelineExecutionId!);
    const page = await system.root.send(new ListPipelineExecutionsCommand({ pipelineName, maxResults: 2 }));
    const rest = await system.root.send(new ListPipelineExecutionsCommand({ pipelineName, nextToken: page.nextToken }));
    const seen = [...page.pipelineExecutionSummaries!, ...rest.pipelineExecutionSummaries!];
    assert.deepEqual(
      seen.map(({ pipelineExecutionId }) => pipelineExecutionId),
      ids,
    );
    assert.equal(rest.nextToken, undefined);
    const filter = { succeededInStage: { stageName: "Review" } };
    const passed = await system.root.send(new ListPipelineExecutionsCommand({ pipelineName, filter, maxResults: 1 }));
    assert.deepEqual(
      passed.pipelineExecutionSummaries?.map(({ pipelineExecutionId }) => pipelineExecutionId),
      [made.id],
    );
    const bad = new ListPipelineExecutionsCommand({ pipelineName, nextToken: "x" });
    await assert.rejects(system.root.send(bad), { name: "InvalidNextTokenException" });
  });

  it("stop when their action has ended, or at once when abandoned", async () => {
    await using made = await running();
    const { system, id } = made;
    await token(system, "Review");
    const stop = (changes = {}) =>
      system.root.send(
        new StopPipelineExecutionCommand({ pipelineName, pipelineExecutionId: id, reason: "enough", ...changes }),
      );
    await stop();
    assert.equal(await status(system, id), "Stopping");
    await assert.rejects(stop(), { name: "DuplicatedStopRequestException" });
    await stop({ abandon: true });
    assert.equal(await status(system, id), "Stopped");
    await assert.rejects(stop(), { name: "PipelineExecutionNotStoppableException" });
    await assert.rejects(stop({ pipelineExecutionId: UNKNOWN }), { name: "PipelineExecutionNotFoundException" });
    const { latestExecution, actionStates } = await stage(system, "Review");
    assert.deepEqual([latestExecution?.status, actionStates?.[0]?.latestExecution?.status], ["Stopped", "Abandoned"]);
    const { pipelineExecutionSummaries } = await system.root.send(new ListPipelineExecutionsCommand({ pipelineName }));
    assert.deepEqual(pipelineExecutionSummaries?.[0]?.stopTrigger, { reason: "enough" });
  });

  it("wait where a transition is disabled, and show that they do", async () => {
    await using made = await running();
    const { system, id } = made;
    const at = { pipelineName, stageName: "Release", transitionType: "Inbound" } as const;
    await system.root.send(new DisableStageTransitionCommand({ ...at, reason: "freeze" }));
    await answer(system, "Review", "Approved");
    const waiting = await stage(system, "Release");
    assert.deepEqual([waiting.inboundExecution?.pipelineExecutionId, waiting.latestExecution], [id, undefined]);
    const { enabled, disabledReason } = waiting.inboundTransitionState!;
    assert.deepEqual([enabled, disabledReason], [false, "freeze"]);
    await system.root.send(new EnableStageTransitionCommand(at));
    await answer(system, "Release", "Approved");
    assert.equal(await status(system, id), "Succeeded");
    const wrong = new EnableStageTransitionCommand({ ...at, stageName: "None" });
    await assert.rejects(system.root.send(wrong), { name: "StageNotFoundException" });
  });

  it("can be retried in a stage only while none came after them", async () => {
    await using made = await running();
    const { system, id } = made;
    await answer(system, "Review", "Rejected");
    const { pipelineExecutionId } = await start(system);
    await until(
      () => stage(system, "Review"),
      ({ latestExecution }) => latestExecution?.pipelineExecutionId === pipelineExecutionId,
    );
    const retry = new RetryStageExecutionCommand({
      pipelineName,
      stageName: "Review",
      pipelineExecutionId: id,
      retryMode: "ALL_ACTIONS",
    });
    await assert.rejects(system.root.send(retry), { name: "NotLatestPipelineExecutionException" });
  });
});
