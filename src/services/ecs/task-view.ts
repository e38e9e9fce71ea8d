/** A task as DescribeTasks shows it. Pure. */
import type * as sdk from "@aws-sdk/client-ecs";
import { clusterArn, type Task, type TaskContainer, type TaskDefinition, taskArn } from "./model.ts";
import { taskHealth } from "./running/container-views.ts";
import { containersOf } from "./running/task-parts.ts";

export function taskView(task: Task, definition: TaskDefinition, tags: readonly sdk.Tag[] | undefined): sdk.Task {
  const { document, cluster, stop } = task;
  const arn = taskArn(task, cluster, task.id);
  const definitions = containersOf(definition, task);
  const health = taskHealth(definitions, document.containers);
  const date = (time: number | undefined) => (time === undefined ? undefined : new Date(time));
  return {
    taskArn: arn,
    clusterArn: clusterArn(task, cluster),
    taskDefinitionArn: document.taskDefinition,
    group: document.group,
    startedBy: task.startedBy,
    launchType: task.launchType as sdk.LaunchType,
    ...(document.capacityProvider && { capacityProviderName: document.capacityProvider }),
    platformVersion: document.platformVersion,
    platformFamily: "Linux",
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: health === "NONE" ? "UNKNOWN" : health,
    cpu: document.cpu,
    memory: document.memory,
    overrides: { containerOverrides: [], inferenceAcceleratorOverrides: [], ...document.overrides },
    attributes: [{ name: "ecs.cpu-architecture", value: "x86_64" }],
    attachments: [attachment(task)],
    containers: document.containers.map((one) => containerView(one, task, definitions)),
    connectivity: "CONNECTED",
    createdAt: new Date(task.createdAt),
    connectivityAt: new Date(task.createdAt),
    pullStartedAt: date(document.pullStartedAt),
    pullStoppedAt: date(document.pullStoppedAt),
    startedAt: date(document.startedAt),
    stoppingAt: date(document.stoppingAt),
    executionStoppedAt: date(document.executionStoppedAt),
    stoppedAt: date(document.stoppedAt),
    ...(stop && { stopCode: stop.code, stoppedReason: stop.reason }),
    availabilityZone: `${task.region}a`,
    enableExecuteCommand: false,
    ephemeralStorage: { sizeInGiB: 20 },
    version: 1,
    tags: [...(tags ?? [])],
  };
}

/** The engine gives the address; the interface's other details stand for what AWS would have made. */
function attachment(task: Task): sdk.Attachment {
  const { document, lastStatus } = task;
  const vpc = document.networkConfiguration?.awsvpcConfiguration;
  const details = {
    subnetId: vpc?.subnets?.[0],
    networkInterfaceId: document.networkInterfaceId,
    macAddress: document.macAddress,
    privateDnsName:
      document.privateIp && `ip-${document.privateIp.replaceAll(".", "-")}.${task.region}.compute.internal`,
    privateIPv4Address: document.privateIp,
  };
  return {
    id: document.attachmentId,
    type: "ElasticNetworkInterface",
    status: lastStatus === "PROVISIONING" ? "PRECREATED" : lastStatus === "STOPPED" ? "DELETED" : "ATTACHED",
    details: Object.entries(details)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ({ name, value })),
  };
}

function containerView(
  container: TaskContainer,
  task: Task,
  definitions: readonly sdk.ContainerDefinition[],
): sdk.Container {
  const definition = definitions.find(({ name }) => name === container.name);
  const { document, cluster, id } = task;
  return {
    containerArn: `arn:aws:ecs:${task.region}:${task.accountId}:container/${cluster}/${id}/${container.name}`,
    taskArn: taskArn(task, cluster, id),
    name: container.name,
    image: container.image,
    ...(container.imageDigest && { imageDigest: container.imageDigest }),
    runtimeId: `${id}-${container.name}`,
    lastStatus: container.lastStatus,
    ...(container.exitCode !== undefined && { exitCode: container.exitCode }),
    ...(container.reason !== undefined && { reason: container.reason }),
    networkBindings: [],
    networkInterfaces: document.privateIp
      ? [{ attachmentId: document.attachmentId, privateIpv4Address: document.privateIp }]
      : [],
    healthStatus: container.health,
    cpu: String(definition?.cpu ?? 0),
    ...(definition?.memory !== undefined && { memory: String(definition.memory) }),
    ...(definition?.memoryReservation !== undefined && { memoryReservation: String(definition.memoryReservation) }),
  };
}
