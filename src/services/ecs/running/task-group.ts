/**
 * A task as the engine's group. Pure.
 *
 * Fargate limits the task as a whole and shares that among its containers; the engine limits containers. Each container
 * may use the task's whole CPU, as on Fargate while the others are idle, and the task's memory unless it names its own
 * limit. So a task of several containers may use more together than its size; one of a single container may not.
 */
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import type { ContainerSpec, EngineImage, GroupSpec, HealthCheckSpec } from "#engines/engine.ts";
import { CA_BUNDLE_PATH } from "#gateway/container-environment.ts";
import { groupIdOf, type Task, type TaskDefinition, taskArn } from "../model.ts";
import { containersOf } from "./task-parts.ts";

const CPU_UNITS = 1024;
/** Holds the certificate bundle where the container's own files may not be written. */
const CA_VOLUME = "slipway-ca";
export const CA_FOLDER = CA_BUNDLE_PATH.slice(0, CA_BUNDLE_PATH.lastIndexOf("/"));

export function taskGroup(
  task: Task,
  definition: TaskDefinition,
  images: ReadonlyMap<string, EngineImage>,
  environment: Readonly<Record<string, string>>,
): GroupSpec {
  const containers = containersOf(definition, task);
  const readOnly = containers.some(({ readonlyRootFilesystem }) => readonlyRootFilesystem);
  const volumes = (definition.document.volumes ?? []).map(({ name = "" }) => name);
  return {
    id: groupIdOf(task.id),
    labels: {
      service: "ecs",
      account: task.accountId,
      region: task.region,
      resource: taskArn(task, task.cluster, task.id),
    },
    containers: containers.map((one) => containerSpec(one, containers, task, images.get(one.name ?? "")!, environment)),
    volumes: readOnly ? [...volumes, CA_VOLUME] : volumes,
  };
}

function containerSpec(
  container: ContainerDefinition,
  all: readonly ContainerDefinition[],
  task: Task,
  image: EngineImage,
  environment: Readonly<Record<string, string>>,
): ContainerSpec {
  // BusyBox's wget heeds this variable and no `no_proxy`, and health checks like `wget -q http://localhost/` are common.
  // AWS's names are reached over HTTPS, so tasks lose nothing that they need.
  const { http_proxy: _, ...reachable } = environment;
  const own = (container.environment ?? []).map(({ name = "", value = "" }) => [name, value] as const);
  const { entryPoint, command, healthCheck } = container;
  return {
    name: container.name ?? "",
    image: image.id,
    environment: { ...reachable, ...fargateEnvironment(task), ...Object.fromEntries(own) },
    ...(entryPoint?.length && { entrypoint: entryPoint }),
    ...(command?.length && { command }),
    ...(container.workingDirectory && { workingDirectory: container.workingDirectory }),
    ...(container.user && { user: container.user }),
    cpus: Number(task.document.cpu) / CPU_UNITS,
    memoryMiB: container.memory ?? Number(task.document.memory),
    readonlyRootFilesystem: container.readonlyRootFilesystem ?? false,
    mounts: mounts(container, all),
    ...(healthCheck && { healthCheck: healthCheckSpec(healthCheck) }),
    ...(container.stopTimeout !== undefined && { stopTimeoutSeconds: container.stopTimeout }),
    ulimits: (container.ulimits ?? []).map(({ name = "nofile", softLimit = 0, hardLimit = 0 }) => ({
      name,
      soft: softLimit,
      hard: hardLimit,
    })),
  };
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
function fargateEnvironment(task: Task): Record<string, string> {
  return { AWS_EXECUTION_ENV: "AWS_ECS_FARGATE", AWS_REGION: task.region, AWS_DEFAULT_REGION: task.region };
}

function mounts(
  container: ContainerDefinition,
  all: readonly ContainerDefinition[],
): NonNullable<ContainerSpec["mounts"]> {
  const own = (container.mountPoints ?? []).map(({ sourceVolume = "", containerPath = "", readOnly = false }) => ({
    volume: sourceVolume,
    path: containerPath,
    readOnly,
  }));
  const shared = (container.volumesFrom ?? []).flatMap(({ sourceContainer, readOnly = false }) => {
    const source = all.find(({ name }) => name === sourceContainer);
    return (source ? mounts(source, all) : []).map((mount) => ({
      ...mount,
      readOnly: readOnly || mount.readOnly === true,
    }));
  });
  const certificates = container.readonlyRootFilesystem ? [{ volume: CA_VOLUME, path: CA_FOLDER }] : [];
  return [...own, ...shared.filter(({ volume }) => volume !== CA_VOLUME), ...certificates];
}

/** Defaults: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html */
function healthCheckSpec(check: NonNullable<ContainerDefinition["healthCheck"]>): HealthCheckSpec {
  return {
    command: check.command ?? [],
    intervalSeconds: check.interval ?? 30,
    timeoutSeconds: check.timeout ?? 5,
    retries: check.retries ?? 3,
    startPeriodSeconds: check.startPeriod ?? 0,
  };
}
