/**
 * How groups are written down on a daemon. Names are unique and derived, so that a repeated `create` meets its own
 * containers; labels say whose they are, so that two Slipways on one daemon do not see each other's groups.
 */
import type { GroupSpec } from "#engines/engine.ts";

export const labelNames = {
  instance: "slipway.instance",
  group: "slipway.group",
  /** The container's name in its group; absent on the container that owns a shared network namespace. */
  container: "slipway.container",
  /** The container's place in the specification, from 0. */
  position: "slipway.position",
} as const;

const callerPrefix = "slipway.label.";

export type Labels = Readonly<Record<string, string>>;

export function groupLabels(instance: string, group: GroupSpec): Labels {
  const own = Object.entries(group.labels).map(([key, value]) => [callerPrefix + key, value] as const);
  return { [labelNames.instance]: instance, [labelNames.group]: group.id, ...Object.fromEntries(own) };
}

/** The caller's labels among a container's, without the engine's prefix. */
export function callerLabels(labels: Labels): Labels {
  const own = Object.entries(labels).filter(([key]) => key.startsWith(callerPrefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(callerPrefix.length), value]));
}

/** The Engine API's `label` filter for everything of this instance that carries the caller's labels. */
export function labelFilter(instance: string, labels: Labels): string[] {
  const own = Object.entries(labels).map(([key, value]) => `${callerPrefix}${key}=${value}`);
  return [`${labelNames.instance}=${instance}`, ...own];
}

/** The same for everything of one group. */
export function groupFilter(instance: string, groupId: string): string[] {
  return [...labelFilter(instance, {}), `${labelNames.group}=${groupId}`];
}

/** Dots separate, because neither an instance, a group nor a container name holds one. */
export function containerName(instance: string, groupId: string, container: string): string {
  return `slipway.${instance}.${groupId}.${container}`;
}

/** The container that owns the network namespace of a group of several. */
export function namespaceOwnerName(instance: string, groupId: string): string {
  return `slipway.${instance}.${groupId}`;
}

export function volumeName(instance: string, groupId: string, volume: string): string {
  return `slipway.${instance}.${groupId}.${volume}`;
}

/** Throws where a specification cannot be written down under these names. */
export function assertValidGroup(group: GroupSpec): void {
  if (!/^[a-z0-9-]{1,63}$/.test(group.id)) throw new Error(`Group id ${group.id} is not of the form [a-z0-9-]{1,63}`);
  if (group.containers.length === 0) throw new Error(`Group ${group.id} has no containers`);
  const names = group.containers.map((container) => container.name);
  const invalid = names.find((name) => !/^[A-Za-z0-9_-]+$/.test(name));
  if (invalid !== undefined) throw new Error(`Container name ${invalid} is not of the form [A-Za-z0-9_-]+`);
  if (new Set(names).size !== names.length) throw new Error(`Group ${group.id} names a container twice`);
  const volumes = new Set(group.volumes);
  for (const { name, mounts = [] } of group.containers) {
    const unknown = mounts.find((mount) => !volumes.has(mount.volume));
    if (unknown !== undefined) throw new Error(`Container ${name} mounts ${unknown.volume}, no volume of ${group.id}`);
  }
}
