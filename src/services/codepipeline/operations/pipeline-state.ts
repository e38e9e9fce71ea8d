/** GetPipelineState: what each stage and action of a pipeline last did. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { actionProvider } from "../actions/providers.ts";
import { activeExecutions, executionsById, latestAction } from "../execution-store.ts";
import { pipelineWithDeclaration } from "../lookup.ts";
import {
  type ActionExecution,
  type DeclaredAction,
  type DeclaredStage,
  type Execution,
  type Pipeline,
  pipelineArn,
  type StageTransition,
} from "../model.ts";
import { waitingAt } from "../states.ts";
import { transitionsOf } from "../store.ts";

export const GetPipelineState: OperationOf<sdk.GetPipelineStateCommand> = {
  authorize: {
    action: "codepipeline:GetPipelineState",
    resources: (input, call) => [pipelineArn(call, input.name!)],
  },
  async run(input, call) {
    const { pipeline, declaration } = await pipelineWithDeclaration(call, input.name!);
    const transitions = await transitionsOf(call.db, pipeline.id);
    const active = await activeExecutions(call.db, pipeline.id);
    const latest = await executionsById(call.db, Object.values(pipeline.stageExecutions));
    const stageStates: sdk.StageState[] = [];
    for (const stage of declaration.stages) {
      stageStates.push({
        ...stageView(stage, pipeline, { transitions, active, latest }),
        actionStates: await actionStates(call, pipeline, stage),
      });
    }
    return {
      pipelineName: pipeline.name,
      pipelineVersion: pipeline.version,
      stageStates,
      created: new Date(pipeline.createdAt),
      updated: new Date(pipeline.updatedAt),
    };
  },
};

interface Known {
  readonly transitions: readonly StageTransition[];
  readonly active: readonly Execution[];
  readonly latest: ReadonlyMap<string, Execution>;
}

function stageView(
  { name }: DeclaredStage,
  pipeline: Pipeline,
  { transitions, active, latest }: Known,
): sdk.StageState {
  const waiting = active.filter(({ state }) => waitingAt(state)?.name === name);
  const inbound = waiting.map(
    ({ id }): sdk.StageExecution => ({ pipelineExecutionId: id, status: "InProgress", type: "STANDARD" }),
  );
  const last = latest.get(pipeline.stageExecutions[name] ?? "");
  const status = last?.state.stages.find((stage) => stage.name === name)?.status;
  return {
    stageName: name,
    ...(inbound.length > 0 && { inboundExecution: inbound.at(-1), inboundExecutions: inbound }),
    inboundTransitionState: transitionView(transitions.find(({ stage, type }) => stage === name && type === "Inbound")),
    ...(last &&
      status &&
      status !== "NotStarted" && {
        latestExecution: { pipelineExecutionId: last.id, status, type: "STANDARD" },
      }),
  };
}

function transitionView(transition: StageTransition | undefined): sdk.TransitionState {
  if (!transition) return { enabled: true };
  return {
    enabled: transition.enabled,
    lastChangedBy: transition.changedBy,
    lastChangedAt: new Date(transition.changedAt),
    disabledReason: transition.reason,
  };
}

async function actionStates(
  call: Call,
  pipeline: Pipeline,
  { name, actions }: DeclaredStage,
): Promise<sdk.ActionState[]> {
  const states: sdk.ActionState[] = [];
  for (const action of actions) {
    const last = await latestAction(call.db, pipeline.id, name, action.name);
    states.push(actionView(action, last, pipeline.region));
  }
  return states;
}

function actionView(action: DeclaredAction, last: ActionExecution | undefined, region: string): sdk.ActionState {
  const revision = last?.detail.revision;
  return {
    actionName: action.name,
    ...(last && { latestExecution: runView(last) }),
    ...(last &&
      revision && {
        currentRevision: {
          revisionId: revision.id,
          revisionChangeId: revision.id,
          created: new Date(last.updatedAt),
        },
        revisionUrl: revision.url,
      }),
    entityUrl: actionProvider(action.actionTypeId)?.entityUrl?.(action.configuration, region),
  };
}

function runView({ id, status, updatedAt, detail }: ActionExecution): sdk.ActionExecution {
  return {
    actionExecutionId: id,
    status,
    summary: detail.summary,
    lastStatusChange: new Date(updatedAt),
    // Only a pending approval's token is of use.
    token: status === "InProgress" ? detail.token : undefined,
    lastUpdatedBy: detail.updatedBy,
    externalExecutionId: detail.externalId,
    externalExecutionUrl: detail.externalUrl,
    errorDetails: detail.error,
  };
}
