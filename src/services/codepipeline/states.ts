/**
 * How a pipeline's executions move through its stages. Pure: the state of all executions that are under way and one event
 * in, the new state and what has to be done out.
 *
 *   execution   InProgress ─┬─ every stage Succeeded ────────────────▶ Succeeded
 *                           ├─ an action failed, the others ended ───▶ Failed ──(retry)──▶ InProgress
 *                           ├─ overtaken while waiting (SUPERSEDED) ─▶ Superseded
 *                           └─ stop ─▶ Stopping ─ actions ended ─────▶ Stopped ──(retry)─▶ InProgress
 *                                  └─ abandon ──────────────────────▶ Stopped
 *   stage       NotStarted ─▶ InProgress ─▶ Succeeded | Failed | Stopping ─▶ Stopped
 *   action      NotStarted ─▶ InProgress ─▶ Succeeded | Failed | Abandoned
 *
 * Between two stages an execution waits until the next one is free and its inbound transition is enabled. In SUPERSEDED
 * mode a newer execution that comes to the same place takes it over; in QUEUED mode they go in one by one, oldest first;
 * in PARALLEL mode nobody waits.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
 */

export type ExecutionStatus = "InProgress" | "Stopping" | "Stopped" | "Succeeded" | "Superseded" | "Failed";
export type StageStatus = "NotStarted" | "InProgress" | "Stopping" | "Stopped" | "Succeeded" | "Failed";
export type ActionStatus = "NotStarted" | "InProgress" | "Succeeded" | "Failed" | "Abandoned";

export interface ActionState {
  readonly name: string;
  /** Equal ones run at the same time, higher ones after lower ones. */
  readonly runOrder: number;
  readonly status: ActionStatus;
}

export interface StageState {
  readonly name: string;
  readonly status: StageStatus;
  readonly actions: readonly ActionState[];
}

export interface ExecutionState {
  readonly id: string;
  /** Higher in later executions. */
  readonly sequence: number;
  readonly status: ExecutionStatus;
  readonly stages: readonly StageState[];
}

export interface PipelineState {
  readonly mode: "SUPERSEDED" | "QUEUED" | "PARALLEL";
  /** The stages that nothing may enter. */
  readonly closed: readonly string[];
  /** Those that are InProgress or Stopping, and the one that the event is about. */
  readonly executions: readonly ExecutionState[];
}

export type Event =
  /** An execution was added or a transition enabled: look who can go on. */
  | { readonly type: "changed" }
  | {
      readonly type: "action-ended";
      readonly execution: string;
      readonly stage: string;
      readonly action: string;
      readonly outcome: "Succeeded" | "Failed";
    }
  | { readonly type: "stop"; readonly execution: string; readonly abandon: boolean }
  | { readonly type: "retry"; readonly execution: string; readonly stage: string; readonly failedActionsOnly: boolean };

export interface ActionAddress {
  readonly execution: string;
  readonly stage: string;
  readonly action: string;
}

export interface Outcome {
  readonly executions: readonly ExecutionState[];
  /** Actions to start, in this order. */
  readonly started: readonly ActionAddress[];
  /** Actions whose end nobody waits for any more. */
  readonly abandoned: readonly ActionAddress[];
}

/** The event does not fit the state: a fault of the caller. */
export class ImpossibleEventError extends Error {
  override readonly name = "ImpossibleEventError";
}

export function transition(pipeline: PipelineState, event: Event): Outcome {
  const after = event.type === "changed" ? pipeline.executions : appliedTo(pipeline, event);
  const advanced = settled({ ...pipeline, executions: after });
  const before = actionStatuses(pipeline.executions);
  const changes = [...actionStatuses(advanced).values()].filter(
    ({ address, status }) => before.get(keyOf(address))?.status !== status,
  );
  return {
    executions: advanced,
    started: changes.filter(({ status }) => status === "InProgress").map(({ address }) => address),
    abandoned: changes.filter(({ status }) => status === "Abandoned").map(({ address }) => address),
  };
}

/** Where an execution waits: the first stage that it has not begun. undefined while it is inside one, or has ended. */
export function waitingAt(execution: ExecutionState): StageState | undefined {
  if (execution.status !== "InProgress") return undefined;
  const next = execution.stages.find(({ status }) => status !== "Succeeded");
  return next?.status === "NotStarted" ? next : undefined;
}

const INSIDE: readonly StageStatus[] = ["InProgress", "Stopping"];

/** The stage that an execution is in. */
export function currentStage(execution: ExecutionState): StageState | undefined {
  return execution.stages.find(({ status }) => INSIDE.includes(status));
}

function appliedTo(pipeline: PipelineState, event: Exclude<Event, { type: "changed" }>): ExecutionState[] {
  const target = pipeline.executions.find(({ id }) => id === event.execution);
  if (!target) throw new ImpossibleEventError(`There is no execution ${event.execution} for ${event.type}`);
  const changed = applied(target, event);
  return pipeline.executions.map((execution) => (execution === target ? changed : execution));
}

function applied(execution: ExecutionState, event: Exclude<Event, { type: "changed" }>): ExecutionState {
  switch (event.type) {
    case "action-ended": {
      const state = stageOf(execution, event.stage).actions.find(({ name }) => name === event.action);
      if (state?.status !== "InProgress") {
        throw new ImpossibleEventError(`${event.stage}/${event.action} ended but is ${state?.status ?? "unknown"}`);
      }
      return withStage(execution, event.stage, (stage) => ({
        ...stage,
        actions: stage.actions.map((action) => (action === state ? { ...action, status: event.outcome } : action)),
      }));
    }
    case "stop":
      return stopped(execution, event.abandon);
    case "retry":
      return retried(execution, event.stage, event.failedActionsOnly);
  }
}

