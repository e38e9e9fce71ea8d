/** Pipeline executions and action executions in the database. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { ActionDetail, ActionExecution, ActionStatus, Execution } from "./model.ts";
import type { ExecutionState, ExecutionStatus } from "./states.ts";
import { type Tables, tablesOf } from "./tables.ts";

export async function insertExecution(db: Database, execution: Execution, clientToken?: string): Promise<void> {
  await tablesOf(db)
    .insertInto("pipeline_executions")
    .values({
      id: execution.id,
      pipeline_id: execution.pipelineId,
      sequence: execution.sequence,
      version: execution.version,
      status: execution.status,
      status_summary: execution.statusSummary ?? null,
      mode: execution.mode,
      trigger_type: execution.trigger.type,
      trigger_detail: execution.trigger.detail,
      variables: JSON.stringify(execution.variables),
      source_revisions: JSON.stringify(execution.sourceRevisions),
      stop_reason: execution.stopReason ?? null,
      state: JSON.stringify(execution.state),
      client_token: clientToken ?? null,
      started_at: execution.startedAt,
      updated_at: execution.updatedAt,
    })
    .execute();
}

export async function updateExecutionState(
  trx: Database,
  state: ExecutionState,
  now: number,
  stopReason?: string,
): Promise<void> {
  await tablesOf(trx)
    .updateTable("pipeline_executions")
    .set({
      status: state.status,
      state: JSON.stringify(state),
      updated_at: now,
      ...(stopReason !== undefined && { stop_reason: stopReason }),
    })
    .where("id", "=", state.id)
    .execute();
}

export async function findExecution(db: Database, pipelineId: string, id: string): Promise<Execution | undefined> {
  const row = await tablesOf(db)
    .selectFrom("pipeline_executions")
    .selectAll()
    .where("pipeline_id", "=", pipelineId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toExecution(row);
}

export async function executionIdOfToken(db: Database, pipelineId: string, token: string): Promise<string | undefined> {
  const row = await tablesOf(db)
    .selectFrom("pipeline_executions")
    .select("id")
    .where("pipeline_id", "=", pipelineId)
    .where("client_token", "=", token)
    .executeTakeFirst();
  return row?.id;
}

const UNDER_WAY: readonly ExecutionStatus[] = ["InProgress", "Stopping"];

/** Oldest first. */
export async function activeExecutions(db: Database, pipelineId: string): Promise<Execution[]> {
  const rows = await tablesOf(db)
    .selectFrom("pipeline_executions")
    .selectAll()
    .where("pipeline_id", "=", pipelineId)
    .where("status", "in", UNDER_WAY)
    .orderBy("sequence")
    .execute();
  return rows.map(toExecution);
}

/** Newest first, older than `before`. */
export async function listExecutions(
  db: Database,
  pipelineId: string,
  before: number | undefined,
  limit: number,
): Promise<Execution[]> {
  let select = tablesOf(db).selectFrom("pipeline_executions").selectAll().where("pipeline_id", "=", pipelineId);
  if (before !== undefined) select = select.where("sequence", "<", before);
  return (await select.orderBy("sequence", "desc").limit(limit).execute()).map(toExecution);
}

export async function executionsById(db: Database, ids: readonly string[]): Promise<Map<string, Execution>> {
  if (ids.length === 0) return new Map();
  const rows = await tablesOf(db).selectFrom("pipeline_executions").selectAll().where("id", "in", ids).execute();
  return new Map(rows.map((row) => [row.id, toExecution(row)]));
}

export async function insertAction(trx: Database, action: ActionExecution): Promise<void> {
  await tablesOf(trx)
    .insertInto("pipeline_action_executions")
    .values({
      id: action.id,
      pipeline_id: action.pipelineId,
      execution_id: action.executionId,
      sequence: action.sequence,
      version: action.version,
      stage: action.stage,
      action: action.action,
      status: action.status,
      started_at: action.startedAt,
      updated_at: action.updatedAt,
      external_id: null,
      detail: JSON.stringify(action.detail),
      progress: null,
    })
    .execute();
}

