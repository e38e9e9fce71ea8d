/** Moves a pipeline's executions on: the one place that writes what states.ts decides. */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import {
  abandonAction,
  activeExecutions,
  executionIdOfToken,
  findExecution,
  insertAction,
  insertExecution,
  updateExecutionState,
} from "./execution-store.ts";
import {
  type Declaration,
  type Execution,
  initialState,
  type Pipeline,
  type StageTransition,
  type Trigger,
} from "./model.ts";
import { type Event, type ExecutionState, transition } from "./states.ts";
import { findPipelineById, lockPipeline, transitionsOf, updateStageExecutions } from "./store.ts";

export const ACTION_WORK = "codepipeline:action";

/**
 * Applies the event to the pipeline's executions, in the caller's transaction. `work.wake()` is for after it. Nothing
 * happens where the pipeline is gone. Throws ImpossibleEventError.
 */
export async function progress(
  system: System,
  trx: Database,
  pipelineId: string,
  event: Event,
  stopReason?: string,
): Promise<void> {
  if ((await lockPipeline(trx, pipelineId, 0)) === undefined) return;
  const pipeline = (await findPipelineById(trx, pipelineId))!;
  const executions = await activeExecutions(trx, pipelineId);
  if (event.type === "retry") {
    const retried = await findExecution(trx, pipelineId, event.execution);
    if (retried) executions.push(retried);
  }
  const newest = executions.at(-1);
  if (!newest) return;
  const before = new Map(executions.map((execution) => [execution.id, execution]));
  const outcome = transition(
    {
      mode: newest.mode,
      closed: closedStages(newest.state, await transitionsOf(trx, pipelineId)),
      executions: executions.map(({ state }) => state),
    },
    event,
  );
  const now = system.clock.now().getTime();
  for (const state of outcome.executions) {
    if (state === before.get(state.id)!.state) continue;
    const reason = event.type === "stop" && event.execution === state.id ? stopReason : undefined;
    await updateExecutionState(trx, state, now, reason);
  }
  for (const address of outcome.abandoned) await abandonAction(trx, address, now);
  await startActions(system, trx, pipeline, before, outcome.started, now);
}

async function startActions(
  system: System,
  trx: Database,
  pipeline: Pipeline,
  executions: ReadonlyMap<string, Execution>,
  started: ReturnType<typeof transition>["started"],
  now: number,
): Promise<void> {
  if (started.length === 0) return;
  const first = (await lockPipeline(trx, pipeline.id, started.length))!;
  const stageExecutions = { ...pipeline.stageExecutions };
  for (const [index, { execution, stage, action }] of started.entries()) {
    const id = randomUUID();
    stageExecutions[stage] = execution;
    await insertAction(trx, {
      id,
      pipelineId: pipeline.id,
      executionId: execution,
      sequence: first + index,
      version: executions.get(execution)!.version,
      stage,
      action,
      status: "InProgress",
      startedAt: now,
      updatedAt: now,
      detail: {},
      progress: undefined,
    });
    await system.work.schedule(trx, ACTION_WORK, id);
  }
  await updateStageExecutions(trx, pipeline.id, stageExecutions);
}

/** A stage is closed by its own inbound transition or by the outbound one of the stage before. */
function closedStages(state: ExecutionState, transitions: readonly StageTransition[]): string[] {
  const disabled = (stage: string | undefined, type: sdk.StageTransitionType) =>
    transitions.some((candidate) => candidate.stage === stage && candidate.type === type && !candidate.enabled);
  return state.stages
    .filter(({ name }, index) => disabled(name, "Inbound") || disabled(state.stages[index - 1]?.name, "Outbound"))
    .map(({ name }) => name);
}

export interface Start {
  readonly trigger: Trigger;
  readonly variables?: Readonly<Record<string, string>>;
  readonly sourceRevisions?: readonly sdk.SourceRevisionOverride[];
  readonly clientToken?: string | undefined;
}

/**
 * Starts an execution of the pipeline's current structure, in the caller's transaction, and returns its id. The same
 * client token starts one execution only.
 */
export async function startExecution(
  system: System,
  trx: Database,
  pipeline: Pipeline,
  declaration: Declaration,
  start: Start,
): Promise<string> {
  const sequence = await lockPipeline(trx, pipeline.id, 1);
  if (sequence === undefined) throw new Error(`The pipeline ${pipeline.name} was deleted while it was started`);
  const known = start.clientToken && (await executionIdOfToken(trx, pipeline.id, start.clientToken));
  if (known) return known;
  const id = randomUUID();
  const now = system.clock.now().getTime();
  const execution: Execution = {
    id,
    pipelineId: pipeline.id,
    sequence,
    version: pipeline.version,
    status: "InProgress",
    statusSummary: undefined,
    mode: declaration.executionMode,
    trigger: start.trigger,
    variables: start.variables ?? defaultVariables(declaration),
    sourceRevisions: start.sourceRevisions ?? [],
    stopReason: undefined,
    state: initialState(id, sequence, declaration),
    startedAt: now,
    updatedAt: now,
  };
  await insertExecution(trx, execution, start.clientToken);
  await progress(system, trx, pipeline.id, { type: "changed" });
  return id;
}

export function defaultVariables(declaration: Declaration): Record<string, string> {
  return Object.fromEntries(
    (declaration.variables ?? []).flatMap(({ name, defaultValue }) =>
      defaultValue === undefined ? [] : [[name!, defaultValue]],
    ),
  );
}
