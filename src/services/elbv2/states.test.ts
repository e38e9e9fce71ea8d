import assert from "node:assert/strict";
import { test } from "node:test";
import type { Health, HealthCheckSettings } from "./model.ts";
import { type CheckOutcome, checkInterval, HEALTHY, healthAfter, type Progress, REGISTERING } from "./states.ts";

const SETTINGS: HealthCheckSettings = {
  protocol: "HTTP",
  port: "traffic-port",
  path: "/",
  intervalSeconds: 10,
  timeoutSeconds: 5,
  healthyThreshold: 3,
  unhealthyThreshold: 2,
  matcher: "200",
};
const PASS: CheckOutcome = { passed: true };
const FAIL: CheckOutcome = { passed: false, reason: "Target.Timeout", description: "Request timed out" };
const UNHEALTHY = { state: "unhealthy", reason: "Target.Timeout", description: "Request timed out" } as const;

function states(start: Health, outcomes: readonly CheckOutcome[], everyMs: number): string[] {
  let health = start;
  let progress: Progress | undefined;
  return outcomes.map((outcome, index) => {
    ({ health, progress } = healthAfter(health, progress, outcome, SETTINGS, index * everyMs));
    return health.state;
  });
}

test("one passed check makes a new target healthy", () => {
  assert.deepEqual(states(REGISTERING, [FAIL, PASS], 1000), ["initial", "healthy"]);
});

test("a new target that fails is given up when as many checks at the interval would have failed", () => {
  const found = states(REGISTERING, Array<CheckOutcome>(12).fill(FAIL), 1000);
  assert.equal(found.indexOf("unhealthy"), 10);
});

test("a new target that fails its first check says that it is being checked", () => {
  assert.equal(healthAfter(REGISTERING, undefined, FAIL, SETTINGS, 0).health.reason, "Elb.InitialHealthChecking");
});

test("only consecutive failures up to the threshold make a healthy target unhealthy", () => {
  assert.deepEqual(states(HEALTHY, [FAIL, PASS, FAIL, FAIL], 10_000), ["healthy", "healthy", "healthy", "unhealthy"]);
});

test("only consecutive passes up to the threshold make an unhealthy target healthy", () => {
  const found = states(UNHEALTHY, [PASS, PASS, FAIL, PASS, PASS, PASS], 10_000);
  assert.deepEqual(found, ["unhealthy", "unhealthy", "unhealthy", "unhealthy", "unhealthy", "healthy"]);
});

test("an unhealthy target tells the latest reason", () => {
  const mismatch: CheckOutcome = { passed: false, reason: "Target.ResponseCodeMismatch", description: "503" };
  assert.equal(healthAfter(UNHEALTHY, undefined, mismatch, SETTINGS, 0).health.reason, "Target.ResponseCodeMismatch");
});

test("new targets are checked every second, others at the interval", () => {
  assert.equal(checkInterval(REGISTERING, SETTINGS), 1000);
  assert.equal(checkInterval(HEALTHY, SETTINGS), 10_000);
});
