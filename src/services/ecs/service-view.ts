/** A service as DescribeServices shows it. Pure. */
import type * as sdk from "@aws-sdk/client-ecs";
import { clusterArn, type Deployment, type Service, serviceArn, type Task } from "./model.ts";
import { serviceLinkedRoleArn } from "./running/load-balancing.ts";
import { taskCounts } from "./store/tasks.ts";

export interface ServiceDetails {
  /** All tasks of the service that are known. */
  readonly tasks: readonly Task[];
  readonly events: readonly { readonly id: string; readonly createdAt: number; readonly message: string }[];
  readonly tags?: readonly sdk.Tag[] | undefined;
}

export function serviceView(service: Service, { tasks, events, tags }: ServiceDetails): sdk.Service {
  const { document } = service;
  const counts = taskCounts(tasks);
  const balanced = document.loadBalancers.length > 0;
  return {
    serviceArn: serviceArn(service, service.cluster, service.name),
    serviceName: service.name,
    clusterArn: clusterArn(service, service.cluster),
    loadBalancers: [...document.loadBalancers],
    serviceRegistries: [],
    status: service.status,
    desiredCount: document.desiredCount,
    runningCount: counts.running,
    pendingCount: counts.pending,
    ...capacity(document),
    platformVersion: document.platformVersion,
    platformFamily: "Linux",
    taskDefinition: document.taskDefinition,
    deploymentConfiguration: document.deploymentConfiguration,
    deployments: document.deployments.map((one) => deploymentView(service, one, tasks)),
    ...(balanced && { roleArn: serviceLinkedRoleArn(service) }),
    events: events.map(({ id, createdAt, message }) => ({ id, createdAt: new Date(createdAt), message })),
    createdAt: new Date(service.createdAt),
    createdBy: document.createdBy,
    placementConstraints: [],
    placementStrategy: [],
    ...(document.networkConfiguration && { networkConfiguration: document.networkConfiguration }),
    healthCheckGracePeriodSeconds: document.healthCheckGracePeriodSeconds,
    schedulingStrategy: "REPLICA",
    deploymentController: { type: "ECS" },
    ...(tags && { tags: [...tags] }),
    enableECSManagedTags: document.enableECSManagedTags,
    propagateTags: document.propagateTags as sdk.PropagateTags,
    enableExecuteCommand: false,
    availabilityZoneRebalancing: document.availabilityZoneRebalancing as sdk.AvailabilityZoneRebalancing,
  };
}

function deploymentView(service: Service, deployment: Deployment, all: readonly Task[]): sdk.Deployment {
  const { document } = service;
  const tasks = all.filter((task) => task.document.deploymentId === deployment.id);
  const counts = taskCounts(tasks);
  const wanted = tasks.filter(({ desiredStatus }) => desiredStatus === "RUNNING").length;
  return {
    id: deployment.id,
    status: deployment.status,
    taskDefinition: deployment.taskDefinition,
    desiredCount: deployment.status === "PRIMARY" ? document.desiredCount : wanted,
    pendingCount: counts.pending,
    runningCount: counts.running,
    failedTasks: deployment.failedTasks,
    createdAt: new Date(deployment.createdAt),
    updatedAt: new Date(deployment.updatedAt),
    ...capacity(document),
    platformVersion: document.platformVersion,
    platformFamily: "Linux",
    ...(document.networkConfiguration && { networkConfiguration: document.networkConfiguration }),
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  };
}

function capacity(document: Service["document"]) {
  if (document.launchType) return { launchType: document.launchType as sdk.LaunchType };
  return { capacityProviderStrategy: [...(document.capacityProviderStrategy ?? [])] };
}
