/** What an inspected container says, in the engine's terms. */
import type { ContainerInspectInfo } from "#docker/types.ts";
import type { ContainerState, GroupState } from "#engines/engine.ts";
import { callerLabels, labelNames } from "./names.ts";

const healthStates = ["starting", "healthy", "unhealthy"] as const;

export function containerState({ State: state, Config: config }: ContainerInspectInfo): ContainerState {
  const status = statusOf(state);
  return {
    name: config.Labels[labelNames.container] ?? "",
    status,
    exitCode: status === "exited" ? state.ExitCode : null,
    outOfMemory: state.OOMKilled,
    health: healthStates.find((health) => health === state.Health?.Status) ?? "none",
    startedAt: toDate(state.StartedAt),
    finishedAt: toDate(state.FinishedAt),
    error: state.Error === "" ? undefined : state.Error,
  };
}

/** Of one group's containers, in any order and without the owner of the namespace; undefined of none. */
export function groupState(id: string, containers: readonly ContainerInspectInfo[]): GroupState | undefined {
  const [first, ...others] = containers.toSorted((one, other) => position(one) - position(other));
  if (first === undefined) return undefined;
  return { id, labels: callerLabels(first.Config.Labels), containers: [first, ...others].map(containerState) };
}

/** Whether nothing more can happen in the group. */
export function isOver(group: GroupState): boolean {
  return group.containers.every((container) => container.status === "exited");
}

function position(container: ContainerInspectInfo): number {
  return Number(container.Config.Labels[labelNames.position] ?? 0);
}

/** Docker leaves a container whose program could not be started in "created", with the error beside it. */
function statusOf(state: ContainerInspectInfo["State"]): ContainerState["status"] {
  if (state.Status === "created") return state.Error === "" ? "created" : "exited";
  return state.Running ? "running" : "exited";
}

/** Docker's zero time is the year 1. */
function toDate(timestamp: string): Date | null {
  return timestamp.startsWith("0001-") ? null : new Date(timestamp);
}
