import type { Database } from "#store/database.ts";
import type { Scope, Stop, StopCode, Task, TaskDocument, TaskStatus } from "../model.ts";
import { type TaskRow, tablesOf } from "./tables.ts";

export async function insertTask(db: Database, task: Task): Promise<void> {
  await tablesOf(db)
    .insertInto("ecs_tasks")
    .values({
      id: task.id,
      account_id: task.accountId,
      region: task.region,
      cluster: task.cluster,
      service_id: task.serviceId ?? null,
      family: task.family,
      launch_type: task.launchType,
      started_by: task.startedBy ?? null,
      created_at: task.createdAt,
      last_status: task.lastStatus,
      desired_status: task.desiredStatus,
      stop_code: task.stop?.code ?? null,
      stopped_reason: task.stop?.reason ?? null,
      accounted: task.accounted ? 1 : 0,
      document: JSON.stringify(task.document),
    })
    .execute();
}

export async function findTaskById(db: Database, id: string): Promise<Task | undefined> {
  const row = await tablesOf(db).selectFrom("ecs_tasks").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toTask(row);
}

/** All of a cluster's, STOPPED ones of the last hour too, in the order in which they were made. */
export async function listTasks(db: Database, scope: Scope, cluster: string): Promise<Task[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_tasks")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("cluster", "=", cluster)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(toTask);
}

/** Those that the scheduler has not done with: not STOPPED, or STOPPED and not yet accounted for. */
export async function listServiceTasks(db: Database, serviceId: string): Promise<Task[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_tasks")
    .selectAll()
    .where("service_id", "=", serviceId)
    .where("accounted", "=", 0)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map(toTask);
}

/** Every account's tasks that have images on the engine or will: all but those that are removed or being removed. */
export async function listTasksWithImages(db: Database): Promise<Task[]> {
  const over: TaskStatus[] = ["DEPROVISIONING", "STOPPED"];
  const rows = await tablesOf(db).selectFrom("ecs_tasks").selectAll().where("last_status", "not in", over).execute();
  return rows.map(toTask);
}

/** By status: PROVISIONING, PENDING and ACTIVATING count as pending. */
export interface TaskCounts {
  readonly running: number;
  readonly pending: number;
}

export function taskCounts(tasks: readonly Task[]): TaskCounts {
  const count = (...statuses: TaskStatus[]) => tasks.filter(({ lastStatus }) => statuses.includes(lastStatus)).length;
  return { running: count("RUNNING"), pending: count("PROVISIONING", "PENDING", "ACTIVATING") };
}

/** What the task's runner found out or did. False where the task has moved on without this runner. */
export async function updateTask(db: Database, before: Task, after: Task): Promise<boolean> {
  const updated = await tablesOf(db)
    .updateTable("ecs_tasks")
    .set({ last_status: after.lastStatus, document: JSON.stringify(after.document) })
    .where("id", "=", before.id)
    .where("last_status", "=", before.lastStatus)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

/** Asks for a task's end. The first reason counts; false where it was asked before. */
export async function requestStop(db: Database, taskId: string, stop: Stop): Promise<boolean> {
  const updated = await tablesOf(db)
    .updateTable("ecs_tasks")
    .set({ desired_status: "STOPPED", stop_code: stop.code, stopped_reason: stop.reason })
    .where("id", "=", taskId)
    .where("desired_status", "=", "RUNNING")
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

export async function markAccounted(db: Database, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await tablesOf(db)
    .updateTable("ecs_tasks")
    .set({ accounted: 1 })
    .where("id", "in", [...taskIds])
    .execute();
}

/** With what hangs on it. */
export async function deleteTask(trx: Database, taskId: string, arn: string): Promise<void> {
  await tablesOf(trx).deleteFrom("ecs_log_cursors").where("task_id", "=", taskId).execute();
  await tablesOf(trx).deleteFrom("ecs_tags").where("resource_arn", "=", arn).execute();
  await tablesOf(trx).deleteFrom("ecs_tasks").where("id", "=", taskId).execute();
}

/** How many lines of the container's log are in CloudWatch Logs. */
export async function logCursor(db: Database, taskId: string, container: string): Promise<number> {
  const row = await tablesOf(db)
    .selectFrom("ecs_log_cursors")
    .select("next_line")
    .where("task_id", "=", taskId)
    .where("container", "=", container)
    .executeTakeFirst();
  return Number(row?.next_line ?? 0);
}

export async function putLogCursor(db: Database, taskId: string, container: string, nextLine: number): Promise<void> {
  await tablesOf(db)
    .insertInto("ecs_log_cursors")
    .values({ task_id: taskId, container, next_line: nextLine })
    .onConflict((conflict) => conflict.columns(["task_id", "container"]).doUpdateSet({ next_line: nextLine }))
    .execute();
}

function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    cluster: row.cluster,
    serviceId: row.service_id ?? undefined,
    family: row.family,
    launchType: row.launch_type,
    startedBy: row.started_by ?? undefined,
    createdAt: Number(row.created_at),
    lastStatus: row.last_status as TaskStatus,
    desiredStatus: row.desired_status as Task["desiredStatus"],
    stop: row.stop_code === null ? undefined : { code: row.stop_code as StopCode, reason: row.stopped_reason ?? "" },
    accounted: row.accounted === 1,
    document: JSON.parse(row.document) as TaskDocument,
  };
}
