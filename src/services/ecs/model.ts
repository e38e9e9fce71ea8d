/** ECS's nouns, their ARNs, and how references (a short name or an ARN) are read. */
import type * as sdk from "@aws-sdk/client-ecs";

export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

const arn = ({ accountId, region }: Scope, resource: string) => `arn:aws:ecs:${region}:${accountId}:${resource}`;

export const clusterArn = (scope: Scope, name: string) => arn(scope, `cluster/${name}`);
export const capacityProviderArn = (scope: Scope, name: string) => arn(scope, `capacity-provider/${name}`);
export const containerInstanceArn = (scope: Scope, cluster: string, id: string) =>
  arn(scope, `container-instance/${cluster}/${id}`);
export const serviceArn = (scope: Scope, cluster: string, name: string) => arn(scope, `service/${cluster}/${name}`);
export const taskArn = (scope: Scope, cluster: string, id: string) => arn(scope, `task/${cluster}/${id}`);
export const taskDefinitionArn = (scope: Scope, family: string, revision: number | string) =>
  arn(scope, `task-definition/${family}:${revision}`);

/** What every call means that names no cluster. */
export const DEFAULT_CLUSTER = "default";

/**
 * The name in a reference: the reference itself, or the last part of an ARN of this kind. undefined where the ARN is of
 * another account, region or kind: to this caller it names nothing.
 */
export function nameIn(scope: Scope, kind: "cluster" | "service" | "task", reference: string): string | undefined {
  if (!reference.startsWith("arn:")) return reference;
  const prefix = arn(scope, `${kind}/`);
  return reference.startsWith(prefix) ? reference.slice(reference.lastIndexOf("/") + 1) : undefined;
}

/** As above for a cluster that may be left out. */
export function clusterNameIn(scope: Scope, reference: string | undefined): string | undefined {
  return nameIn(scope, "cluster", reference || DEFAULT_CLUSTER);
}

export interface Cluster extends Scope {
  readonly name: string;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly settings: readonly sdk.ClusterSetting[];
  readonly configuration?: sdk.ClusterConfiguration | undefined;
  readonly capacityProviders: readonly string[];
  readonly defaultCapacityProviderStrategy: readonly sdk.CapacityProviderStrategyItem[];
}

/** What RegisterTaskDefinition was given, with ECS's defaults filled in. */
export type TaskDefinitionDocument = Omit<
  sdk.TaskDefinition,
  "taskDefinitionArn" | "revision" | "status" | "registeredAt" | "deregisteredAt" | "registeredBy"
>;

export interface TaskDefinition extends Scope {
  readonly family: string;
  readonly revision: number;
  readonly status: "ACTIVE" | "INACTIVE" | "DELETE_IN_PROGRESS";
  readonly registeredAt: number;
  readonly registeredBy: string;
  readonly deregisteredAt?: number | undefined;
  readonly document: TaskDefinitionDocument;
}

/** The capacity that Slipway has: containers on its engine stand for Fargate. */
export const FARGATE_PROVIDERS = ["FARGATE", "FARGATE_SPOT"] as const;
export const PLATFORM_VERSION = "1.4.0";

/** One version of a service being rolled out or served. Times are epoch milliseconds. */
export interface Deployment {
  readonly id: string;
  readonly status: "PRIMARY" | "ACTIVE";
  readonly taskDefinition: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly rolloutState: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  readonly rolloutStateReason: string;
  /** Tasks of this deployment that ended or were ended because they were not well. */
  readonly failedTasks: number;
  /** The circuit breaker's count. */
  readonly failures: number;
  /** Tasks that never ran, since the last that did: what slows launches down. */
  readonly failedLaunches: number;
  readonly nextLaunchAt: number;
  /** When "unable to consistently start tasks" was last said. */
  readonly impairedAt?: number | undefined;
  /** Tasks that have been healthy, as long as they exist. */
  readonly healthyTasks: readonly string[];
}

export interface Service extends Scope {
  readonly id: string;
  readonly cluster: string;
  readonly name: string;
  readonly status: "ACTIVE" | "DRAINING" | "INACTIVE";
  readonly version: number;
  readonly createdAt: number;
  readonly document: ServiceDocument;
}