/** Writes only while the action is in progress; false where it is not any more (abandoned, or the pipeline deleted). */
export async function updateRunningAction(
  db: Database,
  id: string,
  change: { status: ActionStatus; detail: ActionDetail; progress?: unknown; now: number },
): Promise<boolean> {
  const updated = await tablesOf(db)
    .updateTable("pipeline_action_executions")
    .set({
      status: change.status,
      detail: JSON.stringify(change.detail),
      external_id: change.detail.externalId ?? null,
      progress: change.progress === undefined ? null : JSON.stringify(change.progress),
      updated_at: change.now,
    })
    .where("id", "=", id)
    .where("status", "=", "InProgress")
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

export async function abandonAction(
  trx: Database,
  { execution, stage, action }: { execution: string; stage: string; action: string },
  now: number,
): Promise<void> {
  await tablesOf(trx)
    .updateTable("pipeline_action_executions")
    .set({ status: "Abandoned", updated_at: now })
    .where("execution_id", "=", execution)
    .where("stage", "=", stage)
    .where("action", "=", action)
    .where("status", "=", "InProgress")
    .execute();
}

export async function findAction(db: Database, id: string): Promise<ActionExecution | undefined> {
  const row = await tablesOf(db)
    .selectFrom("pipeline_action_executions")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  return row && toAction(row);
}

/** The actions in progress that wait for something outside. */
export async function waitingActions(db: Database): Promise<{ id: string; externalId: string }[]> {
  const rows = await tablesOf(db)
    .selectFrom("pipeline_action_executions")
    .select(["id", "external_id"])
    .where("status", "=", "InProgress")
    .where("external_id", "is not", null)
    .execute();
  return rows.map((row) => ({ id: row.id, externalId: row.external_id! }));
}

/** Oldest first. */
export async function actionsOfExecutions(db: Database, executionIds: readonly string[]): Promise<ActionExecution[]> {
  if (executionIds.length === 0) return [];
  const rows = await tablesOf(db)
    .selectFrom("pipeline_action_executions")
    .selectAll()
    .where("execution_id", "in", executionIds)
    .orderBy("sequence")
    .execute();
  return rows.map(toAction);
}

/** The latest run of an action, in whichever pipeline execution. */
export async function latestAction(
  db: Database,
  pipelineId: string,
  stage: string,
  action: string,
): Promise<ActionExecution | undefined> {
  const row = await tablesOf(db)
    .selectFrom("pipeline_action_executions")
    .selectAll()
    .where("pipeline_id", "=", pipelineId)
    .where("stage", "=", stage)
    .where("action", "=", action)
    .orderBy("sequence", "desc")
    .limit(1)
    .executeTakeFirst();
  return row && toAction(row);
}

/** Newest first, older than `before`. */
export async function listActions(
  db: Database,
  query: { pipelineId: string; executionId: string | undefined; before: number | undefined; limit: number },
): Promise<ActionExecution[]> {
  let select = tablesOf(db)
    .selectFrom("pipeline_action_executions")
    .selectAll()
    .where("pipeline_id", "=", query.pipelineId);
  if (query.executionId !== undefined) select = select.where("execution_id", "=", query.executionId);
  if (query.before !== undefined) select = select.where("sequence", "<", query.before);
  return (await select.orderBy("sequence", "desc").limit(query.limit).execute()).map(toAction);
}

function toExecution(row: Selectable<Tables["pipeline_executions"]>): Execution {
  return {
    id: row.id,
    pipelineId: row.pipeline_id,
    sequence: Number(row.sequence),
    version: row.version,
    status: row.status as ExecutionStatus,
    statusSummary: row.status_summary ?? undefined,
    mode: row.mode as sdk.ExecutionMode,
    trigger: { type: row.trigger_type as sdk.TriggerType, detail: row.trigger_detail },
    variables: JSON.parse(row.variables),
    sourceRevisions: JSON.parse(row.source_revisions),
    stopReason: row.stop_reason ?? undefined,
    state: JSON.parse(row.state),
    startedAt: Number(row.started_at),
    updatedAt: Number(row.updated_at),
  };
}

function toAction(row: Selectable<Tables["pipeline_action_executions"]>): ActionExecution {
  return {
    id: row.id,
    pipelineId: row.pipeline_id,
    executionId: row.execution_id,
    sequence: Number(row.sequence),
    version: row.version,
    stage: row.stage,
    action: row.action,
    status: row.status as ActionStatus,
    startedAt: Number(row.started_at),
    updatedAt: Number(row.updated_at),
    detail: JSON.parse(row.detail),
    progress: row.progress === null ? undefined : JSON.parse(row.progress),
  };
}
