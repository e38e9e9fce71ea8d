/**
 * The service scheduler's decision: what it sees in, what shall happen out. Pure; the runner beside it looks and acts.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
 */
import type { Deployment, Service, ServiceDocument, Stop, StopCode, TaskStatus } from "../model.ts";
import {
  completedDeployment,
  failedDeployment,
  failureThreshold,
  launchDelay,
  rollbackDeployment,
  withPrimary,
} from "./deployments.ts";
import { serviceEvents } from "./service-events.ts";

export interface TargetView {
  readonly targetGroupArn: string;
  readonly port: number;
  /** As DescribeTargetHealth says: "healthy", "unhealthy", "initial", … */
  readonly state: string;
  readonly description: string | undefined;
}

export interface TaskView {
  readonly id: string;
  readonly deploymentId: string | undefined;
  readonly lastStatus: TaskStatus;
  readonly desiredStatus: "RUNNING" | "STOPPED";
  readonly stopCode: StopCode | undefined;
  readonly stoppedReason: string | undefined;
  /** Epoch milliseconds; undefined until RUNNING. */
  readonly startedAt: number | undefined;
  /** Whether any essential container has a health check, and what they say together. */
  readonly health: "NONE" | "UNKNOWN" | "HEALTHY" | "UNHEALTHY";
  readonly targets: readonly TargetView[];
}

export interface Plan {
  readonly status: Service["status"];
  readonly document: ServiceDocument;
  /** So many tasks of the primary deployment. */
  readonly launches: number;
  readonly stops: readonly { readonly taskId: string; readonly stop: Stop }[];
  /** STOPPED tasks whose end is now reckoned with. */
  readonly accounted: readonly string[];
  readonly events: readonly string[];
  /** When to look again though nothing has been heard, epoch milliseconds. */
  readonly lookAgainAt: number;
}

export interface Situation {
  readonly service: Service;
  /** All that are not accounted for, the oldest first. */
  readonly tasks: readonly TaskView[];
  /** Whether there is anything to run tasks on: Fargate, which Slipway's engine stands for. */
  readonly placeable: boolean;
  readonly now: number;
  /** For a rollback, should one begin. */
  readonly freshDeploymentId: string;
}

const UNSETTLED_MS = 1_000;
const SETTLED_MS = 10_000;
const REPEAT_EVENT_MS = 6 * 60 * 60 * 1000;

export const FAILED_CONTAINER_CHECKS = "Task failed container health checks";
const failedTargetChecks = (targetGroupArn: string) =>
  `Task failed ELB health checks in (target-group ${targetGroupArn})`;

export function schedule(situation: Situation): Plan {
  return new Pass(situation).plan();
}

class Pass {
  readonly #situation: Situation;
  readonly #events: string[] = [];
  readonly #stops = new Map<string, Stop>();
  #document: ServiceDocument;

  constructor(situation: Situation) {
    this.#situation = situation;
    this.#document = situation.service.document;
  }

  plan(): Plan {
    const { service, tasks, now } = this.#situation;
    const accounted = tasks.filter(({ lastStatus }) => lastStatus === "STOPPED");
    for (const task of accounted) this.#account(task);
    this.#noteHealthy();
    if (service.status === "DRAINING") this.#stopAll();
    else {
      this.#breakCircuit();
      this.#stopUnwell();
      this.#stopSurplus();
    }
    const launches = service.status === "ACTIVE" ? this.#launches() : 0;
    this.#sayWhatIsStopped();
    this.#dropFinished();
    const settled = this.#settle(launches);
    const gone = service.status === "DRAINING" && this.#present().length === 0;
    return {
      status: gone ? "INACTIVE" : service.status,
      document: this.#document,
      launches,
      stops: [...this.#stops].map(([taskId, stop]) => ({ taskId, stop })),
      accounted: accounted.map(({ id }) => id),
      events: this.#events,
      lookAgainAt: now + (settled ? SETTLED_MS : UNSETTLED_MS),
    };
  }

  get #primary(): Deployment {
    return this.#document.deployments[0]!;
  }

