/** Clusters. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html */
import type * as sdk from "@aws-sdk/client-ecs";
import type { OperationOf } from "#gateway/operation.ts";
import { clusterView } from "../cluster-view.ts";
import { clusterKeys, tagging } from "../condition-keys.ts";
import { clusterHasServices, clusterHasTasks, invalidParameter } from "../errors.ts";
import { clusterResource, requireCluster } from "../lookup.ts";
import { type Cluster, clusterArn, clusterNameIn, DEFAULT_CLUSTER } from "../model.ts";
import { page } from "../paging.ts";
import { ensureServiceLinkedRole } from "../service-linked-role.ts";
import { findCluster, listClusters, putCluster } from "../store/clusters.ts";
import { listServices } from "../store/services.ts";
import { putTags } from "../store/tags.ts";
import { listTasks } from "../store/tasks.ts";
import { checkedTags } from "../tag-rules.ts";
import { checkedStrategy, requireProviders } from "./capacity-providers.ts";

const NAME = /^[A-Za-z0-9_-]{1,255}$/;

export const CreateCluster: OperationOf<sdk.CreateClusterCommand> = {
  authorize: {
    action: "ecs:CreateCluster",
    resources: (input, call) => [clusterResource(call, input.clusterName)],
    context: clusterKeys,
    additional: (input, _call, resources) => tagging("CreateCluster", input, resources),
  },
  async run(input, call) {
    const name = input.clusterName || DEFAULT_CLUSTER;
    if (!NAME.test(name)) throw invalidParameter("Invalid cluster name.");
    const tags = checkedTags(input.tags);
    requireNoServiceConnect(input.serviceConnectDefaults);
    const capacityProviders = input.capacityProviders ?? [];
    requireProviders(capacityProviders);
    const existing = await findCluster(call.db, call, name);
    // "default" and every other name may be created again: what is there is answered.
    if (existing?.status === "ACTIVE") return { cluster: await clusterView(call, existing, ["TAGS", "SETTINGS"]) };
    const cluster: Cluster = {
      accountId: call.accountId,
      region: call.region,
      name,
      status: "ACTIVE",
      settings: input.settings ?? [{ name: "containerInsights", value: "disabled" }],
      configuration: input.configuration,
      capacityProviders,
      defaultCapacityProviderStrategy: checkedStrategy(input.defaultCapacityProviderStrategy, capacityProviders),
    };
    // A caller without the right to make the role gets a cluster all the same; CreateService will miss the role.
    await ensureServiceLinkedRole(call);
    await putCluster(call.db, cluster);
    await putTags(call.db, clusterArn(call, name), tags);
    return { cluster: await clusterView(call, cluster, ["TAGS", "SETTINGS"]) };
  },
};

export const DescribeClusters: OperationOf<sdk.DescribeClustersCommand> = {
  authorize: {
    action: "ecs:DescribeClusters",
    resources: (input, call) => (input.clusters ?? [DEFAULT_CLUSTER]).map((one) => clusterResource(call, one)),
  },
  async run(input, call) {
    const references = input.clusters?.length ? input.clusters : [DEFAULT_CLUSTER];
    if (references.length > 100) throw invalidParameter("Clusters cannot have more than 100 elements.");
    const clusters: sdk.Cluster[] = [];
    const failures: sdk.Failure[] = [];
    for (const reference of references) {
      const name = clusterNameIn(call, reference);
      const cluster = name === undefined ? undefined : await findCluster(call.db, call, name);
      if (cluster) clusters.push(await clusterView(call, cluster, input.include ?? []));
      else failures.push({ arn: clusterResource(call, reference), reason: "MISSING" });
    }
    return { clusters, failures };
  },
};

export const ListClusters: OperationOf<sdk.ListClustersCommand> = {
  authorize: { action: "ecs:ListClusters", resources: () => ["*"] },
  async run(input, call) {
    const arns = (await listClusters(call.db, call)).map(({ name }) => clusterArn(call, name));
    const { items, nextToken } = page("clusters", arns, (arn) => arn, input);
    return { clusterArns: [...items], nextToken };
  },
};

export const UpdateCluster: OperationOf<sdk.UpdateClusterCommand> = {
  authorize: {
    action: "ecs:UpdateCluster",
    resources: (input, call) => [clusterResource(call, input.cluster)],
    context: (input, call) => clusterKeys({ configuration: input.configuration }, call),
  },
  async run(input, call) {
    requireNoServiceConnect(input.serviceConnectDefaults);
    const cluster = await requireCluster(call, input.cluster);
    const updated: Cluster = {
      ...cluster,
      settings: mergedSettings(cluster, input.settings),
      configuration: input.configuration ?? cluster.configuration,
    };
    await putCluster(call.db, updated);
    return { cluster: await clusterView(call, updated, ["SETTINGS", "CONFIGURATIONS"]) };
  },
};

export const UpdateClusterSettings: OperationOf<sdk.UpdateClusterSettingsCommand> = {
  authorize: {
    action: "ecs:UpdateClusterSettings",
    resources: (input, call) => [clusterResource(call, input.cluster)],
  },
  async run(input, call) {
    const cluster = await requireCluster(call, input.cluster);
    const updated: Cluster = { ...cluster, settings: mergedSettings(cluster, input.settings) };
    await putCluster(call.db, updated);
    return { cluster: await clusterView(call, updated, ["SETTINGS"]) };
  },
};

export const DeleteCluster: OperationOf<sdk.DeleteClusterCommand> = {
  authorize: {
    action: "ecs:DeleteCluster",
    resources: (input, call) => [clusterResource(call, input.cluster)],
  },
  async run(input, call) {
    const cluster = await requireCluster(call, input.cluster);
    if ((await listServices(call.db, call, cluster.name)).length > 0) throw clusterHasServices();
    const tasks = await listTasks(call.db, call, cluster.name);
    if (tasks.some(({ lastStatus }) => lastStatus !== "STOPPED")) throw clusterHasTasks();
    const deleted: Cluster = { ...cluster, status: "INACTIVE" };
    await putCluster(call.db, deleted);
    return { cluster: await clusterView(call, deleted, []) };
  },
};

function mergedSettings(cluster: Cluster, settings: readonly sdk.ClusterSetting[] | undefined) {
  const changed = new Map([...cluster.settings, ...(settings ?? [])].map((one) => [one.name, one]));
  return [...changed.values()];
}

function requireNoServiceConnect(defaults: object | undefined): void {
  if (defaults) throw invalidParameter("Service Connect is not built in this version of Slipway.");
}
