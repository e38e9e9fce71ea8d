/**
 * Runs tasks: one work item drives one task through states.ts for as long as the task lives. Each step looks at what is
 * there and goes on from it, so that a step which a killed Slipway left half done is simply taken again.
 */
import type { System } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { type Task, taskArn } from "../model.ts";
import { serviceEvents } from "../scheduling/service-events.ts";
import { nextTask, type TaskEvent } from "../states.ts";
import { findServiceById, insertServiceEvents } from "../store/services.ts";
import { findTaskDefinition } from "../store/task-definitions.ts";
import { deleteTask, findTaskById, requestStop, updateTask } from "../store/tasks.ts";
import { parsedTaskDefinition } from "../task-definition-reference.ts";
import { TaskSteps } from "./task-steps.ts";

export const TASK_WORK = "ecs:task";
export const SERVICE_WORK = "ecs:service";
/** Bus topics: a task or service, by its ARN, has changed. */
export const TASK_TOPIC = "ecs:task";
export const SERVICE_TOPIC = "ecs:service";

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html: "Stopped tasks appear in the returned results for at least one hour." */
const KEEP_STOPPED_MS = 60 * 60 * 1000;
/** The safety net for a lost wake-up. */
const LOOK_MS = 2_000;

export function registerTaskRunner(system: System): void {
  system.work.register(TASK_WORK, async ({ id }, signal) => {
    const task = await findTaskById(system.db, id);
    if (!task) return "done";
    if (task.lastStatus === "STOPPED") return forgotten(system, task);
    await runToItsEnd(system, task, signal);
    return new Date(0);
  });
}

async function forgotten(system: System, task: Task): Promise<"done" | Date> {
  const now = system.clock.now().getTime();
  const until = (task.document.stoppedAt ?? 0) + KEEP_STOPPED_MS;
  if (now < until) return new Date(until);
  // A service that has not drawn its conclusions from the task's end must still find it.
  if (task.serviceId && !task.accounted) return new Date(now + KEEP_STOPPED_MS);
  await inTransaction(system.db, (trx) => deleteTask(trx, task.id, taskArn(task, task.cluster, task.id)));
  return "done";
}

async function runToItsEnd(system: System, first: Task, signal: AbortSignal): Promise<void> {
  const { family, revision } = parsedTaskDefinition(first, first.document.taskDefinition)!;
  const definition = await findTaskDefinition(system.db, first, family, revision);
  if (!definition) throw new Error(`The definition ${first.document.taskDefinition} of task ${first.id} is gone`);
  const stop = new AbortController();
  const finished = new AbortController();
  const stopWatching = watchForStop(system, first, stop);
  const steps = new TaskSteps(system, definition, {
    stop: AbortSignal.any([signal, stop.signal]),
    end: AbortSignal.any([signal, finished.signal]),
  });
  try {
    let task = first;
    while (task.lastStatus !== "STOPPED") {
      const event = await steps.next(task);
      signal.throwIfAborted();
      task = await advance(system, task, event);
    }
  } finally {
    stopWatching();
    finished.abort();
    await steps.close();
  }
}

/** Aborts `stop` when somebody wants the task stopped. */
function watchForStop(system: System, task: Task, stop: AbortController): () => void {
  const look = async () => {
    const now = await findTaskById(system.db, task.id);
    if (now?.desiredStatus !== "RUNNING") stop.abort(new Error(`Task ${task.id} shall stop`));
  };
  const lookSafely = () =>
    void look().catch((error: unknown) => system.log("warn", "could not read a task", { error: String(error) }));
  const arn = taskArn(task, task.cluster, task.id);
  const unsubscribe = system.bus.subscribe(TASK_TOPIC, (key) => {
    if (key === arn) lookSafely();
  });
  const timer = setInterval(lookSafely, LOOK_MS);
  lookSafely();
  return () => {
    unsubscribe();
    clearInterval(timer);
  };
}

/** Records what the event means, and wakes the task's service in the same transaction. */
async function advance(system: System, known: Task, event: TaskEvent): Promise<Task> {
  const now = system.clock.now();
  const advanced = await inTransaction(system.db, async (trx) => {
    const current = await findTaskById(trx, known.id);
    if (current?.lastStatus !== known.lastStatus) throw new Error(`Task ${known.id} is run by somebody else`);
    const after = nextTask(current, event, now);
    await updateTask(trx, current, after);
    if (after.stop && !current.stop) await requestStop(trx, after.id, after.stop);
    if (after.serviceId) {
      if (event.type === "registered") await sayRegistered(trx, after, now);
      await system.work.schedule(trx, SERVICE_WORK, after.serviceId);
    }
    return after;
  });
  system.bus.publish(TASK_TOPIC, taskArn(advanced, advanced.cluster, advanced.id));
  system.work.wake();
  return advanced;
}

async function sayRegistered(trx: System["db"], task: Task, now: Date): Promise<void> {
  const service = await findServiceById(trx, task.serviceId!);
  if (!service) return;
  const events = task.document.targets.map((target) =>
    serviceEvents.registered(service.name, 1, target.targetGroupArn),
  );
  await insertServiceEvents(trx, service.id, events, now);
}
