/** A task as it begins. */
import { randomBytes, randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-ecs";
import type { Scope, Task, TaskDefinition } from "./model.ts";
import { PLATFORM_VERSION, taskDefinitionArn } from "./model.ts";

export interface TaskRequest {
  readonly cluster: string;
  readonly definition: TaskDefinition;
  readonly group: string;
  readonly startedBy?: string | undefined;
  readonly serviceId?: string | undefined;
  readonly deploymentId?: string | undefined;
  readonly capacityProvider?: string | undefined;
  readonly overrides?: sdk.TaskOverride | undefined;
  readonly networkConfiguration?: sdk.NetworkConfiguration | undefined;
  readonly loadBalancers?: readonly sdk.LoadBalancer[] | undefined;
}

export function newTask(scope: Scope, request: TaskRequest, now: Date): Task {
  const { definition, overrides = {} } = request;
  return {
    id: randomBytes(16).toString("hex"),
    accountId: scope.accountId,
    region: scope.region,
    cluster: request.cluster,
    serviceId: request.serviceId,
    family: definition.family,
    launchType: "FARGATE",
    startedBy: request.startedBy,
    createdAt: now.getTime(),
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    accounted: false,
    document: {
      taskDefinition: taskDefinitionArn(scope, definition.family, definition.revision),
      group: request.group,
      deploymentId: request.deploymentId,
      capacityProvider: request.capacityProvider,
      overrides,
      networkConfiguration: request.networkConfiguration,
      loadBalancers: request.loadBalancers ?? [],
      platformVersion: PLATFORM_VERSION,
      cpu: overrides.cpu ?? definition.document.cpu ?? "",
      memory: overrides.memory ?? definition.document.memory ?? "",
      attachmentId: randomUUID(),
      networkInterfaceId: `eni-${randomBytes(9).toString("hex").slice(0, 17)}`,
      macAddress: macAddress(randomBytes(5)),
      containers: (definition.document.containerDefinitions ?? []).map(({ name = "", image = "" }) => ({
        name,
        image,
        lastStatus: "PENDING",
        health: "UNKNOWN",
      })),
      targets: [],
    },
  };
}

/** Locally administered, as AWS's are. */
const macAddress = (bytes: Buffer) => ["02", ...[...bytes].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
