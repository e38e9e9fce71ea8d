/** When users and roles last tried which action. */
import type { Database } from "#store/database.ts";
import type { Tables } from "./tables.ts";

/** An attempt, allowed or not, of a user or role. */
export interface Access {
  /** AIDA… or AROA… */
  readonly entityId: string;
  /** The prefix of the action: "codebuild". */
  readonly service: string;
  /** "StartBuild" */
  readonly action: string;
  readonly region: string;
  readonly at: Date;
}

/** "The tracking period for services is the last 400 days." */
const TRACKING_PERIOD_MS = 400 * 24 * 60 * 60 * 1000;
/** Rows of one statement. */
const BATCH = 500;

/** The latest of each entity at each action is kept. Another process may have written a later one. */
export async function putAccesses(db: Database, accesses: readonly Access[]): Promise<void> {
  for (let from = 0; from < accesses.length; from += BATCH) {
    const rows = accesses.slice(from, from + BATCH).map(({ entityId, service, action, region, at }) => ({
      entity_id: entityId,
      service,
      action,
      region,
      accessed_at: at.getTime(),
    }));
    await db
      .withTables<Tables>()
      .insertInto("iam_accesses")
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(["entity_id", "service", "action"])
          .doUpdateSet((eb) => ({ region: eb.ref("excluded.region"), accessed_at: eb.ref("excluded.accessed_at") }))
          .whereRef("iam_accesses.accessed_at", "<=", "excluded.accessed_at"),
      )
      .execute();
  }
}

/** The latest first. */
export async function listAccesses(db: Database, entityIds: readonly string[], now: Date): Promise<Access[]> {
  const found: Access[] = [];
  for (let from = 0; from < entityIds.length; from += BATCH) {
    const rows = await accesses(db, now)
      .where("entity_id", "in", entityIds.slice(from, from + BATCH))
      .execute();
    found.push(...rows.map(toAccess));
  }
  return found.sort((a, b) => b.at.getTime() - a.at.getTime());
}

export async function latestAccess(db: Database, entityId: string, now: Date): Promise<Access | undefined> {
  const row = await accesses(db, now)
    .where("entity_id", "=", entityId)
    .orderBy("accessed_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return row && toAccess(row);
}

/** An attempt by a user or role of an account. */
export interface AccountAccess {
  readonly accountId: string;
  readonly service: string;
  readonly region: string;
  readonly at: Date;
}

/** The latest first. */
export async function listAccountAccesses(
  db: Database,
  accountIds: readonly string[],
  now: Date,
): Promise<AccountAccess[]> {
  if (accountIds.length === 0) return [];
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_accesses as a")
    .innerJoin("iam_entities as e", "e.entity_id", "a.entity_id")
    .select(["e.account_id", "a.service", "a.region", "a.accessed_at"])
    .where("e.account_id", "in", accountIds)
    .where("a.accessed_at", ">", now.getTime() - TRACKING_PERIOD_MS)
    .orderBy("a.accessed_at", "desc")
    .execute();
  return rows.map(({ account_id, service, region, accessed_at }) => ({
    accountId: account_id,
    service,
    region,
    at: new Date(accessed_at),
  }));
}

/** With the user or role itself. */
export async function deleteAccesses(db: Database, entityId: string): Promise<void> {
  await db.withTables<Tables>().deleteFrom("iam_accesses").where("entity_id", "=", entityId).execute();
}

function accesses(db: Database, now: Date) {
  return db
    .withTables<Tables>()
    .selectFrom("iam_accesses")
    .selectAll()
    .where("accessed_at", ">", now.getTime() - TRACKING_PERIOD_MS);
}

function toAccess({ entity_id, service, action, region, accessed_at }: Tables["iam_accesses"]): Access {
  return { entityId: entity_id, service, action, region, at: new Date(accessed_at) };
}
