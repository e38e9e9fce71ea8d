/** PutApprovalResult: a person's answer to a manual approval. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { actionNotFound, approvalCompleted, invalidApprovalToken } from "../errors.ts";
import { latestAction, updateRunningAction } from "../execution-store.ts";
import { existingStage, pipelineWithDeclaration } from "../lookup.ts";
import { actionArn } from "../model.ts";
import { progress } from "../progression.ts";
import { lockPipeline } from "../store.ts";

export const PutApprovalResult: OperationOf<sdk.PutApprovalResultCommand> = {
  authorize: {
    action: "codepipeline:PutApprovalResult",
    resources: (input, call) => [actionArn(call, input.pipelineName!, input.stageName!, input.actionName!)],
  },
  async run(input, call) {
    const { pipeline, declaration } = await pipelineWithDeclaration(call, input.pipelineName!);
    const stage = existingStage(declaration, input.stageName!);
    const action = stage.actions.find(({ name }) => name === input.actionName);
    if (action?.actionTypeId.category !== "Approval") throw actionNotFound(stage.name, input.actionName!);
    const { status = "Rejected", summary = "" } = input.result!;
    await inTransaction(call.db, async (trx) => {
      await lockPipeline(trx, pipeline.id, 0);
      const run = await latestAction(trx, pipeline.id, stage.name, action.name);
      if (run?.detail.token === undefined || run.detail.token !== input.token) throw invalidApprovalToken();
      if (run.status !== "InProgress") throw approvalCompleted(action.name);
      const outcome = status === "Approved" ? "Succeeded" : "Failed";
      const { arn } = call.principal;
      await updateRunningAction(trx, run.id, {
        status: outcome,
        detail: {
          ...run.detail,
          updatedBy: arn,
          summary,
          ...(outcome === "Failed" && {
            error: { code: "JobFailed", message: `Rejected by ${arn}. ${summary}`.trim() },
          }),
        },
        now: call.now.getTime(),
      });
      const { executionId: execution, stage: inStage, action: name } = run;
      await progress(call.system, trx, pipeline.id, {
        type: "action-ended",
        execution,
        stage: inStage,
        action: name,
        outcome,
      });
    });
    call.system.work.wake();
    return { approvedAt: call.now };
  },
};
