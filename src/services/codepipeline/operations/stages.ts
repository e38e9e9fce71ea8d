/** Stages: retries and transitions. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { notLatestExecution, stageNotFound, stageNotRetryable } from "../errors.ts";
import { existingExecution, existingPipeline, existingStage, pipelineWithDeclaration } from "../lookup.ts";
import { stageArn } from "../model.ts";
import { progress } from "../progression.ts";
import { findPipelineById, lockPipeline, putTransition } from "../store.ts";

/** The execution goes on with the structure that it was started with. */
export const RetryStageExecution: OperationOf<sdk.RetryStageExecutionCommand> = {
  authorize: {
    action: "codepipeline:RetryStageExecution",
    resources: (input, call) => [stageArn(call, input.pipelineName!, input.stageName!)],
  },
  async run(input, call) {
    const { id: pipelineId } = await existingPipeline(call, input.pipelineName!);
    const { stageName = "", pipelineExecutionId: id = "", retryMode } = input;
    await inTransaction(call.db, async (trx) => {
      await lockPipeline(trx, pipelineId, 0);
      const pipeline = (await findPipelineById(trx, pipelineId))!;
      const { state, mode } = await existingExecution(trx, pipeline, id);
      const stage = state.stages.find(({ name }) => name === stageName);
      if (!stage) throw stageNotFound(pipeline.name, stageName);
      if (stage.status !== "Failed" && stage.status !== "Stopped") throw stageNotRetryable(stageName);
      if (mode !== "PARALLEL" && pipeline.stageExecutions[stageName] !== id) throw notLatestExecution(stageName, id);
      const failedActionsOnly = retryMode === "FAILED_ACTIONS";
      await progress(call.system, trx, pipeline.id, {
        type: "retry",
        execution: id,
        stage: stageName,
        failedActionsOnly,
      });
    });
    call.system.work.wake();
    return { pipelineExecutionId: id };
  },
};

export const DisableStageTransition: OperationOf<sdk.DisableStageTransitionCommand> = {
  authorize: {
    action: "codepipeline:DisableStageTransition",
    resources: (input, call) => [stageArn(call, input.pipelineName!, input.stageName!)],
  },
  async run(input, call) {
    await changeTransition(input, false, input.reason, call);
    return {};
  },
};

export const EnableStageTransition: OperationOf<sdk.EnableStageTransitionCommand> = {
  authorize: {
    action: "codepipeline:EnableStageTransition",
    resources: (input, call) => [stageArn(call, input.pipelineName!, input.stageName!)],
  },
  async run(input, call) {
    await changeTransition(input, true, undefined, call);
    return {};
  },
};

async function changeTransition(
  input: sdk.EnableStageTransitionInput,
  enabled: boolean,
  reason: string | undefined,
  call: Call,
): Promise<void> {
  const { pipeline, declaration } = await pipelineWithDeclaration(call, input.pipelineName!);
  const stage = existingStage(declaration, input.stageName!);
  await inTransaction(call.db, async (trx) => {
    await putTransition(trx, pipeline.id, {
      stage: stage.name,
      type: input.transitionType!,
      enabled,
      reason,
      changedBy: call.principal.arn,
      changedAt: call.now.getTime(),
    });
    if (enabled) await progress(call.system, trx, pipeline.id, { type: "changed" });
  });
  call.system.work.wake();
}
