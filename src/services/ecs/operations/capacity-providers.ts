/** The two capacity providers that every account has. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html */
import type * as sdk from "@aws-sdk/client-ecs";
import type { OperationOf } from "#gateway/operation.ts";
import { clusterView } from "../cluster-view.ts";
import { clusterKeys } from "../condition-keys.ts";
import { invalidParameter } from "../errors.ts";
import { clusterResource, requireCluster } from "../lookup.ts";
import { capacityProviderArn, FARGATE_PROVIDERS } from "../model.ts";
import { page } from "../paging.ts";
import { putCluster } from "../store/clusters.ts";

const isProvider = (name: string) => (FARGATE_PROVIDERS as readonly string[]).includes(name);

export const PutClusterCapacityProviders: OperationOf<sdk.PutClusterCapacityProvidersCommand> = {
  authorize: {
    action: "ecs:PutClusterCapacityProviders",
    resources: (input, call) => [clusterResource(call, input.cluster)],
    context: clusterKeys,
  },
  async run(input, call) {
    const cluster = await requireCluster(call, input.cluster);
    const capacityProviders = input.capacityProviders ?? [];
    requireProviders(capacityProviders);
    const strategy = checkedStrategy(input.defaultCapacityProviderStrategy, capacityProviders);
    const updated = { ...cluster, capacityProviders, defaultCapacityProviderStrategy: strategy };
    await putCluster(call.db, updated);
    return { cluster: await clusterView(call, updated, ["SETTINGS"]) };
  },
};

export const DescribeCapacityProviders: OperationOf<sdk.DescribeCapacityProvidersCommand> = {
  authorize: {
    action: "ecs:DescribeCapacityProviders",
    resources: (input, call) => (input.capacityProviders ?? ["*"]).map((name) => capacityProviderArn(call, name)),
  },
  async run(input, call) {
    const wanted = input.capacityProviders?.map((name) => name.slice(name.lastIndexOf("/") + 1));
    const names = wanted?.filter(isProvider) ?? FARGATE_PROVIDERS;
    const missing = wanted?.filter((name) => !isProvider(name)) ?? [];
    const { items, nextToken } = page("capacity-providers", names, (name) => name, input);
    return {
      capacityProviders: items.map((name) => ({
        capacityProviderArn: capacityProviderArn(call, name),
        name,
        status: "ACTIVE",
        tags: [],
      })),
      failures: missing.map((name) => ({ arn: capacityProviderArn(call, name), reason: "MISSING" })),
      nextToken,
    };
  },
};

export function requireProviders(names: readonly string[]): void {
  if (names.every(isProvider)) return;
  throw invalidParameter(
    "The specified capacity provider was not found. Specify a valid name or ARN and try again: Slipway has FARGATE and FARGATE_SPOT.",
  );
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html */
export function checkedStrategy(
  strategy: readonly sdk.CapacityProviderStrategyItem[] | undefined,
  providers: readonly string[],
): readonly sdk.CapacityProviderStrategyItem[] {
  const items = (strategy ?? []).map((item) => ({ ...item, weight: item.weight ?? 0, base: item.base ?? 0 }));
  if (items.some(({ capacityProvider = "" }) => !providers.includes(capacityProvider))) {
    throw invalidParameter(
      "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.",
    );
  }
  if (items.filter(({ base }) => base > 0).length > 1) {
    throw invalidParameter("Only one capacity provider in a capacity provider strategy can have a base defined.");
  }
  if (items.length > 1 && items.every(({ weight }) => weight === 0)) {
    throw invalidParameter("At least one capacity provider in the strategy must have a weight greater than zero.");
  }
  return items;
}
