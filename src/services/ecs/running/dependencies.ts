/**
 * In which order a task's containers start. Pure.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
 */
import type { ContainerDefinition, ContainerDependency } from "@aws-sdk/client-ecs";
import type { ContainerState } from "#engines/engine.ts";

/** How long a dependency may take where its container says no `startTimeout`. */
const DEFAULT_START_TIMEOUT_SECONDS = 180;

type States = ReadonlyMap<string, ContainerState>;

function isMet({ containerName, condition }: ContainerDependency, states: States): boolean {
  const state = states.get(containerName ?? "");
  if (!state) return false;
  if (condition === "COMPLETE") return state.status === "exited";
  if (condition === "SUCCESS") return state.status === "exited" && state.exitCode === 0;
  if (condition === "HEALTHY") return state.health === "healthy";
  return state.status !== "created";
}

const byName = (states: readonly ContainerState[]) => new Map(states.map((state) => [state.name, state]));

/** Containers that have not been started and may be now. */
export function startable(containers: readonly ContainerDefinition[], states: readonly ContainerState[]): string[] {
  const known = byName(states);
  return containers
    .filter(({ name }) => known.get(name ?? "")?.status === "created")
    .filter(({ dependsOn }) => (dependsOn ?? []).every((dependency) => isMet(dependency, known)))
    .map(({ name }) => name ?? "");
}

/** Why a container will never start, in the ECS agent's words; undefined while all still may. */
export function deadDependency(
  containers: readonly ContainerDefinition[],
  states: readonly ContainerState[],
  now: Date,
): string | undefined {
  const known = byName(states);
  for (const { name, dependsOn = [] } of containers) {
    if (known.get(name ?? "")?.status !== "created") continue;
    for (const dependency of dependsOn.filter((one) => !isMet(one, known))) {
      const state = known.get(dependency.containerName ?? "");
      const subject = `dependency graph: failed to resolve the container ordering dependency [${dependency.containerName}] for target [${name}]`;
      if (state?.status === "exited") return `${subject} as dependency did not exit successfully.`;
      const of = containers.find((one) => one.name === dependency.containerName);
      const timeout = (of?.startTimeout ?? DEFAULT_START_TIMEOUT_SECONDS) * 1000;
      if (state?.startedAt && now.getTime() - state.startedAt.getTime() > timeout) {
        return `${subject} as dependency did not meet its condition ${dependency.condition} within ${timeout / 1000} seconds.`;
      }
    }
  }
  return undefined;
}

/** A cycle in the dependencies, by names; undefined where there is none. */
export function dependencyCycle(containers: readonly ContainerDefinition[]): readonly string[] | undefined {
  const finished = new Set<string>();
  const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return [...path, name];
    if (finished.has(name)) return undefined;
    const dependencies = containers.find((one) => one.name === name)?.dependsOn ?? [];
    for (const { containerName = "" } of dependencies) {
      const cycle = visit(containerName, [...path, name]);
      if (cycle) return cycle;
    }
    finished.add(name);
    return undefined;
  };
  for (const { name = "" } of containers) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}
