/** A container's specification in the Engine API's words (https://docs.docker.com/engine/api/v1.41/#operation/ContainerCreate). */
import type { ContainerCreateOptions, HealthConfig, HostConfig } from "#docker/types.ts";
import type { ContainerSpec, GroupSpec, HealthCheckSpec } from "#engines/engine.ts";
import { containerName, groupLabels, labelNames, namespaceOwnerName, volumeName } from "./names.ts";
import { networkName } from "./network.ts";

/** What of the daemon's host the options depend on. */
export interface HostTraits {
  readonly instance: string;
  readonly cpus: number;
  /** From Privileges; undefined where no container of the group asks for them. */
  readonly privileges: HostConfig | undefined;
}

const defaultStopTimeoutSeconds = 30;
const bytesPerMiB = 1024 * 1024;
const nanosecondsPerSecond = 1e9;

/**
 * The "local" driver keeps a line's bytes as they are; "json-file" puts U+FFFD where its 16 KiB records cut a character.
 * Log lines are counted from the first, so the file is never rotated and no line is dropped under load, whatever the
 * daemon's own defaults are; docker has no word for "never", so the limit is one that no disk reaches.
 */
const logConfig = {
  Type: "local",
  Config: { mode: "blocking", "max-size": "1000t", "max-file": "1", compress: "false" },
} as const;

export function containerOptions(group: GroupSpec, spec: ContainerSpec, host: HostTraits): ContainerCreateOptions {
  const labels = groupLabels(host.instance, group);
  return {
    name: containerName(host.instance, group.id, spec.name),
    Image: spec.image,
    Entrypoint: spec.entrypoint && [...spec.entrypoint],
    Cmd: spec.command && [...spec.command],
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    WorkingDir: spec.workingDirectory,
    User: spec.user,
    Tty: false,
    AttachStdout: false,
    AttachStderr: false,
    Healthcheck: healthConfig(spec.healthCheck),
    StopTimeout: spec.stopTimeoutSeconds ?? defaultStopTimeoutSeconds,
    Volumes: daemonVolume(spec),
    Labels: {
      ...labels,
      [labelNames.container]: spec.name,
      [labelNames.position]: String(group.containers.indexOf(spec)),
    },
    HostConfig: {
      ...(spec.privileged ? host.privileges : {}),
      ...networkConfig(group, host.instance),
      ...limits(spec, host.cpus),
      Init: false,
      ReadonlyRootfs: spec.readonlyRootFilesystem ?? false,
      LogConfig: logConfig,
      Mounts: (spec.mounts ?? []).map((mount) => ({
        Type: "volume" as const,
        Source: volumeName(host.instance, group.id, mount.volume),
        Target: mount.path,
        ReadOnly: mount.readOnly ?? false,
        // Docker makes the volume with the first container that mounts it, and labels it so.
        VolumeOptions: { NoCopy: false, Labels: { ...labels }, DriverConfig: { Name: "local", Options: {} } },
      })),
    },
  };
}

/** The container that owns the network namespace of a group of several: for createPauseContainer. */
export function namespaceOwnerOptions(group: GroupSpec, instance: string): ContainerCreateOptions {
  return {
    name: namespaceOwnerName(instance, group.id),
    Labels: { ...groupLabels(instance, group) },
    HostConfig: { NetworkMode: networkName, ExtraHosts: extraHosts(group), Init: false, LogConfig: logConfig },
  };
}

export function ownsItsNetwork(group: GroupSpec): boolean {
  return group.containers.length === 1;
}

function networkConfig(group: GroupSpec, instance: string): HostConfig {
  if (ownsItsNetwork(group)) return { NetworkMode: networkName, ExtraHosts: extraHosts(group) };
  return { NetworkMode: `container:${namespaceOwnerName(instance, group.id)}` };
}

function extraHosts(group: GroupSpec): string[] {
  return Object.entries(group.hosts ?? {}).map(([host, address]) => `${host}:${address}`);
}

function limits(spec: ContainerSpec, hostCpus: number): HostConfig {
  const memory = spec.memoryMiB === undefined ? undefined : spec.memoryMiB * bytesPerMiB;
  return {
    // Memory and swap together: the limit is hard, as on Fargate, which has no swap.
    ...(memory === undefined ? {} : { Memory: memory, MemorySwap: memory }),
    // Docker refuses more CPUs than the host has.
    ...(spec.cpus === undefined ? {} : { NanoCpus: Math.round(Math.min(spec.cpus, hostCpus) * 1e9) }),
    Ulimits: (spec.ulimits ?? []).map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
  };
}

/** The image's own HEALTHCHECK does not count: ECS does not look at it, builds have none. */
function healthConfig(check: HealthCheckSpec | undefined): HealthConfig {
  if (check === undefined) return { Test: ["NONE"] };
  return {
    Test: [...check.command],
    Interval: check.intervalSeconds * nanosecondsPerSecond,
    Timeout: check.timeoutSeconds * nanosecondsPerSecond,
    Retries: check.retries,
    StartPeriod: check.startPeriodSeconds * nanosecondsPerSecond,
  };
}

/** An inner daemon's overlay2 cannot lie on the container's own overlay filesystem: it gets an anonymous volume. */
function daemonVolume(spec: ContainerSpec): ContainerCreateOptions["Volumes"] {
  const dataRoot = "/var/lib/docker";
  const mounted = spec.mounts?.some((mount) => mount.path === dataRoot) ?? false;
  return spec.privileged && !mounted ? { [dataRoot]: {} } : {};
}
