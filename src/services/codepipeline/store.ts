/** Pipelines, their structures and transitions in the database. Executions are in execution-store.ts. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { Selectable } from "kysely";
import { type Database, inTransaction } from "#store/database.ts";
import type { Declaration, Pipeline, Scope, StageTransition, Tags } from "./model.ts";
import { type Tables, tablesOf } from "./tables.ts";

/** False where the name is taken. */
export async function insertPipeline(db: Database, pipeline: Pipeline, declaration: Declaration): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("pipelines")
    .values({
      id: pipeline.id,
      account_id: pipeline.accountId,
      region: pipeline.region,
      name: pipeline.name,
      version: pipeline.version,
      next_sequence: 1,
      stage_executions: JSON.stringify(pipeline.stageExecutions),
      created_at: pipeline.createdAt,
      updated_at: pipeline.updatedAt,
      tags: JSON.stringify(pipeline.tags),
    })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doNothing())
    .executeTakeFirst();
  if ((inserted.numInsertedOrUpdatedRows ?? 0n) === 0n) return false;
  await insertVersion(db, pipeline.id, pipeline.version, declaration);
  return true;
}

/** Becomes the current structure. */
export async function addVersion(
  db: Database,
  pipeline: Pipeline,
  declaration: Declaration,
  version: number,
  now: number,
): Promise<void> {
  await insertVersion(db, pipeline.id, version, declaration);
  await tablesOf(db).updateTable("pipelines").set({ version, updated_at: now }).where("id", "=", pipeline.id).execute();
}

function insertVersion(db: Database, pipelineId: string, version: number, declaration: Declaration) {
  return tablesOf(db)
    .insertInto("pipeline_versions")
    .values({ pipeline_id: pipelineId, version, declaration: JSON.stringify(declaration) })
    .execute();
}

export async function findPipeline(db: Database, scope: Scope, name: string): Promise<Pipeline | undefined> {
  const row = await tablesOf(db)
    .selectFrom("pipelines")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && toPipeline(row);
}

export async function findPipelineById(db: Database, id: string): Promise<Pipeline | undefined> {
  const row = await tablesOf(db).selectFrom("pipelines").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toPipeline(row);
}

/**
 * Takes the pipeline's row for the rest of the transaction, so that its executions are changed by one at a time, and
 * reserves `count` sequence numbers, of which it returns the first. undefined where the pipeline is gone.
 */
export async function lockPipeline(trx: Database, id: string, count: number): Promise<number | undefined> {
  const row = await tablesOf(trx)
    .updateTable("pipelines")
    .set((eb) => ({ next_sequence: eb("next_sequence", "+", count) }))
    .where("id", "=", id)
    .returning("next_sequence")
    .executeTakeFirst();
  return row && Number(row.next_sequence) - count;
}

export async function findDeclaration(db: Database, id: string, version: number): Promise<Declaration | undefined> {
  const row = await tablesOf(db)
    .selectFrom("pipeline_versions")
    .select("declaration")
    .where("pipeline_id", "=", id)
    .where("version", "=", version)
    .executeTakeFirst();
  return row && (JSON.parse(row.declaration) as Declaration);
}

/** Pipelines with their current structures. */
export async function currentDeclarations(
  db: Database,
  query?: Scope & { after: string | undefined; limit: number },
): Promise<{ pipeline: Pipeline; declaration: Declaration }[]> {
  let select = tablesOf(db)
    .selectFrom("pipelines")
    .innerJoin("pipeline_versions", (join) =>
      join
        .onRef("pipeline_versions.pipeline_id", "=", "pipelines.id")
        .onRef("pipeline_versions.version", "=", "pipelines.version"),
    )
    .selectAll("pipelines")
    .select("pipeline_versions.declaration");
  if (query) {
    select = select.where("account_id", "=", query.accountId).where("region", "=", query.region).limit(query.limit);
    if (query.after !== undefined) select = select.where("name", ">", query.after);
  }
  const rows = await select.orderBy("name").execute();
  return rows.map((row) => ({ pipeline: toPipeline(row), declaration: JSON.parse(row.declaration) as Declaration }));
}