export interface ServiceDocument {
  readonly createdBy: string;
  /** A digest of CreateService's input: the same again is answered with the service that there is. */
  readonly request: string;
  readonly desiredCount: number;
  readonly taskDefinition: string;
  readonly launchType?: string | undefined;
  readonly capacityProviderStrategy?: readonly sdk.CapacityProviderStrategyItem[] | undefined;
  readonly platformVersion: string;
  readonly loadBalancers: readonly sdk.LoadBalancer[];
  readonly networkConfiguration?: sdk.NetworkConfiguration | undefined;
  readonly deploymentConfiguration: sdk.DeploymentConfiguration;
  readonly healthCheckGracePeriodSeconds: number;
  readonly propagateTags: string;
  readonly enableECSManagedTags: boolean;
  readonly availabilityZoneRebalancing: string;
  /** The PRIMARY first. */
  readonly deployments: readonly Deployment[];
  /** What a circuit breaker rolls back to. */
  readonly lastCompleted?: { readonly deploymentId: string; readonly taskDefinition: string } | undefined;
  /** Whether the last pass found everything as it should be. */
  readonly steady: boolean;
  /** When "unable to place a task" was last said. */
  readonly unplacedAt?: number | undefined;
}

export const TASK_STATUSES = [
  "PROVISIONING",
  "PENDING",
  "ACTIVATING",
  "RUNNING",
  "DEACTIVATING",
  "STOPPING",
  "DEPROVISIONING",
  "STOPPED",
] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

export type StopCode = "TaskFailedToStart" | "EssentialContainerExited" | "UserInitiated" | "ServiceSchedulerInitiated";

export interface Stop {
  readonly code: StopCode;
  readonly reason: string;
}

export interface TaskContainer {
  readonly name: string;
  readonly image: string;
  readonly imageDigest?: string | undefined;
  readonly lastStatus: "PENDING" | "RUNNING" | "STOPPED";
  readonly exitCode?: number | undefined;
  readonly reason?: string | undefined;
  readonly health: "HEALTHY" | "UNHEALTHY" | "UNKNOWN";
}

/** A target of a load balancer that a task stands for. */
export interface TaskTarget {
  readonly targetGroupArn: string;
  readonly id: string;
  readonly port: number;
}

export interface Task extends Scope {
  readonly id: string;
  readonly cluster: string;
  readonly serviceId?: string | undefined;
  readonly family: string;
  readonly launchType: string;
  readonly startedBy?: string | undefined;
  readonly createdAt: number;
  readonly lastStatus: TaskStatus;
  readonly desiredStatus: "RUNNING" | "STOPPED";
  readonly stop?: Stop | undefined;
  readonly accounted: boolean;
  readonly document: TaskDocument;
}

/** Times are epoch milliseconds. */
export interface TaskDocument {
  readonly taskDefinition: string;
  readonly group: string;
  readonly deploymentId?: string | undefined;
  readonly capacityProvider?: string | undefined;
  readonly overrides: sdk.TaskOverride;
  readonly networkConfiguration?: sdk.NetworkConfiguration | undefined;
  readonly loadBalancers: readonly sdk.LoadBalancer[];
  readonly platformVersion: string;
  readonly cpu: string;
  readonly memory: string;
  readonly attachmentId: string;
  readonly networkInterfaceId: string;
  readonly macAddress: string;
  readonly privateIp?: string | undefined;
  readonly containers: readonly TaskContainer[];
  readonly targets: readonly TaskTarget[];
  readonly pullStartedAt?: number | undefined;
  readonly pullStoppedAt?: number | undefined;
  readonly startedAt?: number | undefined;
  readonly stoppingAt?: number | undefined;
  readonly executionStoppedAt?: number | undefined;
  readonly stoppedAt?: number | undefined;
}

/** `ecs-svc/` and 19 digits, as AWS's are. */
export const DEPLOYMENT_PREFIX = "ecs-svc/";

/** The engine's group of a task. */
export const groupIdOf = (taskId: string) => `ecs-${taskId}`;
