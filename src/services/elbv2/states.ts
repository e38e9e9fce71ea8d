/**
 * A target's health, as its checks find it:
 *
 *              pass                       fails × unhealthy threshold
 *   initial ─────────► healthy ◄──────────────────────────────► unhealthy
 *      └── fails for as long as that many checks ──►               passes × healthy threshold
 *
 * One passed check makes a new target healthy, as on AWS; afterwards the thresholds count consecutive checks.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 *
 * New targets are checked every second rather than at the interval, so that a deployment need not wait for the next
 * check. Their failures are therefore measured in time: a target is given up when it would have been at the interval.
 */
import type { Health, HealthCheckSettings } from "./model.ts";

/** How one check ended; a failed one with AWS's reason code. */
export type CheckOutcome =
  | { readonly passed: true }
  | {
      readonly passed: false;
      readonly reason: NonNullable<Health["reason"]>;
      readonly description: string;
    };

/** What was found since the state last changed. Lost at a restart: counting starts again, the state stays. */
export interface Progress {
  readonly consecutive: number;
  /** When the first of the consecutive checks ended, in epoch milliseconds. */
  readonly since: number;
}

export const HEALTHY: Health = { state: "healthy", reason: undefined, description: undefined };

export const REGISTERING: Health = {
  state: "initial",
  reason: "Elb.RegistrationInProgress",
  description: "Target registration is in progress",
};

const CHECKING: Health = {
  state: "initial",
  reason: "Elb.InitialHealthChecking",
  description: "Initial health checks in progress",
};

/** There are no EC2 instances whose address could be asked for. */
export const NO_INSTANCE: Health = {
  state: "unhealthy",
  reason: "Target.FailedHealthChecks",
  description: "Health checks failed",
};

const INITIAL_INTERVAL_MS = 1_000;

/** `progress` is undefined where nothing speaks against the state. */
export function healthAfter(
  health: Health,
  progress: Progress | undefined,
  outcome: CheckOutcome,
  settings: HealthCheckSettings,
  now: number,
): { readonly health: Health; readonly progress: Progress | undefined } {
  const against: Progress = { consecutive: (progress?.consecutive ?? 0) + 1, since: progress?.since ?? now };
  if (outcome.passed) {
    if (health.state === "healthy") return { health, progress: undefined };
    const enough = health.state === "initial" || against.consecutive >= settings.healthyThreshold;
    return enough ? { health: HEALTHY, progress: undefined } : { health, progress: against };
  }
  const failed: Health = { state: "unhealthy", reason: outcome.reason, description: outcome.description };
  if (health.state === "unhealthy") return { health: failed, progress: undefined };
  const enough =
    health.state === "healthy"
      ? against.consecutive >= settings.unhealthyThreshold
      : now - against.since >= (settings.unhealthyThreshold - 1) * settings.intervalSeconds * 1000;
  if (enough) return { health: failed, progress: undefined };
  return { health: health.state === "initial" ? CHECKING : health, progress: against };
}

/** Milliseconds from the start of one check to the start of the next. */
export function checkInterval(health: Health, settings: HealthCheckSettings): number {
  const interval = settings.intervalSeconds * 1000;
  return health.state === "initial" ? Math.min(INITIAL_INTERVAL_MS, interval) : interval;
}

export function isSameHealth(one: Health, other: Health): boolean {
  return one.state === other.state && one.reason === other.reason && one.description === other.description;
}
