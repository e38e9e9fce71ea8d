/**
 * What policies can ask of ECS's requests.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
 */
import type * as sdk from "@aws-sdk/client-ecs";
import type { AccessRequest } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";
import { clusterContext } from "./lookup.ts";
import { capacityProviderArn, type Scope, taskDefinitionArn } from "./model.ts";
import { requestTags } from "./tag-rules.ts";

type TaskInput = Pick<
  sdk.RunTaskCommandInput,
  "capacityProviderStrategy" | "enableExecuteCommand" | "overrides" | "volumeConfigurations" | "cluster" | "tags"
>;

export function runTaskKeys(input: TaskInput, call: Call): ContextKeys {
  return {
    ...clusterContext(input, call),
    ...requestTags(input),
    ...sizeKeys(input.overrides),
    "ecs:capacity-provider": providersOf(input.capacityProviderStrategy, call),
    "ecs:enable-ebs-volumes": text(hasManagedVolume(input)),
    "ecs:enable-execute-command": text(input.enableExecuteCommand),
  };
}

type ServiceInput = sdk.CreateServiceCommandInput | sdk.UpdateServiceCommandInput;

export function serviceKeys(input: ServiceInput, call: Call): ContextKeys {
  const network = input.networkConfiguration?.awsvpcConfiguration;
  const connect = input.serviceConnectConfiguration;
  return {
    ...clusterContext(input, call),
    ...("tags" in input && requestTags(input)),
    "ecs:auto-assign-public-ip": network?.assignPublicIp && String(network.assignPublicIp === "ENABLED"),
    "ecs:capacity-provider": providersOf(input.capacityProviderStrategy, call),
    "ecs:enable-ebs-volumes": text(hasManagedVolume(input)),
    "ecs:enable-ecs-managed-tags": text(input.enableECSManagedTags),
    "ecs:enable-execute-command": text(input.enableExecuteCommand),
    "ecs:enable-service-connect": text(connect?.enabled),
    "ecs:enable-vpc-lattice": input.vpcLatticeConfigurations && text(input.vpcLatticeConfigurations.length > 0),
    "ecs:namespace": connect?.namespace,
    "ecs:propagate-tags": input.propagateTags,
    "ecs:subnet": network?.subnets,
    "ecs:task-definition": input.taskDefinition && namedTaskDefinition(call, input.taskDefinition),
  };
}

export function taskDefinitionKeys(input: sdk.RegisterTaskDefinitionCommandInput): ContextKeys {
  return {
    ...requestTags(input),
    ...sizeKeys(input),
    "ecs:compute-compatibility": input.requiresCompatibilities,
    "ecs:privileged": text(input.containerDefinitions?.some(({ privileged }) => privileged)),
  };
}

type ClusterInput = Pick<
  sdk.CreateClusterCommandInput,
  "capacityProviders" | "configuration" | "defaultCapacityProviderStrategy" | "tags"
>;

export function clusterKeys(input: ClusterInput, call: Call): ContextKeys {
  const { capacityProviders = [], defaultCapacityProviderStrategy = [] } = input;
  const named = [...capacityProviders, ...defaultCapacityProviderStrategy.map((one) => one.capacityProvider ?? "")];
  return {
    ...requestTags(input),
    "ecs:capacity-provider": [...new Set(named)].map((name) => capacityProviderArn(call, name)),
    "ecs:fargate-ephemeral-storage-kms-key":
      input.configuration?.managedStorageConfiguration?.fargateEphemeralStorageKmsKeyId,
  };
}

/**
 * What is made with tags needs `ecs:TagResource` too.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
 */
export function tagging(
  action: string,
  input: { readonly tags?: readonly sdk.Tag[] | undefined },
  resources: readonly string[],
): readonly AccessRequest[] {
  if (!input.tags?.length) return [];
  const context = { ...requestTags(input), "ecs:createaction": action };
  return resources.map((resource) => ({ action: "ecs:TagResource", resource, context }));
}

/** FAMILY, FAMILY:REVISION or an ARN. */
export function namedTaskDefinition(scope: Scope, reference: string): string {
  if (reference.startsWith("arn:")) return reference;
  const [family = "", revision = "*"] = reference.split(":");
  return taskDefinitionArn(scope, family, revision);
}

function providersOf(strategy: readonly sdk.CapacityProviderStrategyItem[] | undefined, scope: Scope) {
  return strategy?.map(({ capacityProvider = "" }) => capacityProviderArn(scope, capacityProvider));
}

function sizeKeys(size: { readonly cpu?: string | undefined; readonly memory?: string | undefined } | undefined) {
  return { "ecs:task-cpu": units(size?.cpu, 1024), "ecs:task-memory": units(size?.memory, 1024) };
}

/** "1 vCPU" and "2 GB" as the integers that the keys have. */
function units(given: string | undefined, factor: number): string | undefined {
  const [, number, unit] = /^\s*(\d*\.?\d+)\s*(vcpu|gb)?\s*$/i.exec(given ?? "") ?? [];
  return number === undefined ? undefined : String(unit === undefined ? Number(number) : Number(number) * factor);
}

function hasManagedVolume({ volumeConfigurations }: Pick<TaskInput, "volumeConfigurations">): boolean | undefined {
  return volumeConfigurations?.some(({ managedEBSVolume }) => managedEBSVolume !== undefined);
}

function text(flag: boolean | undefined): string | undefined {
  return flag === undefined ? undefined : String(flag);
}
