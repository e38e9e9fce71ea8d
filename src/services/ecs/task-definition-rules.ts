/**
 * What RegisterTaskDefinition accepts, and the defaults it fills in. Pure; throws ClientException, in AWS's words where
 * they are known. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
 */
import type * as sdk from "@aws-sdk/client-ecs";
import { ownImage } from "#gateway/own-registry.ts";
import { clientError } from "./errors.ts";
import { cpuUnits, isFargateSize, memoryMiB } from "./fargate-size.ts";
import type { TaskDefinitionDocument } from "./model.ts";
import { dependencyCycle } from "./running/dependencies.ts";
import { isEssential } from "./running/task-parts.ts";

type Input = sdk.RegisterTaskDefinitionCommandInput;

const FAMILY = /^[A-Za-z0-9_-]{1,255}$/;
const ROLE_ARN = /^arn:aws:iam::\d{12}:role\/.+$/;
const ROLE_NAME = /^[\w+=,.@-]{1,64}$/;
const CONTAINER_NAME = /^[A-Za-z0-9_-]{1,255}$/;
const AWSLOGS_OPTIONS = [
  "awslogs-group",
  "awslogs-region",
  "awslogs-stream-prefix",
  "awslogs-create-group",
  "mode",
  "max-buffer-size",
];

/**
 * "The short name or full Amazon Resource Name (ARN) of the IAM role": the name of one of the account's roles becomes its ARN,
 * which is what is kept and shown; neither says of a role whether it exists. What is neither stays, to be refused.
 * https://github.com/aws-actions/amazon-ecs-render-task-definition/issues/19
 */
export function withRoleArns<I extends Pick<Input, "taskRoleArn" | "executionRoleArn">>(
  input: I,
  accountId: string,
): I {
  const arnOf = (role: string | undefined) =>
    role !== undefined && ROLE_NAME.test(role) ? `arn:aws:iam::${accountId}:role/${role}` : role;
  return { ...input, taskRoleArn: arnOf(input.taskRoleArn), executionRoleArn: arnOf(input.executionRoleArn) };
}

export function taskDefinitionDocument(input: Input): TaskDefinitionDocument {
  if (!FAMILY.test(input.family ?? "")) {
    throw clientError(
      "Family contains invalid characters when it should only contain letters, numbers, underscores and hyphens.",
    );
  }
  requireBuilt(input);
  const cpu = input.cpu === undefined ? undefined : cpuUnits(input.cpu);
  const memory = input.memory === undefined ? undefined : memoryMiB(input.memory);
  if (input.cpu !== undefined && cpu === undefined) throw clientError("Invalid 'cpu' setting for task.");
  if (input.memory !== undefined && memory === undefined) throw clientError("Invalid 'memory' setting for task.");
  for (const role of [input.executionRoleArn, input.taskRoleArn]) {
    if (role && !ROLE_ARN.test(role)) throw clientError("Role is not valid");
  }
  requireContainers(input, memory);
  if (input.requiresCompatibilities?.includes("FARGATE")) requireFargate(input, cpu, memory);
  return {
    family: input.family!,
    containerDefinitions: input.containerDefinitions!.map((one) => withDefaults(one, input.networkMode)),
    volumes: input.volumes ?? [],
    placementConstraints: input.placementConstraints ?? [],
    compatibilities: compatibilities(input, cpu, memory),
    ...(input.requiresCompatibilities && { requiresCompatibilities: input.requiresCompatibilities }),
    ...(input.taskRoleArn && { taskRoleArn: input.taskRoleArn }),
    ...(input.executionRoleArn && { executionRoleArn: input.executionRoleArn }),
    ...(input.networkMode && { networkMode: input.networkMode }),
    ...(cpu !== undefined && { cpu: String(cpu) }),
    ...(memory !== undefined && { memory: String(memory) }),
    ...(input.runtimePlatform && { runtimePlatform: input.runtimePlatform }),
    ...(input.ephemeralStorage && { ephemeralStorage: input.ephemeralStorage }),
    ...(input.pidMode && { pidMode: input.pidMode }),
    ...(input.ipcMode && { ipcMode: input.ipcMode }),
    ...(input.enableFaultInjection !== undefined && { enableFaultInjection: input.enableFaultInjection }),
  };
}

