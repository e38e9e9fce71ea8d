/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html */
import { randomBytes } from "node:crypto";
import type * as sdk from "@aws-sdk/client-ecs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { serviceKeys } from "../condition-keys.ts";
import { invalidParameter, serviceNotActive } from "../errors.ts";
import { requireCluster, requireService, requireTaskDefinition, serviceResource } from "../lookup.ts";
import {
  type Cluster,
  type Service,
  type ServiceDocument,
  serviceArn,
  type TaskDefinition,
  taskDefinitionArn,
} from "../model.ts";
import { SERVICE_TOPIC, SERVICE_WORK } from "../running/task-runner.ts";
import { deploymentId, newDeployment, withPrimary } from "../scheduling/deployments.ts";
import {
  checkedDeployment,
  requestedCapacity,
  requireBuiltService,
  requireLoadBalancers,
  requireNetwork,
  requirePlatform,
} from "../service-rules.ts";
import { updateService } from "../store/services.ts";
import { findTaskDefinition } from "../store/task-definitions.ts";
import { parsedTaskDefinition } from "../task-definition-reference.ts";
import { describedService } from "./services.ts";

type Input = sdk.UpdateServiceCommandInput;
/** The scheduler writes the service too; whoever comes second reads it again. */
const ATTEMPTS = 10;

export const UpdateService: OperationOf<sdk.UpdateServiceCommand> = {
  authorize: {
    action: "ecs:UpdateService",
    resources: (input, call) => [serviceResource(call, input.cluster, input.service)],
    context: serviceKeys,
  },
  async run(input, call) {
    requireBuiltService(input);
    if (input.desiredCount !== undefined && input.desiredCount < 0) {
      throw invalidParameter("desiredCount must not be negative.");
    }
    const cluster = await requireCluster(call, input.cluster);
    const service = await changedService(call, cluster, input.service!, (current) =>
      updated(call, cluster, current, input),
    );
    return { service: await describedService(call, service, ["TAGS"]) };
  },
};

/** Reads, changes and writes until nobody else wrote in between, and has the scheduler look. */
export async function changedService(
  call: Call,
  cluster: Cluster,
  reference: string,
  change: (current: Service) => Promise<Pick<Service, "status" | "document">>,
): Promise<Service> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = await requireService(call, cluster, reference);
    const changed = await change(current);
    const written = await inTransaction(call.db, async (trx) => {
      const done = await updateService(trx, current, changed);
      if (done) await call.system.work.schedule(trx, SERVICE_WORK, current.id);
      return done;
    });
    if (!written) continue;
    call.system.bus.publish(SERVICE_TOPIC, serviceArn(call, cluster.name, current.name));
    call.system.work.wake();
    return { ...current, ...changed, version: current.version + 1 };
  }
  throw new Error(`Service ${reference} was written by somebody else ${ATTEMPTS} times in a row`);
}

async function updated(call: Call, cluster: Cluster, service: Service, input: Input): Promise<Service> {
  if (service.status !== "ACTIVE") throw serviceNotActive();
  const before = service.document;
  const definition = await definitionFor(call, before, input.taskDefinition);
  const taskDefinition = taskDefinitionArn(call, definition.family, definition.revision);
  const networkConfiguration = input.networkConfiguration ?? before.networkConfiguration;
  const loadBalancers = input.loadBalancers ?? before.loadBalancers;
  requireNetwork(networkConfiguration, definition);
  requirePlatform(input.platformVersion);
  if (input.loadBalancers || input.taskDefinition) await requireLoadBalancers(call, loadBalancers, definition);
  const document: ServiceDocument = {
    ...before,
    taskDefinition,
    networkConfiguration,
    loadBalancers,
    ...capacityFor(input, before, () => requestedCapacity(input, cluster, definition)),
    desiredCount: input.desiredCount ?? before.desiredCount,
    deploymentConfiguration: checkedDeployment(input.deploymentConfiguration, before.deploymentConfiguration),
    healthCheckGracePeriodSeconds: input.healthCheckGracePeriodSeconds ?? before.healthCheckGracePeriodSeconds,
    propagateTags: input.propagateTags ?? before.propagateTags,
    enableECSManagedTags: input.enableECSManagedTags ?? before.enableECSManagedTags,
    availabilityZoneRebalancing: input.availabilityZoneRebalancing ?? before.availabilityZoneRebalancing,
    steady: false,
  };
  if (!input.forceNewDeployment && !isNewVersion(before, document)) return { ...service, document };
  const primary = newDeployment(deploymentId(randomBytes(8)), taskDefinition, call.now.getTime());
  return { ...service, document: withPrimary(document, primary) };
}

/** A service goes on with a definition that has since been deregistered, but is not given such a one anew. */
async function definitionFor(
  call: Call,
  before: ServiceDocument,
  reference: string | undefined,
): Promise<TaskDefinition> {
  if (reference !== undefined) return requireTaskDefinition(call, reference);
  const { family, revision } = parsedTaskDefinition(call, before.taskDefinition)!;
  const definition = await findTaskDefinition(call.db, call, family, revision);
  if (!definition) throw new Error(`The definition ${before.taskDefinition} is gone`);
  return definition;
}

function capacityFor(input: Input, before: ServiceDocument, requested: () => ReturnType<typeof requestedCapacity>) {
  if (!input.capacityProviderStrategy) {
    return { launchType: before.launchType, capacityProviderStrategy: before.capacityProviderStrategy };
  }
  const { launchType, capacityProviderStrategy } = requested();
  return { launchType, capacityProviderStrategy };
}

/** What tasks are made of has changed, so that those that run are of an earlier version. */
function isNewVersion(before: ServiceDocument, after: ServiceDocument): boolean {
  const version = (document: ServiceDocument) =>
    JSON.stringify([
      document.taskDefinition,
      document.networkConfiguration,
      document.loadBalancers,
      document.launchType,
      document.capacityProviderStrategy,
    ]);
  return version(before) !== version(after);
}
