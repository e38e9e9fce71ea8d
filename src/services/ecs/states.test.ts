import assert from "node:assert/strict";
import { test } from "node:test";
import { TASK_STATUSES, type Task, type TaskStatus } from "./model.ts";
import { nextTask, type TaskEvent } from "./states.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const CONTAINER = { name: "app", image: "app:1", lastStatus: "PENDING", health: "UNKNOWN" } as const;

function aTask(lastStatus: TaskStatus, change: Partial<Task> = {}): Task {
  return {
    id: "1",
    accountId: "111122223333",
    region: "us-east-1",
    cluster: "default",
    family: "app",
    launchType: "FARGATE",
    createdAt: 0,
    lastStatus,
    desiredStatus: "RUNNING",
    accounted: false,
    document: {
      taskDefinition: "app:1",
      group: "family:app",
      overrides: {},
      loadBalancers: [],
      platformVersion: "1.4.0",
      cpu: "256",
      memory: "512",
      attachmentId: "",
      networkInterfaceId: "",
      macAddress: "",
      containers: [CONTAINER],
      targets: [],
    },
    ...change,
  };
}

const stop = { code: "TaskFailedToStart", reason: "CannotPullContainerError: no" } as const;
const EVENTS: { readonly [E in TaskEvent["type"]]: Extract<TaskEvent, { type: E }> } = {
  provisioned: { type: "provisioned" },
  pulled: { type: "pulled", digests: { app: "sha256:abc" }, startedAt: NOW },
  launched: { type: "launched", containers: [CONTAINER], privateIp: "10.0.0.1" },
  registered: { type: "registered", targets: [] },
  observed: { type: "observed", containers: [] },
  "stop-requested": { type: "stop-requested" },
  failed: { type: "failed", stop },
  exited: { type: "exited", containers: [] },
  drained: { type: "drained" },
  ended: { type: "ended", containers: [] },
  removed: { type: "removed" },
};

/** Every pair that there is; all others throw. */
const KNOWN: Readonly<Record<TaskStatus, Readonly<Partial<Record<TaskEvent["type"], TaskStatus>>>>> = {
  PROVISIONING: { provisioned: "PENDING", "stop-requested": "DEPROVISIONING", failed: "DEPROVISIONING" },
  PENDING: {
    pulled: "PENDING",
    observed: "PENDING",
    launched: "ACTIVATING",
    "stop-requested": "STOPPING",
    failed: "STOPPING",
    exited: "STOPPING",
  },
  ACTIVATING: {
    registered: "RUNNING",
    "stop-requested": "DEACTIVATING",
    failed: "DEACTIVATING",
    exited: "DEACTIVATING",
  },
  RUNNING: { observed: "RUNNING", "stop-requested": "DEACTIVATING", exited: "DEACTIVATING" },
  DEACTIVATING: { drained: "STOPPING" },
  STOPPING: { ended: "DEPROVISIONING" },
  DEPROVISIONING: { removed: "STOPPED" },
  STOPPED: {},
};

for (const status of TASK_STATUSES) {
  test(`${status} meets what it knows and nothing else`, () => {
    for (const event of Object.values(EVENTS)) {
      const expected = KNOWN[status][event.type];
      if (expected === undefined) assert.throws(() => nextTask(aTask(status), event, NOW), /cannot meet/);
      else assert.equal(nextTask(aTask(status), event, NOW).lastStatus, expected, event.type);
    }
  });
}

test("the first reason to stop counts", () => {
  const asked = aTask("PENDING", { stop: { code: "UserInitiated", reason: "enough" }, desiredStatus: "STOPPED" });
  assert.deepEqual(nextTask(asked, EVENTS.failed, NOW).stop, { code: "UserInitiated", reason: "enough" });
  assert.deepEqual(nextTask(aTask("PENDING"), EVENTS.failed, NOW).stop, stop);
});

test("times and findings are kept", () => {
  const pulled = nextTask(aTask("PENDING"), EVENTS.pulled, NOW);
  assert.equal(pulled.document.containers[0]!.imageDigest, "sha256:abc");
  assert.equal(pulled.document.pullStoppedAt, NOW.getTime());
  assert.equal(nextTask(aTask("PENDING"), EVENTS.launched, NOW).document.privateIp, "10.0.0.1");
  assert.equal(nextTask(aTask("ACTIVATING"), EVENTS.registered, NOW).document.startedAt, NOW.getTime());
  const exited = nextTask(aTask("RUNNING"), EVENTS.exited, NOW);
  assert.equal(exited.desiredStatus, "STOPPED");
  assert.equal(exited.document.stoppingAt, NOW.getTime());
  assert.deepEqual(exited.stop, { code: "EssentialContainerExited", reason: "Essential container in task exited" });
});