export async function updateStageExecutions(
  trx: Database,
  id: string,
  stageExecutions: Readonly<Record<string, string>>,
): Promise<void> {
  await tablesOf(trx)
    .updateTable("pipelines")
    .set({ stage_executions: JSON.stringify(stageExecutions) })
    .where("id", "=", id)
    .execute();
}

export async function updateTags(db: Database, id: string, tags: Tags): Promise<void> {
  await tablesOf(db)
    .updateTable("pipelines")
    .set({ tags: JSON.stringify(tags) })
    .where("id", "=", id)
    .execute();
}

/** With everything that belongs to it. */
export function deletePipeline(db: Database, id: string): Promise<void> {
  return inTransaction(db, async (trx) => {
    const tables = tablesOf(trx);
    await tables.deleteFrom("pipelines").where("id", "=", id).execute();
    await tables.deleteFrom("pipeline_versions").where("pipeline_id", "=", id).execute();
    await tables.deleteFrom("pipeline_executions").where("pipeline_id", "=", id).execute();
    await tables.deleteFrom("pipeline_action_executions").where("pipeline_id", "=", id).execute();
    await tables.deleteFrom("pipeline_transitions").where("pipeline_id", "=", id).execute();
    await tables.deleteFrom("pipeline_source_heads").where("pipeline_id", "=", id).execute();
  });
}

export async function putTransition(db: Database, pipelineId: string, transition: StageTransition): Promise<void> {
  const values = {
    enabled: transition.enabled ? 1 : 0,
    reason: transition.reason ?? null,
    changed_by: transition.changedBy,
    changed_at: transition.changedAt,
  };
  await tablesOf(db)
    .insertInto("pipeline_transitions")
    .values({ pipeline_id: pipelineId, stage: transition.stage, type: transition.type, ...values })
    .onConflict((conflict) => conflict.columns(["pipeline_id", "stage", "type"]).doUpdateSet(values))
    .execute();
}

/** Those that were ever changed; all others are enabled. */
export async function transitionsOf(db: Database, pipelineId: string): Promise<StageTransition[]> {
  const rows = await tablesOf(db)
    .selectFrom("pipeline_transitions")
    .selectAll()
    .where("pipeline_id", "=", pipelineId)
    .execute();
  return rows.map((row) => ({
    stage: row.stage,
    type: row.type as sdk.StageTransitionType,
    enabled: row.enabled === 1,
    reason: row.reason ?? undefined,
    changedBy: row.changed_by,
    changedAt: Number(row.changed_at),
  }));
}

/** undefined where the source was not seen yet; "" where it was and had no revision. */
export async function sourceHead(db: Database, pipelineId: string, source: string): Promise<string | undefined> {
  const row = await tablesOf(db)
    .selectFrom("pipeline_source_heads")
    .select("revision")
    .where("pipeline_id", "=", pipelineId)
    .where("source", "=", source)
    .executeTakeFirst();
  return row?.revision;
}

/** With `onlyFirst`, a head that is known already stays. */
export async function putSourceHead(
  db: Database,
  pipelineId: string,
  source: string,
  revision: string,
  onlyFirst = false,
): Promise<void> {
  await tablesOf(db)
    .insertInto("pipeline_source_heads")
    .values({ pipeline_id: pipelineId, source, revision })
    .onConflict((conflict) => {
      const known = conflict.columns(["pipeline_id", "source"]);
      return onlyFirst ? known.doNothing() : known.doUpdateSet({ revision });
    })
    .execute();
}

function toPipeline(row: Selectable<Tables["pipelines"]>): Pipeline {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    version: row.version,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    tags: JSON.parse(row.tags),
    stageExecutions: JSON.parse(row.stage_executions),
  };
}
