import type { Database } from "#store/database.ts";
import type { Scope, TaskDefinition, TaskDefinitionDocument } from "../model.ts";
import { type TaskDefinitionRow, tablesOf } from "./tables.ts";

/** Gives the definition its family's next revision. Rows are never deleted, so that a revision is never given twice. */
export async function insertTaskDefinition(
  trx: Database,
  definition: Omit<TaskDefinition, "revision">,
): Promise<TaskDefinition> {
  const { accountId, region, family } = definition;
  const last = await tablesOf(trx)
    .selectFrom("ecs_task_definitions")
    .select((eb) => eb.fn.max("revision").as("revision"))
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where("family", "=", family)
    .executeTakeFirst();
  const revision = Number(last?.revision ?? 0) + 1;
  await tablesOf(trx)
    .insertInto("ecs_task_definitions")
    .values({
      account_id: accountId,
      region,
      family,
      revision,
      status: definition.status,
      registered_at: definition.registeredAt,
      registered_by: definition.registeredBy,
      deregistered_at: null,
      document: JSON.stringify(definition.document),
    })
    .execute();
  return { ...definition, revision };
}

/** Without a revision: the family's latest ACTIVE one. */
export async function findTaskDefinition(
  db: Database,
  scope: Scope,
  family: string,
  revision: number | undefined,
): Promise<TaskDefinition | undefined> {
  let select = tablesOf(db)
    .selectFrom("ecs_task_definitions")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("family", "=", family);
  select = revision === undefined ? select.where("status", "=", "ACTIVE") : select.where("revision", "=", revision);
  const row = await select.orderBy("revision", "desc").limit(1).executeTakeFirst();
  return row && toTaskDefinition(row);
}

export type Listed = Pick<TaskDefinition, "family" | "revision" | "status">;

/** By family, then revision, without their documents. */
export async function listTaskDefinitions(db: Database, scope: Scope): Promise<Listed[]> {
  const rows = await tablesOf(db)
    .selectFrom("ecs_task_definitions")
    .select(["family", "revision", "status"])
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .orderBy("family")
    .orderBy("revision")
    .execute();
  return rows.map((row) => ({ ...row, status: row.status as TaskDefinition["status"] }));
}

export async function updateTaskDefinition(
  db: Database,
  { accountId, region, family, revision }: TaskDefinition,
  change: Pick<TaskDefinition, "status"> & { readonly deregisteredAt?: number },
): Promise<void> {
  await tablesOf(db)
    .updateTable("ecs_task_definitions")
    .set({
      status: change.status,
      ...(change.deregisteredAt !== undefined && { deregistered_at: change.deregisteredAt }),
    })
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where("family", "=", family)
    .where("revision", "=", revision)
    .execute();
}

function toTaskDefinition(row: TaskDefinitionRow): TaskDefinition {
  return {
    accountId: row.account_id,
    region: row.region,
    family: row.family,
    revision: Number(row.revision),
    status: row.status as TaskDefinition["status"],
    registeredAt: Number(row.registered_at),
    registeredBy: row.registered_by,
    deregisteredAt: row.deregistered_at === null ? undefined : Number(row.deregistered_at),
    document: JSON.parse(row.document) as TaskDefinitionDocument,
  };
}
