/**
 * A task's life. Pure: what happens next is decided from the task, what was seen, and the time.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
 *
 *   PROVISIONING ─► PENDING ─► ACTIVATING ─► RUNNING ─► DEACTIVATING ─► STOPPING ─► DEPROVISIONING ─► STOPPED
 *        │             │            │                         ▲             ▲                ▲
 *        │             │            └─────── stop, exit ──────┘             │                │
 *        │             └──────────── stop, failure, exit ───────────────────┘                │
 *        └────────────────────────── stop, failure ──────────────────────────────────────────┘
 *
 * PENDING pulls images and starts containers; ACTIVATING registers with target groups; DEACTIVATING deregisters and
 * waits for connections to drain; STOPPING ends the containers; DEPROVISIONING removes them.
 */
import type { Stop, Task, TaskContainer, TaskDocument, TaskStatus, TaskTarget } from "./model.ts";

export type TaskEvent =
  /** The task has what it needs from outside its containers. */
  | { readonly type: "provisioned" }
  /** Images are at hand; digests by container name. */
  | { readonly type: "pulled"; readonly digests: Readonly<Record<string, string>>; readonly startedAt: Date }
  /** Every container has been started. */
  | { readonly type: "launched"; readonly containers: readonly TaskContainer[]; readonly privateIp?: string }
  | { readonly type: "registered"; readonly targets: readonly TaskTarget[] }
  /** Containers changed, and the task goes on. */
  | { readonly type: "observed"; readonly containers: readonly TaskContainer[] }
  /** The user or the scheduler wants the task stopped: `task.stop` says why. */
  | { readonly type: "stop-requested" }
  | { readonly type: "failed"; readonly stop: Stop; readonly containers?: readonly TaskContainer[] }
  | { readonly type: "exited"; readonly containers: readonly TaskContainer[]; readonly reason?: string }
  | { readonly type: "drained" }
  | { readonly type: "ended"; readonly containers: readonly TaskContainer[] }
  | { readonly type: "removed" };

type Outcome = Partial<TaskDocument> & { readonly status?: TaskStatus; readonly stop?: Stop };
type Transitions = {
  readonly [E in TaskEvent["type"]]?: (event: Extract<TaskEvent, { type: E }>, now: number) => Outcome;
};

const ESSENTIAL_EXITED = "Essential container in task exited";

const stopRequested = (status: TaskStatus) => (_event: unknown, now: number) => ({ status, stoppingAt: now });
const failed =
  (status: TaskStatus) =>
  ({ stop, containers }: Extract<TaskEvent, { type: "failed" }>, now: number): Outcome => ({
    status,
    stop,
    stoppingAt: now,
    ...(containers && { containers }),
  });
const exited =
  (status: TaskStatus) =>
  ({ containers, reason }: Extract<TaskEvent, { type: "exited" }>, now: number): Outcome => ({
    status,
    stop: { code: "EssentialContainerExited", reason: reason ?? ESSENTIAL_EXITED },
    stoppingAt: now,
    containers,
  });

const TRANSITIONS: Readonly<Record<TaskStatus, Transitions>> = {
  PROVISIONING: {
    provisioned: () => ({ status: "PENDING" }),
    "stop-requested": stopRequested("DEPROVISIONING"),
    failed: failed("DEPROVISIONING"),
  },
  PENDING: {
    pulled: ({ startedAt }, now) => ({ pullStartedAt: startedAt.getTime(), pullStoppedAt: now }),
    observed: ({ containers }) => ({ containers }),
    launched: ({ containers, privateIp }) => ({ status: "ACTIVATING", containers, ...(privateIp && { privateIp }) }),
    "stop-requested": stopRequested("STOPPING"),
    failed: failed("STOPPING"),
    exited: exited("STOPPING"),
  },
  ACTIVATING: {
    registered: ({ targets }, now) => ({ status: "RUNNING", targets, startedAt: now }),
    "stop-requested": stopRequested("DEACTIVATING"),
    failed: failed("DEACTIVATING"),
    exited: exited("DEACTIVATING"),
  },
  RUNNING: {
    observed: ({ containers }) => ({ containers }),
    "stop-requested": stopRequested("DEACTIVATING"),
    exited: exited("DEACTIVATING"),
  },
  DEACTIVATING: { drained: () => ({ status: "STOPPING" }) },
  STOPPING: { ended: ({ containers }, now) => ({ status: "DEPROVISIONING", containers, executionStoppedAt: now }) },
  DEPROVISIONING: { removed: (_event, now) => ({ status: "STOPPED", stoppedAt: now }) },
  STOPPED: {},
};

/** Throws on an event that the task's status does not know: a fault of the runner. */
export function nextTask(task: Task, event: TaskEvent, now: Date): Task {
  const transition = TRANSITIONS[task.lastStatus][event.type] as
    | ((event: TaskEvent, now: number) => Outcome)
    | undefined;
  if (!transition) throw new Error(`A task that is ${task.lastStatus} cannot meet "${event.type}"`);
  const { status = task.lastStatus, stop, ...change } = transition(event, now.getTime());
  const document: TaskDocument = { ...task.document, ...change };
  return {
    ...task,
    lastStatus: status,
    // The first reason counts: a task that was told to stop has not failed.
    ...(stop && !task.stop && { stop }),
    ...(status !== "RUNNING" && change.stoppingAt !== undefined && { desiredStatus: "STOPPED" as const }),
    document: event.type === "pulled" ? withDigests(document, event.digests) : document,
  };
}

function withDigests(document: TaskDocument, digests: Readonly<Record<string, string>>): TaskDocument {
  const containers = document.containers.map((one) =>
    digests[one.name] === undefined ? one : { ...one, imageDigest: digests[one.name] },
  );
  return { ...document, containers };
}