function stopped(execution: ExecutionState, abandon: boolean): ExecutionState {
  const stoppable = execution.status === "InProgress" || (abandon && execution.status === "Stopping");
  if (!stoppable) throw new ImpossibleEventError(`A ${execution.status} execution cannot be stopped`);
  const stage = currentStage(execution);
  const stopping: ExecutionState = { ...execution, status: "Stopping" };
  if (!stage) return stopping;
  return withStage(stopping, stage.name, ({ name, actions }) => ({
    name,
    status: "Stopping",
    actions: abandon
      ? actions.map((action) => (action.status === "InProgress" ? { ...action, status: "Abandoned" } : action))
      : actions,
  }));
}

const RETRYABLE: readonly StageStatus[] = ["Failed", "Stopped"];
const UNSUCCESSFUL: readonly ActionStatus[] = ["Failed", "Abandoned"];

function retried(execution: ExecutionState, stageName: string, failedActionsOnly: boolean): ExecutionState {
  const stage = stageOf(execution, stageName);
  if (!RETRYABLE.includes(stage.status)) throw new ImpossibleEventError(`A ${stage.status} stage cannot be retried`);
  return withStage({ ...execution, status: "InProgress" }, stageName, ({ name, actions }) => ({
    name,
    status: "InProgress",
    actions: actions.map((action) =>
      failedActionsOnly && !UNSUCCESSFUL.includes(action.status) ? action : { ...action, status: "NotStarted" },
    ),
  }));
}

/** Goes on with every execution until nothing changes any more. */
function settled(pipeline: PipelineState): readonly ExecutionState[] {
  let executions = pipeline.executions;
  for (;;) {
    const moved = executions.map(advanced);
    const next = entered({ ...pipeline, executions: moved });
    if (next.every((execution, index) => execution === executions[index])) return executions;
    executions = next;
  }
}

/** What an execution does by itself: start the next actions, end its stage, end. */
function advanced(execution: ExecutionState): ExecutionState {
  if (execution.status !== "InProgress" && execution.status !== "Stopping") return execution;
  const stage = currentStage(execution);
  if (!stage) {
    if (execution.status === "Stopping") return { ...execution, status: "Stopped" };
    return execution.stages.every(({ status }) => status === "Succeeded")
      ? { ...execution, status: "Succeeded" }
      : execution;
  }
  if (stage.actions.some(({ status }) => status === "InProgress")) return execution;
  const ended = (status: StageStatus) => withStage(execution, stage.name, (state) => ({ ...state, status }));
  if (stage.status === "Stopping") return { ...ended("Stopped"), status: "Stopped" };
  if (stage.actions.some(({ status }) => status === "Failed")) return { ...ended("Failed"), status: "Failed" };
  const waiting = stage.actions.filter(({ status }) => status === "NotStarted");
  if (waiting.length === 0) return ended("Succeeded");
  const turn = Math.min(...waiting.map(({ runOrder }) => runOrder));
  return withStage(execution, stage.name, (state) => ({
    ...state,
    actions: state.actions.map((action) =>
      action.status === "NotStarted" && action.runOrder === turn ? { ...action, status: "InProgress" } : action,
    ),
  }));
}

/** Lets executions that wait before a stage go in, and ends those that were overtaken. */
function entered({ mode, closed, executions }: PipelineState): readonly ExecutionState[] {
  const occupied = new Set(executions.map((execution) => currentStage(execution)?.name));
  const waiting = executions
    .filter((execution) => waitingAt(execution))
    .toSorted((one, other) => one.sequence - other.sequence);
  const changes = new Map<string, ExecutionState>();
  for (const name of new Set(waiting.map((execution) => waitingAt(execution)!.name))) {
    const here = waiting.filter((execution) => waitingAt(execution)!.name === name);
    if (mode === "SUPERSEDED") {
      for (const overtaken of here.slice(0, -1)) changes.set(overtaken.id, { ...overtaken, status: "Superseded" });
    }
    if (mode !== "PARALLEL" && (occupied.has(name) || closed.includes(name))) continue;
    const admitted = mode === "PARALLEL" ? here : mode === "QUEUED" ? here.slice(0, 1) : here.slice(-1);
    for (const execution of admitted) {
      changes.set(
        execution.id,
        withStage(execution, name, (stage) => ({ ...stage, status: "InProgress" })),
      );
    }
  }
  return executions.map((execution) => changes.get(execution.id) ?? execution);
}

function stageOf(execution: ExecutionState, name: string): StageState {
  const stage = execution.stages.find((candidate) => candidate.name === name);
  if (!stage) throw new ImpossibleEventError(`The execution has no stage ${name}`);
  return stage;
}

function withStage(execution: ExecutionState, name: string, change: (stage: StageState) => StageState): ExecutionState {
  return { ...execution, stages: execution.stages.map((stage) => (stage.name === name ? change(stage) : stage)) };
}

function keyOf({ execution, stage, action }: ActionAddress): string {
  return JSON.stringify([execution, stage, action]);
}

function actionStatuses(executions: readonly ExecutionState[]) {
  const statuses = new Map<string, { address: ActionAddress; status: ActionStatus }>();
  for (const { id, stages } of executions) {
    for (const stage of stages) {
      for (const action of stage.actions) {
        const address = { execution: id, stage: stage.name, action: action.name };
        statuses.set(keyOf(address), { address, status: action.status });
      }
    }
  }
  return statuses;
}
