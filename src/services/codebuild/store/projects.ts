/** Build projects, with the webhook that each may have. */
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { ProjectRecord, ProjectSettings, Scope, StoredWebhook } from "../model.ts";
import { type Tables, tablesOf } from "./tables.ts";

/** False where the name is taken. */
export async function insertProject(db: Database, project: ProjectRecord): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("codebuild_projects")
    .values({
      account_id: project.accountId,
      region: project.region,
      name: project.name,
      settings: JSON.stringify(project.settings),
      created_at: project.createdAt,
      modified_at: project.modifiedAt,
      last_build_number: 0,
      webhook_id: null,
      webhook: null,
    })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function findProject(db: Database, scope: Scope, name: string): Promise<ProjectRecord | undefined> {
  return (await findProjects(db, scope, [name]))[0];
}

/** Those that exist, in no particular order. */
export async function findProjects(db: Database, scope: Scope, names: readonly string[]): Promise<ProjectRecord[]> {
  if (names.length === 0) return [];
  const rows = await tablesOf(db)
    .selectFrom("codebuild_projects")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("name", "in", [...names])
    .execute();
  return rows.map(toProjectRecord);
}

export async function findProjectByWebhook(db: Database, webhookId: string): Promise<ProjectRecord | undefined> {
  const row = await tablesOf(db)
    .selectFrom("codebuild_projects")
    .selectAll()
    .where("webhook_id", "=", webhookId)
    .executeTakeFirst();
  return row && toProjectRecord(row);
}

export type ProjectOrder = "name" | "created_at" | "modified_at";

export interface ProjectListQuery {
  readonly orderBy: ProjectOrder;
  readonly descending: boolean;
  /** The last project of the page before. `value` is the name itself where the order is by name. */
  readonly after?: { readonly value: string | number; readonly name: string } | undefined;
  readonly limit: number;
}

export interface ListedProject {
  readonly name: string;
  /** Of the column that the list is ordered by. */
  readonly value: string | number;
}

/** Projects with equal times are in the order of their names. */
export async function listProjects(db: Database, scope: Scope, query: ProjectListQuery): Promise<ListedProject[]> {
  const { orderBy, after } = query;
  const direction = query.descending ? "desc" : "asc";
  const beyond = query.descending ? "<" : ">";
  let select = tablesOf(db)
    .selectFrom("codebuild_projects")
    .select(["name", `${orderBy} as value`])
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .orderBy(orderBy, direction);
  if (orderBy !== "name") select = select.orderBy("name", direction);
  if (after && orderBy === "name") select = select.where("name", beyond, after.name);
  else if (after) {
    select = select.where((eb) =>
      eb.or([
        eb(orderBy, beyond, after.value as number),
        eb.and([eb(orderBy, "=", after.value as number), eb("name", beyond, after.name)]),
      ]),
    );
  }
  return select.limit(query.limit).execute();
}

export async function countProjects(db: Database, scope: Scope): Promise<number> {
  const { count } = await tablesOf(db)
    .selectFrom("codebuild_projects")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function updateProject(
  db: Database,
  scope: Scope,
  name: string,
  settings: ProjectSettings,
  modifiedAt: number,
): Promise<void> {
  await project(db, scope, name)
    .set({ settings: JSON.stringify(settings), modified_at: modifiedAt })
    .execute();
}

export async function updateWebhook(
  db: Database,
  scope: Scope,
  name: string,
  webhook: StoredWebhook | undefined,
): Promise<void> {
  await project(db, scope, name)
    .set({ webhook_id: webhook?.id ?? null, webhook: webhook ? JSON.stringify(webhook) : null })
    .execute();
}

/** The number of the project's next build. Undefined where there is no such project. */
export async function takeBuildNumber(trx: Database, scope: Scope, name: string): Promise<number | undefined> {
  await project(trx, scope, name)
    .set((eb) => ({ last_build_number: eb("last_build_number", "+", 1) }))
    .execute();
  const row = await tablesOf(trx)
    .selectFrom("codebuild_projects")
    .select("last_build_number")
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && Number(row.last_build_number);
}

/** Its builds stay, as on AWS. */
export async function deleteProject(db: Database, scope: Scope, name: string): Promise<void> {
  await tablesOf(db)
    .deleteFrom("codebuild_projects")
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("name", "=", name)
    .execute();
}

function project(db: Database, scope: Scope, name: string) {
  return tablesOf(db)
    .updateTable("codebuild_projects")
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("name", "=", name);
}

function toProjectRecord(row: Selectable<Tables["codebuild_projects"]>): ProjectRecord {
  return {
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    settings: JSON.parse(row.settings) as ProjectSettings,
    webhook: row.webhook === null ? undefined : (JSON.parse(row.webhook) as StoredWebhook),
    createdAt: Number(row.created_at),
    modifiedAt: Number(row.modified_at),
  };
}
