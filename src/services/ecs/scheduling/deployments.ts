/** A service's deployments: how one begins, fails, is rolled back and completes. */
import type * as sdk from "@aws-sdk/client-ecs";
import { DEPLOYMENT_PREFIX, type Deployment, type ServiceDocument } from "../model.ts";

const MINUTE_MS = 60_000;

/** Nineteen digits of randomness as AWS's ids have; `random` is at least eight bytes. */
export function deploymentId(random: Buffer): string {
  return `${DEPLOYMENT_PREFIX}${(random.readBigUInt64BE() % 9_000_000_000_000_000_000n) + 1_000_000_000_000_000_000n}`;
}

export function newDeployment(id: string, taskDefinition: string, now: number): Deployment {
  return {
    id,
    status: "PRIMARY",
    taskDefinition,
    createdAt: now,
    updatedAt: now,
    rolloutState: "IN_PROGRESS",
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    failedTasks: 0,
    failures: 0,
    failedLaunches: 0,
    nextLaunchAt: 0,
    healthyTasks: [],
  };
}

/** The service with the deployment as its primary one; those before it are ACTIVE until their tasks are gone. */
export function withPrimary(document: ServiceDocument, primary: Deployment): ServiceDocument {
  const others = document.deployments.filter(({ id }) => id !== primary.id);
  return {
    ...document,
    taskDefinition: primary.taskDefinition,
    steady: false,
    deployments: [
      primary,
      ...others.map((one) => ({ ...one, status: "ACTIVE" as const, updatedAt: primary.updatedAt })),
    ],
  };
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html */
const MIN_THRESHOLD = 3;
const MAX_THRESHOLD = 200;
const DEFAULT_PERCENT = 50;

/** How many failures the circuit breaker bears; undefined where it is off. */
export function failureThreshold(
  breaker: sdk.DeploymentCircuitBreaker | undefined,
  desiredCount: number,
): number | undefined {
  if (!breaker?.enable) return undefined;
  const { type = "BOUNDED_PERCENT", value = DEFAULT_PERCENT } = breaker.thresholdConfiguration ?? {};
  if (type === "COUNT") return value;
  const share = Math.ceil((desiredCount * value) / 100);
  return type === "UNBOUNDED_PERCENT" ? Math.max(share, 1) : Math.min(Math.max(share, MIN_THRESHOLD), MAX_THRESHOLD);
}

export function failedDeployment(deployment: Deployment, now: number): Deployment {
  return {
    ...deployment,
    updatedAt: now,
    rolloutState: "FAILED",
    rolloutStateReason: "ECS deployment circuit breaker: tasks failed to start.",
  };
}

export function completedDeployment(deployment: Deployment, now: number): Deployment {
  return {
    ...deployment,
    updatedAt: now,
    rolloutState: "COMPLETED",
    rolloutStateReason: `ECS deployment ${deployment.id} completed.`,
    failures: 0,
    failedLaunches: 0,
    nextLaunchAt: 0,
  };
}

/** The deployment that takes over from a failed one: the one that completed last, or a new one of its definition. */
export function rollbackDeployment(
  document: ServiceDocument,
  failed: Deployment,
  freshId: string,
  now: number,
): Deployment | undefined {
  const target = document.lastCompleted;
  if (!document.deploymentConfiguration.deploymentCircuitBreaker?.rollback) return undefined;
  if (!target || target.deploymentId === failed.id || target.taskDefinition === failed.taskDefinition) return undefined;
  const still = document.deployments.find(({ id }) => id === target.deploymentId);
  const begun = newDeployment(still?.id ?? freshId, target.taskDefinition, now);
  return {
    ...begun,
    ...(still && { createdAt: still.createdAt, healthyTasks: still.healthyTasks }),
    rolloutStateReason: `ECS deployment circuit breaker: rolling back to deploymentId ${begun.id}.`,
  };
}

/**
 * How long after the n-th launch in a row that failed the next one waits. AWS says that the time grows up to 27 minutes,
 * and not how: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
 */
const MAX_DELAY_MS = 27 * MINUTE_MS;
const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 10_000;

export function launchDelay(failedLaunches: number): number {
  if (failedLaunches < FREE_FAILURES) return 0;
  return Math.min(FIRST_DELAY_MS * 2 ** (failedLaunches - FREE_FAILURES), MAX_DELAY_MS);
}
