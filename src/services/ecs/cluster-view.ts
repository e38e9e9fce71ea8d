/** A cluster as DescribeClusters shows it; `include` as there. */
import type * as sdk from "@aws-sdk/client-ecs";
import type { Call } from "#gateway/context.ts";
import { type Cluster, clusterArn } from "./model.ts";
import { listServices } from "./store/services.ts";
import { tagsOf } from "./store/tags.ts";
import { listTasks, taskCounts } from "./store/tasks.ts";

export async function clusterView(call: Call, cluster: Cluster, include: readonly string[]): Promise<sdk.Cluster> {
  const { accountId, region, name } = cluster;
  const arn = clusterArn({ accountId, region }, name);
  const services = await listServices(call.db, call, name);
  const counts = taskCounts(await listTasks(call.db, call, name));
  const active = services.filter(({ status }) => status === "ACTIVE").length;
  return {
    clusterArn: arn,
    clusterName: name,
    status: cluster.status,
    registeredContainerInstancesCount: 0,
    runningTasksCount: counts.running,
    pendingTasksCount: counts.pending,
    activeServicesCount: active,
    statistics: include.includes("STATISTICS") ? statistics(counts, active, services.length - active) : [],
    tags: include.includes("TAGS") ? ((await tagsOf(call.db, [arn])).get(arn) ?? []) : [],
    settings: include.includes("SETTINGS") ? [...cluster.settings] : [],
    ...(include.includes("CONFIGURATIONS") && cluster.configuration && { configuration: cluster.configuration }),
    capacityProviders: [...cluster.capacityProviders],
    defaultCapacityProviderStrategy: [...cluster.defaultCapacityProviderStrategy],
  };
}

/** Every task is Fargate's. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Cluster.html */
function statistics({ running, pending }: { running: number; pending: number }, active: number, draining: number) {
  const counts = {
    runningEC2TasksCount: 0,
    runningFargateTasksCount: running,
    pendingEC2TasksCount: 0,
    pendingFargateTasksCount: pending,
    activeEC2ServiceCount: 0,
    activeFargateServiceCount: active,
    drainingEC2ServiceCount: 0,
    drainingFargateServiceCount: draining,
  };
  return Object.entries(counts).map(([name, value]) => ({ name, value: String(value) }));
}
