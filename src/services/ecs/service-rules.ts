/** What CreateService, UpdateService and RunTask have in common: where tasks may run, and what they may stand behind. */
import type * as sdk from "@aws-sdk/client-ecs";
import { DescribeTargetGroupsCommand, type TargetGroup } from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Call } from "#gateway/context.ts";
import { invalidParameter } from "./errors.ts";
import type { Cluster, TaskDefinition } from "./model.ts";
import { checkedStrategy, requireProviders } from "./operations/capacity-providers.ts";
import { ECS_SERVICE, serviceLinkedRoleArn } from "./running/load-balancing.ts";
import { RoleSession } from "./running/role-session.ts";
import { isRefusal } from "./running/service-errors.ts";

export interface CapacityInput {
  readonly launchType?: string | undefined;
  readonly capacityProviderStrategy?: sdk.CapacityProviderStrategyItem[] | undefined;
}

export interface Capacity {
  readonly launchType?: string | undefined;
  readonly capacityProviderStrategy?: readonly sdk.CapacityProviderStrategyItem[] | undefined;
  readonly isFargate: boolean;
}

/** Without either, the cluster's default strategy counts, and without that EC2 is meant. */
export function requestedCapacity(input: CapacityInput, cluster: Cluster, definition: TaskDefinition): Capacity {
  const strategy = input.capacityProviderStrategy;
  if (input.launchType && strategy?.length) {
    throw invalidParameter(
      "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    );
  }
  if (strategy?.length) {
    requireProviders(strategy.map(({ capacityProvider = "" }) => capacityProvider));
    requireCompatible(definition);
    return { capacityProviderStrategy: checkedStrategy(strategy, cluster.capacityProviders), isFargate: true };
  }
  if (!input.launchType && cluster.defaultCapacityProviderStrategy.length > 0) {
    requireCompatible(definition);
    return { capacityProviderStrategy: cluster.defaultCapacityProviderStrategy, isFargate: true };
  }
  const launchType = input.launchType ?? "EC2";
  if (launchType !== "FARGATE") return { launchType, isFargate: false };
  requireCompatible(definition);
  return { launchType, isFargate: true };
}

function requireCompatible({ document }: TaskDefinition): void {
  const { compatibilities = [], requiresCompatibilities } = document;
  const asked = requiresCompatibilities === undefined || requiresCompatibilities.includes("FARGATE");
  if (asked && compatibilities.includes("FARGATE")) return;
  throw invalidParameter("Task definition does not support launch_type FARGATE.");
}

export function requireNetwork(
  configuration: sdk.NetworkConfiguration | undefined,
  { document }: TaskDefinition,
): void {
  const vpc = configuration?.awsvpcConfiguration;
  if (document.networkMode === "awsvpc" && !vpc) {
    throw invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  if (document.networkMode !== "awsvpc" && vpc) {
    throw invalidParameter("Network Configuration is not valid for the given networkMode of this task definition.");
  }
  if (!vpc) return;
  if (!vpc.subnets?.length) throw invalidParameter("subnets can not be empty.");
  if (vpc.subnets.length > 16) throw invalidParameter("subnets cannot have more than 16 elements.");
  if ((vpc.securityGroups?.length ?? 0) > 5) throw invalidParameter("securityGroups cannot have more than 5 elements.");
}

export function requirePlatform(version: string | undefined): void {
  if (version === undefined || ["LATEST", "1.4.0"].includes(version)) return;
  throw invalidParameter("The specified platform version does not exist.");
}

/** Each must name a port of a container, and a target group of IP addresses that a load balancer uses. */
export async function requireLoadBalancers(
  call: Call,
  balancers: readonly sdk.LoadBalancer[],
  definition: TaskDefinition,
): Promise<void> {
  if (balancers.length > 5) throw invalidParameter("load balancers cannot have more than 5 elements.");
  for (const { loadBalancerName, targetGroupArn, containerName, containerPort, advancedConfiguration } of balancers) {
    if (loadBalancerName || advancedConfiguration) {
      throw invalidParameter("Classic Load Balancers and blue/green target groups are not supported on Slipway.");
    }
    if (!targetGroupArn) throw invalidParameter("targetGroupArn should be provided.");
    const container = definition.document.containerDefinitions?.find(({ name }) => name === containerName);
    if (!container) throw invalidParameter(`The container ${containerName} does not exist in the task definition.`);
    if (!container.portMappings?.some((mapping) => mapping.containerPort === containerPort)) {
      throw invalidParameter(`The container ${containerName} did not have a container port ${containerPort} defined.`);
    }
    requireUsable(targetGroupArn, await targetGroup(call, targetGroupArn), definition);
  }
}

function requireUsable(arn: string, group: TargetGroup | undefined, { document }: TaskDefinition): void {
  if (!group) throw invalidParameter(`The specified target group does not exist: ${arn}`);
  if (document.networkMode === "awsvpc" && group.TargetType !== "ip") {
    throw invalidParameter(
      `The provided target group ${arn} has target type ${group.TargetType}, which is incompatible with the awsvpc network mode specified in the task definition.`,
    );
  }
  if (!group.LoadBalancerArns?.length) {
    throw invalidParameter(`The target group with targetGroupArn ${arn} does not have an associated load balancer.`);
  }
}

async function targetGroup({ system, accountId, region }: Call, arn: string): Promise<TargetGroup | undefined> {
  const roleArn = serviceLinkedRoleArn({ accountId });
  const session = new RoleSession(system, { roleArn, service: ECS_SERVICE, sessionName: "ecs", accountId, region });
  const client = await session.client();
  try {
    const { TargetGroups } = await client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
    return TargetGroups?.[0];
  } catch (error) {
    if (isRefusal(error) && error.name.startsWith("TargetGroupNotFound")) return undefined;
    throw error;
  }
}

/** Defaults: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html */
export function checkedDeployment(
  given: sdk.DeploymentConfiguration | undefined,
  before?: sdk.DeploymentConfiguration,
): sdk.DeploymentConfiguration {
  const { strategy, alarms, lifecycleHooks, bakeTimeInMinutes } = given ?? {};
  if ((strategy && strategy !== "ROLLING") || lifecycleHooks?.length || bakeTimeInMinutes) {
    throw invalidParameter("Only the deployment strategy ROLLING is supported on Slipway.");
  }
  if (alarms?.enable) throw invalidParameter("Deployment alarms are not supported on Slipway.");
  const merged = {
    deploymentCircuitBreaker: { enable: false, rollback: false },
    maximumPercent: 200,
    minimumHealthyPercent: 100,
    strategy: "ROLLING" as const,
    ...before,
    ...given,
  };
  if (merged.minimumHealthyPercent < 0 || merged.minimumHealthyPercent > 100) {
    throw invalidParameter("Minimum healthy percent must be between 0 and 100.");
  }
  if (merged.maximumPercent < 100 || merged.maximumPercent > 200) {
    throw invalidParameter("Maximum percent must be between 100 and 200.");
  }
  if (merged.maximumPercent === merged.minimumHealthyPercent) {
    throw invalidParameter(
      "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
    );
  }
  return merged;
}

/** Members that would be kept and not be done. */
export function requireBuiltService(input: {
  readonly deploymentController?: sdk.DeploymentController | undefined;
  readonly schedulingStrategy?: string | undefined;
  readonly serviceRegistries?: readonly unknown[] | undefined;
  readonly serviceConnectConfiguration?: sdk.ServiceConnectConfiguration | undefined;
  readonly volumeConfigurations?: readonly unknown[] | undefined;
  readonly vpcLatticeConfigurations?: readonly unknown[] | undefined;
  readonly placementConstraints?: readonly unknown[] | undefined;
  readonly placementStrategy?: readonly unknown[] | undefined;
  readonly enableExecuteCommand?: boolean | undefined;
}): void {
  const refused = (what: string) => invalidParameter(`${what} is not supported in this version of Slipway.`);
  const controller = input.deploymentController?.type ?? "ECS";
  if (controller !== "ECS") throw refused(`The deployment controller ${controller}`);
  if (input.schedulingStrategy === "DAEMON")
    throw invalidParameter("The DAEMON scheduling strategy is not supported with Fargate.");
  if (input.serviceRegistries?.length) throw refused("serviceRegistries");
  if (input.serviceConnectConfiguration?.enabled) throw refused("serviceConnectConfiguration");
  if (input.volumeConfigurations?.length) throw refused("volumeConfigurations");
  if (input.vpcLatticeConfigurations?.length) throw refused("vpcLatticeConfigurations");
  if (input.placementConstraints?.length)
    throw invalidParameter("Placement constraints are not supported with FARGATE launch type.");
  if (input.placementStrategy?.length)
    throw invalidParameter("Placement strategies are not supported with FARGATE launch type.");
  if (input.enableExecuteCommand) throw refused("ECS Exec (enableExecuteCommand)");
}
