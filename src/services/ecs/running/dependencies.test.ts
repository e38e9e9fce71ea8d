import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerCondition, ContainerDefinition } from "@aws-sdk/client-ecs";
import type { ContainerState } from "#engines/engine.ts";
import { deadDependency, dependencyCycle, startable } from "./dependencies.ts";

const state = (name: string, change: Partial<ContainerState> = {}): ContainerState => ({
  name,
  status: "created",
  exitCode: null,
  outOfMemory: false,
  health: "none",
  startedAt: null,
  finishedAt: null,
  error: undefined,
  ...change,
});
const pair = (condition: ContainerCondition): ContainerDefinition[] => [
  { name: "app", dependsOn: [{ containerName: "db", condition }] },
  { name: "db" },
];
const may = (condition: ContainerCondition, db: Partial<ContainerState>) =>
  startable(pair(condition), [state("app"), state("db", db)]).includes("app");

test("each condition waits for what it says", () => {
  const running: Partial<ContainerState> = { status: "running", health: "starting" };
  const failed: Partial<ContainerState> = { status: "exited", exitCode: 1 };
  const ended: Partial<ContainerState> = { status: "exited", exitCode: 0 };
  const healthy: Partial<ContainerState> = { status: "running", health: "healthy" };
  const conditions = ["START", "COMPLETE", "SUCCESS", "HEALTHY"] as const;
  const met = (db: Partial<ContainerState>) => conditions.filter((condition) => may(condition, db));
  assert.deepEqual(met({}), []);
  assert.deepEqual(met(running), ["START"]);
  assert.deepEqual(met(failed), ["START", "COMPLETE"]);
  assert.deepEqual(met(ended), ["START", "COMPLETE", "SUCCESS"]);
  assert.deepEqual(met(healthy), ["START", "HEALTHY"]);
});

test("what can never be met, or takes longer than it may, is told", () => {
  const at = (milliseconds: number) => new Date(milliseconds);
  const exited = [state("app"), state("db", { status: "exited", exitCode: 1, startedAt: at(0) })];
  assert.match(deadDependency(pair("SUCCESS"), exited, at(1))!, /\[db\] for target \[app\] as dependency did not exit/);
  assert.equal(deadDependency(pair("COMPLETE"), exited, at(1)), undefined);
  const slow = [state("app"), state("db", { status: "running", startedAt: at(0) })];
  assert.equal(deadDependency(pair("HEALTHY"), slow, at(180_000)), undefined);
  assert.match(deadDependency(pair("HEALTHY"), slow, at(180_001))!, /within 180 seconds/);
  const impatient = [{ ...pair("HEALTHY")[0]! }, { name: "db", startTimeout: 5 }];
  assert.match(deadDependency(impatient, slow, at(5_001))!, /within 5 seconds/);
});

test("circles are found", () => {
  const on = (name: string, ...others: string[]): ContainerDefinition => ({
    name,
    dependsOn: others.map((containerName) => ({ containerName, condition: "START" })),
  });
  assert.deepEqual(dependencyCycle([on("a", "b"), on("b", "c"), on("c", "a")]), ["a", "b", "c", "a"]);
  assert.deepEqual(dependencyCycle([on("a", "a")]), ["a", "a"]);
  assert.equal(dependencyCycle([on("a", "b", "c"), on("b", "c"), on("c")]), undefined);
});
