/** From what a request names to what there is, or ECS's error that there is none; and the ARNs that policies speak of. */
import type { Call } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";
import type { ResourceTags } from "#gateway/service.ts";
import {
  clusterNotFound,
  serviceNotFound,
  taskDefinitionInactive,
  taskDefinitionNotFound,
  taskNotFound,
} from "./errors.ts";
import {
  type Cluster,
  clusterArn,
  clusterNameIn,
  containerInstanceArn,
  DEFAULT_CLUSTER,
  nameIn,
  type Service,
  serviceArn,
  type Task,
  type TaskDefinition,
  taskArn,
} from "./model.ts";
import { findCluster } from "./store/clusters.ts";
import { findService } from "./store/services.ts";
import { tagsOf } from "./store/tags.ts";
import { findTaskDefinition } from "./store/task-definitions.ts";
import { findTaskById } from "./store/tasks.ts";
import { parsedTaskDefinition } from "./task-definition-reference.ts";

/** Throws ClusterNotFoundException for INACTIVE clusters too. */
export async function requireCluster(call: Call, reference: string | undefined): Promise<Cluster> {
  const name = clusterNameIn(call, reference);
  const cluster = name === undefined ? undefined : await findCluster(call.db, call, name);
  if (cluster?.status !== "ACTIVE") throw clusterNotFound();
  return cluster;
}

/** INACTIVE ones too; throws ServiceNotFoundException. */
export async function requireService(call: Call, cluster: Cluster, reference: string): Promise<Service> {
  const name = nameIn(call, "service", reference);
  const service = name === undefined ? undefined : await findService(call.db, call, cluster.name, name);
  if (!service) throw serviceNotFound();
  return service;
}

/** undefined where the cluster has no such task. */
export async function findTask(call: Call, cluster: Cluster, reference: string): Promise<Task | undefined> {
  const id = nameIn(call, "task", reference);
  const task = id === undefined ? undefined : await findTaskById(call.db, id);
  const isOurs = task?.accountId === call.accountId && task.region === call.region && task.cluster === cluster.name;
  return isOurs ? task : undefined;
}

export async function requireTask(call: Call, cluster: Cluster, reference: string): Promise<Task> {
  const task = await findTask(call, cluster, reference);
  if (!task) throw taskNotFound();
  return task;
}

/** One that tasks can be run from. */
export async function requireTaskDefinition(call: Call, reference: string): Promise<TaskDefinition> {
  const parsed = parsedTaskDefinition(call, reference);
  const definition = parsed && (await findTaskDefinition(call.db, call, parsed.family, parsed.revision));
  if (!definition) throw taskDefinitionNotFound();
  if (definition.status !== "ACTIVE") throw taskDefinitionInactive();
  return definition;
}

/** `aws:ResourceTag/…` and `ecs:ResourceTag/…` of clusters, services, tasks and task definitions. */
export async function resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined> {
  const tags = (await tagsOf(call.db, [arn])).get(arn);
  return tags && Object.fromEntries(tags.map(({ key = "", value = "" }) => [key, value]));
}

const shortName = (reference: string) => reference.slice(reference.lastIndexOf("/") + 1);

export const clusterResource = (call: Call, reference: string | undefined) =>
  reference?.startsWith("arn:") ? reference : clusterArn(call, reference || DEFAULT_CLUSTER);

const clusterOf = (reference: string | undefined) => shortName(reference || DEFAULT_CLUSTER);

export const serviceResource = (call: Call, cluster: string | undefined, reference = "") =>
  reference.startsWith("arn:") ? reference : serviceArn(call, clusterOf(cluster), reference);

export const taskResource = (call: Call, cluster: string | undefined, reference = "") =>
  reference.startsWith("arn:") ? reference : taskArn(call, clusterOf(cluster), reference);

export const containerInstanceResource = (call: Call, cluster: string | undefined, reference = "*") =>
  reference.startsWith("arn:") ? reference : containerInstanceArn(call, clusterOf(cluster), reference);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html */
export function clusterContext(input: { readonly cluster?: string | undefined }, call: Call): ContextKeys {
  return { "ecs:cluster": clusterResource(call, input.cluster) };
}