/** What would be kept and not be done is refused. */
function requireBuilt(input: Input): void {
  const missing = (what: string) => clientError(`${what} is not built in this version of Slipway.`);
  if (input.proxyConfiguration) throw missing("proxyConfiguration");
  if (input.inferenceAccelerators?.length) throw missing("inferenceAccelerators");
  for (const { name, host, ...configured } of input.volumes ?? []) {
    if (host?.sourcePath) throw clientError(`The host.sourcePath of volume '${name}' is not supported on Fargate.`);
    if (Object.values(configured).some((value) => value !== undefined))
      throw missing(`The configuration of volume '${name}'`);
  }
  for (const { name, ...container } of input.containerDefinitions ?? []) {
    if (container.environmentFiles?.length) throw missing(`environmentFiles, of container '${name}',`);
    if (container.firelensConfiguration) throw missing(`firelensConfiguration, of container '${name}',`);
    if (container.repositoryCredentials) throw missing(`repositoryCredentials, of container '${name}',`);
    if (container.restartPolicy?.enabled) throw missing(`restartPolicy, of container '${name}',`);
    if (container.resourceRequirements?.length) throw missing(`resourceRequirements, of container '${name}',`);
    const driver = container.logConfiguration?.logDriver;
    if (driver && driver !== "awslogs") throw missing(`The log driver ${driver}, of container '${name}',`);
  }
}

function requireContainers(input: Input, memory: number | undefined): void {
  const containers = input.containerDefinitions ?? [];
  if (containers.length === 0) throw clientError("Container list cannot be empty.");
  const names = containers.map(({ name }) => name ?? "");
  for (const container of containers) {
    if (!container.name) throw clientError("Container.name should not be null or empty.");
    if (!CONTAINER_NAME.test(container.name)) throw clientError(`Invalid container name '${container.name}'.`);
    if (!container.image) throw clientError("Container.image should not be null or empty.");
    requirePorts(container, input.networkMode);
    requireMemory(container, memory);
    requireMounts(container, input, names);
    requireLogOptions(container);
    for (const { containerName = "" } of container.dependsOn ?? []) {
      if (!names.includes(containerName)) throw clientError(`Unknown container dependency '${containerName}'.`);
    }
    if (container.secrets?.length && !input.executionRoleArn) {
      throw clientError(
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
      );
    }
  }
  if (new Set(names).size < names.length) throw clientError("Container names must be unique within a task definition.");
  if (!containers.some(isEssential)) throw clientError("A task definition must have at least one essential container.");
  const cycle = dependencyCycle(containers);
  if (cycle) throw clientError(`Containers must not depend on each other in a circle: ${cycle.join(" -> ")}.`);
}

function requirePorts({ portMappings = [], links, extraHosts }: sdk.ContainerDefinition, networkMode?: string): void {
  if (networkMode !== "awsvpc") return;
  if (links?.length) throw clientError("Links are not supported when networkMode=awsvpc.");
  if (extraHosts?.length) throw clientError("Extra hosts are not supported when networkMode=awsvpc.");
  if (portMappings.some(({ hostPort, containerPort }) => hostPort && hostPort !== containerPort)) {
    throw clientError("When networkMode=awsvpc, the host ports and container ports in port mappings must match.");
  }
}