  /** Not STOPPED, whatever is wanted of them. */
  #present(): TaskView[] {
    return this.#situation.tasks.filter(({ lastStatus }) => lastStatus !== "STOPPED");
  }

  /** Those that are to stay, as far as is decided. */
  #kept(): TaskView[] {
    return this.#present().filter(({ id, desiredStatus }) => desiredStatus === "RUNNING" && !this.#stops.has(id));
  }

  #isPrimary = (task: TaskView) => task.deploymentId === this.#primary.id;

  #isHealthy = (task: TaskView) =>
    task.lastStatus === "RUNNING" &&
    (task.health === "NONE" || task.health === "HEALTHY") &&
    task.targets.every(({ state }) => state === "healthy");

  /** What may be answering requests: it runs, and nothing is known against it. Less than healthy. */
  #serves = (task: TaskView) =>
    task.lastStatus === "RUNNING" &&
    task.health !== "UNHEALTHY" &&
    task.targets.every(({ state }) => state !== "unhealthy");

  #change(deploymentId: string | undefined, change: (deployment: Deployment) => Deployment): void {
    const deployments = this.#document.deployments.map((one) => (one.id === deploymentId ? change(one) : one));
    this.#document = { ...this.#document, deployments };
  }

  /** A task that ended by itself or was not well counts against its deployment; one that was asked to end does not. */
  #account(task: TaskView): void {
    const unwell = task.stopCode === "ServiceSchedulerInitiated" && task.stoppedReason?.startsWith("Task failed");
    if (!unwell && task.stopCode !== "TaskFailedToStart" && task.stopCode !== "EssentialContainerExited") return;
    const { now } = this.#situation;
    this.#change(task.deploymentId, (deployment) => {
      const failedLaunches = task.startedAt === undefined ? deployment.failedLaunches + 1 : 0;
      return {
        ...deployment,
        failedTasks: deployment.failedTasks + 1,
        failures: deployment.failures + 1,
        failedLaunches,
        nextLaunchAt: now + launchDelay(failedLaunches),
        updatedAt: now,
      };
    });
  }

  /** A task that becomes healthy ends a row of failures, unless the circuit breaker is told to add them all up. */
  #noteHealthy(): void {
    const { deploymentCircuitBreaker: breaker } = this.#document.deploymentConfiguration;
    for (const { id } of this.#document.deployments) {
      const present = this.#present().filter((task) => task.deploymentId === id);
      this.#change(id, (deployment) => {
        const known = deployment.healthyTasks.filter((task) => present.some((one) => one.id === task));
        const fresh = present.filter(this.#isHealthy).filter((task) => !known.includes(task.id));
        const reset = fresh.length > 0 && breaker?.resetOnHealthyTask !== false;
        return {
          ...deployment,
          healthyTasks: [...known, ...fresh.map((task) => task.id)],
          ...(fresh.length > 0 && { failedLaunches: 0, nextLaunchAt: 0 }),
          ...(reset && { failures: 0 }),
        };
      });
    }
  }

  #breakCircuit(): void {
    const { service, now, freshDeploymentId } = this.#situation;
    const { deploymentConfiguration, desiredCount } = this.#document;
    const threshold = failureThreshold(deploymentConfiguration.deploymentCircuitBreaker, desiredCount);
    const failing = this.#primary;
    if (threshold === undefined || failing.rolloutState !== "IN_PROGRESS" || failing.failures < threshold) return;
    this.#change(failing.id, (deployment) => failedDeployment(deployment, now));
    this.#events.push(serviceEvents.deploymentFailed(service.name, failing.id));
    const rollback = rollbackDeployment(this.#document, failing, freshDeploymentId, now);
    if (!rollback) return;
    this.#document = withPrimary(this.#document, rollback);
    this.#events.push(serviceEvents.rollingBack(service.name, rollback.id));
  }

  #stopAll(): void {
    for (const task of this.#kept()) this.#stop(task, this.#scaling());
  }

  /** What fails its checks after the grace period is replaced. */
  #stopUnwell(): void {
    const { service, now } = this.#situation;
    for (const task of this.#kept()) {
      if (task.lastStatus !== "RUNNING" || task.startedAt === undefined) continue;
      if (now < task.startedAt + this.#document.healthCheckGracePeriodSeconds * 1000) continue;
      const target = task.targets.find(({ state }) => state === "unhealthy");
      if (task.health === "UNHEALTHY") {
        this.#stop(task, FAILED_CONTAINER_CHECKS);
        this.#events.push(serviceEvents.failedContainerChecks(service.name, task.id));
      } else if (target) {
        this.#stop(task, failedTargetChecks(target.targetGroupArn));
        this.#events.push(serviceEvents.unhealthyTarget(service.name, target));
      }
    }
  }

  /**
   * Tasks of earlier deployments go as soon as as many others are healthy as must be; those that serve nobody go first.
   * Of the primary deployment go those beyond the desired count, again the useless first.
   */
  #stopSurplus(): void {
    const { desiredCount } = this.#document;
    const { minimumHealthyPercent = 100 } = this.#document.deploymentConfiguration;
    const least = Math.ceil((desiredCount * minimumHealthyPercent) / 100);
    const byUse = (tasks: TaskView[]) => [
      ...tasks.filter((one) => !this.#isHealthy(one)),
      ...tasks.filter(this.#isHealthy),
    ];

    const extra = byUse(this.#kept().filter(this.#isPrimary));
    for (const task of extra.slice(0, Math.max(extra.length - desiredCount, 0))) this.#stop(task, this.#scaling());

    // A deployment that failed and is not rolled back leaves what still serves alone.
    if (this.#primary.rolloutState === "FAILED") return;
    const earlier = this.#kept().filter((one) => !this.#isPrimary(one));
    for (const task of [...earlier.filter((one) => !this.#serves(one)), ...earlier.filter(this.#serves)]) {
      const healthyOthers = this.#kept().filter((one) => one.id !== task.id && this.#isHealthy(one)).length;
      if (this.#serves(task) && healthyOthers < least) return;
      this.#stop(task, this.#scaling());
    }
  }

  #scaling = () => `Scaling activity initiated by (deployment ${this.#primary.id})`;

  #stop(task: TaskView, reason: string): void {
    this.#stops.set(task.id, { code: "ServiceSchedulerInitiated", reason });
  }

  #launches(): number {
    const { service, placeable, now } = this.#situation;
    const { desiredCount } = this.#document;
    const { maximumPercent = 200 } = this.#document.deploymentConfiguration;
    const primary = this.#primary;
    if (primary.rolloutState === "FAILED") return 0;
    const kept = this.#kept();
    const wanted = desiredCount - kept.filter(this.#isPrimary).length;
    const most = Math.floor((desiredCount * maximumPercent) / 100);
    const launches = Math.max(Math.min(wanted, most - kept.length), 0);
    if (launches === 0) return 0;
    if (!placeable) {
      this.#sayUnplaced();
      return 0;
    }
    if (now < primary.nextLaunchAt) {
      const said = primary.impairedAt !== undefined && now < primary.impairedAt + REPEAT_EVENT_MS;
      if (!said) this.#events.push(serviceEvents.impaired(service.name));
      this.#change(primary.id, (deployment) => ({ ...deployment, impairedAt: said ? deployment.impairedAt : now }));
      return 0;
    }
    return launches;
  }

  #sayUnplaced(): void {
    const { service, now } = this.#situation;
    const { unplacedAt } = this.#document;
    if (unplacedAt !== undefined && now < unplacedAt + REPEAT_EVENT_MS) return;
    this.#events.push(serviceEvents.unplaced(service.name));
    this.#document = { ...this.#document, unplacedAt: now };
  }

  #sayWhatIsStopped(): void {
    const { service, tasks } = this.#situation;
    const stopped = tasks.filter(({ id, lastStatus }) => this.#stops.has(id) && lastStatus === "RUNNING");
    if (stopped.length === 0) return;
    this.#events.push(
      serviceEvents.stopped(
        service.name,
        stopped.map(({ id }) => id),
      ),
    );
    const targets = Map.groupBy(
      stopped.flatMap((task) => task.targets),
      ({ targetGroupArn }) => targetGroupArn,
    );
    for (const [arn, { length }] of targets) this.#events.push(serviceEvents.deregistered(service.name, length, arn));
    if (targets.size > 0) this.#events.push(serviceEvents.draining(service.name, stopped.length));
  }

  /** Earlier deployments are gone when their last task is. */
  #dropFinished(): void {
    const busy = new Set(this.#present().map(({ deploymentId }) => deploymentId));
    const deployments = this.#document.deployments.filter(({ id, status }) => status === "PRIMARY" || busy.has(id));
    this.#document = { ...this.#document, deployments };
  }

  /** Whether everything is as it should be; says so when it has just become so. */
  #settle(launches: number): boolean {
    const { service, now } = this.#situation;
    const present = this.#present();
    const primary = this.#primary;
    const steady =
      service.status === "ACTIVE" &&
      launches === 0 &&
      primary.rolloutState !== "FAILED" &&
      present.length === this.#document.desiredCount &&
      present.length === this.#kept().length &&
      present.every((task) => this.#isPrimary(task) && this.#isHealthy(task));
    if (steady && primary.rolloutState === "IN_PROGRESS") {
      this.#change(primary.id, (deployment) => completedDeployment(deployment, now));
      const lastCompleted = { deploymentId: primary.id, taskDefinition: primary.taskDefinition };
      this.#document = { ...this.#document, lastCompleted };
      this.#events.push(serviceEvents.deploymentCompleted(service.name, primary.id));
    }
    if (steady && !this.#document.steady) this.#events.push(serviceEvents.steady(service.name));
    this.#document = { ...this.#document, steady };
    return steady;
  }
}
