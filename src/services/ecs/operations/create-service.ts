/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html */
import { randomBytes, randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-ecs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { serviceKeys, tagging } from "../condition-keys.ts";
import { invalidParameter } from "../errors.ts";
import { requireCluster, requireTaskDefinition, serviceResource } from "../lookup.ts";
import { PLATFORM_VERSION, type Service, serviceArn, taskDefinitionArn } from "../model.ts";
import { ECS_SERVICE } from "../running/load-balancing.ts";
import { SERVICE_TOPIC, SERVICE_WORK } from "../running/task-runner.ts";
import { deploymentId, newDeployment } from "../scheduling/deployments.ts";
import { requireServiceLinkedRole } from "../service-linked-role.ts";
import {
  checkedDeployment,
  requestedCapacity,
  requireBuiltService,
  requireLoadBalancers,
  requireNetwork,
  requirePlatform,
} from "../service-rules.ts";
import { requestDigest } from "../store/client-tokens.ts";
import { findService, insertService } from "../store/services.ts";
import { putTags } from "../store/tags.ts";
import { checkedTags } from "../tag-rules.ts";
import { describedService } from "./services.ts";

const NAME = /^[A-Za-z0-9_-]{1,255}$/;

export const CreateService: OperationOf<sdk.CreateServiceCommand> = {
  authorize: {
    action: "ecs:CreateService",
    resources: (input, call) => [serviceResource(call, input.cluster, input.serviceName)],
    context: serviceKeys,
    additional: (input, _call, resources) => tagging("CreateService", input, resources),
    passedRoles: ({ role }, call) => (role ? [{ roleArn: passedRoleArn(role, call), service: ECS_SERVICE }] : []),
  },
  async run(input, call) {
    const name = input.serviceName!;
    if (!NAME.test(name)) throw invalidParameter("Invalid service name.");
    requireBuiltService(input);
    const cluster = await requireCluster(call, input.cluster);
    const request = requestDigest(input);
    const existing = await findService(call.db, call, cluster.name, name);
    if (existing && existing.status !== "INACTIVE") {
      if (existing.status === "DRAINING") throw invalidParameter("Unable to Start a service that is still Draining.");
      if (existing.document.request !== request) throw invalidParameter("Creation of service was not idempotent.");
      return { service: await describedService(call, existing, ["TAGS"]) };
    }
    if (!input.taskDefinition) throw invalidParameter("TaskDefinition can not be blank.");
    if (input.desiredCount === undefined) throw invalidParameter("desiredCount should be provided.");
    if (input.desiredCount < 0) throw invalidParameter("desiredCount must not be negative.");
    if (input.role)
      throw invalidParameter("You cannot specify an IAM role for services that require a service linked role.");
    const definition = await requireTaskDefinition(call, input.taskDefinition);
    const { isFargate, ...capacity } = requestedCapacity(input, cluster, definition);
    requirePlatform(isFargate ? input.platformVersion : undefined);
    requireNetwork(input.networkConfiguration, definition);
    const tags = checkedTags(input.tags);
    const deploymentConfiguration = checkedDeployment(input.deploymentConfiguration);
    await requireServiceLinkedRole(call);
    await requireLoadBalancers(call, input.loadBalancers ?? [], definition);

    const taskDefinition = taskDefinitionArn(call, definition.family, definition.revision);
    const service: Service = {
      id: randomUUID(),
      accountId: call.accountId,
      region: call.region,
      cluster: cluster.name,
      name,
      status: "ACTIVE",
      version: 1,
      createdAt: call.now.getTime(),
      document: {
        createdBy: call.principal.roleArn ?? call.principal.arn,
        request,
        desiredCount: input.desiredCount,
        taskDefinition,
        ...capacity,
        platformVersion: PLATFORM_VERSION,
        loadBalancers: input.loadBalancers ?? [],
        networkConfiguration: input.networkConfiguration,
        deploymentConfiguration,
        healthCheckGracePeriodSeconds: input.healthCheckGracePeriodSeconds ?? 0,
        propagateTags: input.propagateTags ?? "NONE",
        enableECSManagedTags: input.enableECSManagedTags ?? false,
        availabilityZoneRebalancing: input.availabilityZoneRebalancing ?? "ENABLED",
        deployments: [newDeployment(deploymentId(randomBytes(8)), taskDefinition, call.now.getTime())],
        steady: false,
      },
    };
    await inTransaction(call.db, async (trx) => {
      if (!(await insertService(trx, service))) throw invalidParameter("Creation of service was not idempotent.");
      await putTags(trx, serviceArn(call, cluster.name, name), tags);
      await call.system.work.schedule(trx, SERVICE_WORK, service.id);
    });
    call.system.bus.publish(SERVICE_TOPIC, serviceArn(call, cluster.name, name));
    call.system.work.wake();
    return { service: await describedService(call, service, ["TAGS"]) };
  },
};

/** "The name or full Amazon Resource Name (ARN) of the IAM role", the name with its path where that is not "/". */
function passedRoleArn(role: string, { accountId }: Call): string {
  return role.startsWith("arn:") ? role : `arn:aws:iam::${accountId}:role/${role.replace(/^\//, "")}`;
}
