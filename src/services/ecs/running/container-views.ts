/** Containers as DescribeTasks shows them, from what the engine says. Pure. */
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import type { ContainerState, GroupState } from "#engines/engine.ts";
import type { TaskContainer } from "../model.ts";
import { isEssential } from "./task-parts.ts";

const STATUS = { created: "PENDING", running: "RUNNING", exited: "STOPPED" } as const;
const HEALTH = { none: "UNKNOWN", starting: "UNKNOWN", healthy: "HEALTHY", unhealthy: "UNHEALTHY" } as const;

/** The containers as last recorded, brought up to date; those that the engine has no more are STOPPED. */
export function observedContainers(known: readonly TaskContainer[], group: GroupState | undefined): TaskContainer[] {
  return known.map((container) => {
    const state = group?.containers.find(({ name }) => name === container.name);
    if (state) return observed(container, state);
    if (container.lastStatus === "STOPPED") return container;
    const lost = container.lastStatus === "RUNNING" && { reason: "The container engine has lost the container" };
    return { ...container, lastStatus: "STOPPED", health: "UNKNOWN", ...lost };
  });
}

function observed(container: TaskContainer, state: ContainerState): TaskContainer {
  const reason = stopReason(state) ?? container.reason;
  return {
    ...container,
    lastStatus: STATUS[state.status],
    health: HEALTH[state.health],
    ...(state.exitCode !== null && state.error === undefined && { exitCode: state.exitCode }),
    ...(reason !== undefined && { reason }),
  };
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html */
function stopReason({ outOfMemory, error }: ContainerState): string | undefined {
  if (outOfMemory) return "OutOfMemoryError: Container killed due to memory usage";
  return error === undefined ? undefined : `CannotStartContainerError: ${error}`;
}

/** At the task's end, containers that never ran are STOPPED too. */
export function endedContainers(known: readonly TaskContainer[], group: GroupState | undefined): TaskContainer[] {
  return observedContainers(known, group).map((one) => ({ ...one, lastStatus: "STOPPED", health: "UNKNOWN" }));
}

export function hasEssentialExit(
  definitions: readonly ContainerDefinition[],
  containers: readonly TaskContainer[],
): boolean {
  const essential = new Set(definitions.filter(isEssential).map(({ name }) => name));
  return containers.some(({ name, lastStatus }) => essential.has(name) && lastStatus === "STOPPED");
}

const hasHealthCheck = ({ healthCheck }: ContainerDefinition) =>
  healthCheck?.command !== undefined && healthCheck.command[0] !== "NONE";

/**
 * A task's health is that of its essential containers with health checks; "NONE" where there is no such container.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/healthcheck.html
 */
export function taskHealth(
  definitions: readonly ContainerDefinition[],
  containers: readonly TaskContainer[],
): "NONE" | "UNKNOWN" | "HEALTHY" | "UNHEALTHY" {
  const checked = definitions.filter((one) => isEssential(one) && hasHealthCheck(one)).map(({ name }) => name);
  if (checked.length === 0) return "NONE";
  const health = containers.filter(({ name }) => checked.includes(name)).map((one) => one.health);
  if (health.includes("UNHEALTHY")) return "UNHEALTHY";
  return health.every((one) => one === "HEALTHY") ? "HEALTHY" : "UNKNOWN";
}
