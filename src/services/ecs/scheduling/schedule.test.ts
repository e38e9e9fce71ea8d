/** The scheduler's decisions as data: scenarios.json. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeploymentCircuitBreaker } from "@aws-sdk/client-ecs";
import type { Deployment, Service, StopCode, TaskStatus } from "../model.ts";
import { launchDelay, newDeployment } from "./deployments.ts";
import given from "./scenarios.json" with { type: "json" };
import { schedule, type TaskView } from "./schedule.ts";

interface Scenario {
  readonly name: string;
  readonly desired: number;
  readonly tasks: readonly {
    readonly id: string;
    readonly deployment?: string;
    readonly status?: TaskStatus;
    readonly wanted?: "RUNNING" | "STOPPED";
    readonly health?: TaskView["health"];
    readonly targets?: readonly string[];
    readonly startedAt?: number;
    readonly stopCode?: StopCode;
    readonly stoppedReason?: string;
  }[];
  readonly status?: Service["status"];
  readonly rollout?: Deployment["rolloutState"];
  readonly steady?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly grace?: number;
  readonly failures?: number;
  readonly breaker?: DeploymentCircuitBreaker;
  readonly placeable?: boolean;
  readonly now?: number;
  readonly expect: {
    readonly launches?: number;
    readonly rollout: string;
    readonly steady?: boolean;
    readonly status?: string;
    readonly stops?: Readonly<Record<string, string>>;
    readonly accounted?: readonly string[];
    readonly events?: readonly string[];
    readonly deployments?: readonly string[];
    readonly failedTasks?: number;
  };
}

/** The service is "web"; its deployments are "new", the primary one, and "old" where a task is of it. */
function aService(scenario: Scenario): Service {
  const failures = scenario.failures ?? 0;
  const primary: Deployment = {
    ...newDeployment("new", "app:2", 0),
    rolloutState: scenario.rollout ?? "IN_PROGRESS",
    failures,
    failedLaunches: failures,
  };
  const old: Deployment = { ...newDeployment("old", "app:1", 0), status: "ACTIVE", rolloutState: "COMPLETED" };
  const hasOld = scenario.tasks.some(({ deployment }) => deployment === "old");
  return {
    id: "1",
    accountId: "111122223333",
    region: "us-east-1",
    cluster: "default",
    name: "web",
    status: scenario.status ?? "ACTIVE",
    version: 1,
    createdAt: 0,
    document: {
      createdBy: "",
      request: "",
      desiredCount: scenario.desired,
      taskDefinition: "app:2",
      launchType: "FARGATE",
      platformVersion: "1.4.0",
      loadBalancers: [],
      deploymentConfiguration: {
        minimumHealthyPercent: scenario.minimum ?? 100,
        maximumPercent: scenario.maximum ?? 200,
        deploymentCircuitBreaker: scenario.breaker,
      },
      healthCheckGracePeriodSeconds: scenario.grace ?? 0,
      propagateTags: "NONE",
      enableECSManagedTags: false,
      availabilityZoneRebalancing: "ENABLED",
      deployments: hasOld ? [primary, old] : [primary],
      lastCompleted: hasOld ? { deploymentId: "old", taskDefinition: "app:1" } : undefined,
      steady: scenario.steady ?? false,
    },
  };
}

const toView = (task: Scenario["tasks"][number]): TaskView => ({
  id: task.id,
  deploymentId: task.deployment ?? "new",
  lastStatus: task.status ?? "RUNNING",
  desiredStatus: task.wanted ?? "RUNNING",
  stopCode: task.stopCode,
  stoppedReason: task.stoppedReason,
  startedAt: task.startedAt ?? ((task.status ?? "RUNNING") === "RUNNING" ? 0 : undefined),
  health: task.health ?? "NONE",
  targets: (task.targets ?? []).map((state) => ({ targetGroupArn: "tg", port: 4567, state, description: undefined })),
});

for (const scenario of given as unknown as readonly Scenario[]) {
  test(scenario.name, () => {
    const service = aService(scenario);
    const plan = schedule({
      service,
      tasks: scenario.tasks.map(toView),
      placeable: scenario.placeable ?? true,
      now: scenario.now ?? 1_000_000,
      freshDeploymentId: "fresh",
    });
    const { expect } = scenario;
    const actual = {
      launches: plan.launches,
      rollout: plan.document.deployments[0]!.rolloutState,
      steady: plan.document.steady,
      status: plan.status,
      stops: Object.fromEntries(plan.stops.map(({ taskId, stop }) => [taskId, stop.reason])),
      accounted: plan.accounted,
      events: plan.events,
      deployments: plan.document.deployments.map(({ id }) => id),
      failedTasks: plan.document.deployments[0]!.failedTasks,
    };
    assert.deepEqual(actual, {
      launches: 0,
      steady: false,
      status: "ACTIVE",
      stops: {},
      accounted: [],
      events: [],
      deployments: ["new"],
      failedTasks: 0,
      ...expect,
    });
  });
}

test("failing launches wait longer and longer, up to 27 minutes", () => {
  const waits = [0, 1, 2, 3, 4, 5, 10, 11, 100].map((failures) => launchDelay(failures) / 1000);
  assert.deepEqual(waits, [0, 0, 0, 10, 20, 40, 1280, 1620, 1620]);
});

test("a service without tasks to wait for is looked at less often", () => {
  const scenario: Scenario = { name: "", desired: 0, tasks: [], expect: { rollout: "" } };
  const look = (desired: number) => {
    const service = aService({ ...scenario, desired });
    return schedule({ service, tasks: [], placeable: true, now: 0, freshDeploymentId: "fresh" }).lookAgainAt;
  };
  assert.ok(look(0) > look(1));
});