function requireMemory(
  { name, memory, memoryReservation }: sdk.ContainerDefinition,
  taskMemory: number | undefined,
): void {
  const invalid = (rest: string) => clientError(`Invalid setting for container '${name}'. ${rest}`);
  if (taskMemory === undefined && memory === undefined && memoryReservation === undefined) {
    throw invalid("At least one of 'memory' or 'memoryReservation' must be specified.");
  }
  if (memory !== undefined && memoryReservation !== undefined && memoryReservation > memory) {
    throw invalid("'memoryReservation' must not be greater than 'memory'.");
  }
  if (taskMemory !== undefined && (memory ?? memoryReservation ?? 0) > taskMemory) {
    throw invalid("The container's memory must not be greater than the task's.");
  }
}

function requireMounts(
  { mountPoints = [], volumesFrom = [] }: sdk.ContainerDefinition,
  input: Input,
  names: string[],
): void {
  const volumes = new Set(input.volumes?.map(({ name }) => name));
  const unknown = mountPoints.find(({ sourceVolume }) => !volumes.has(sourceVolume));
  if (unknown) throw clientError(`Unknown volume '${unknown.sourceVolume}'.`);
  const source = volumesFrom.find(({ sourceContainer = "" }) => !names.includes(sourceContainer));
  if (source) throw clientError(`Unknown container '${source.sourceContainer}' in volumesFrom.`);
}

function requireLogOptions({ logConfiguration }: sdk.ContainerDefinition): void {
  if (!logConfiguration) return;
  const options = logConfiguration.options ?? {};
  if (logConfiguration.secretOptions?.length) throw clientError("Log driver awslogs does not support secretOptions.");
  if (!options["awslogs-group"] || !options["awslogs-region"]) {
    throw clientError("Log driver awslogs requires options: awslogs-region, awslogs-group");
  }
  const other = Object.keys(options).filter((name) => !AWSLOGS_OPTIONS.includes(name));
  if (other.length > 0) throw clientError(`Log driver awslogs disallows options: ${other.join(", ")}`);
}

function requireFargate(input: Input, cpu: number | undefined, memory: number | undefined): void {
  if (input.networkMode !== "awsvpc") throw clientError("Fargate only supports network mode ‘awsvpc’.");
  if (cpu === undefined) throw clientError("Fargate requires that 'cpu' be defined at the task level.");
  if (memory === undefined) throw clientError("Fargate requires that 'memory' be defined at the task level.");
  if (!isFargateSize(cpu, memory)) {
    throw clientError(
      `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. See the Amazon ECS documentation for the valid values.`,
    );
  }
  for (const { image = "", logConfiguration, privileged } of input.containerDefinitions ?? []) {
    if (privileged) throw clientError("Fargate does not support privileged containers.");
    if (input.executionRoleArn) continue;
    const needs = "Fargate requires task definition to have execution role ARN to support";
    if (ownImage(image)) throw clientError(`${needs} ECR images.`);
    if (logConfiguration) throw clientError(`${needs} log driver awslogs.`);
  }
}

function compatibilities(input: Input, cpu = 0, memory = 0): sdk.Compatibility[] {
  const fargate = input.networkMode === "awsvpc" && isFargateSize(cpu, memory);
  return fargate ? ["EC2", "FARGATE"] : ["EC2"];
}

function withDefaults(container: sdk.ContainerDefinition, networkMode: string | undefined): sdk.ContainerDefinition {
  return {
    ...container,
    cpu: container.cpu ?? 0,
    essential: isEssential(container),
    environment: container.environment ?? [],
    mountPoints: container.mountPoints ?? [],
    volumesFrom: container.volumesFrom ?? [],
    systemControls: container.systemControls ?? [],
    portMappings: (container.portMappings ?? []).map((mapping) => ({
      ...mapping,
      protocol: mapping.protocol ?? "tcp",
      hostPort: mapping.hostPort || (networkMode === "awsvpc" || networkMode === "host" ? mapping.containerPort : 0),
    })),
    ...(container.healthCheck && {
      healthCheck: { interval: 30, timeout: 5, retries: 3, ...container.healthCheck },
    }),
  };
}
