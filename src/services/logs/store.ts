/** Log groups and log streams in the database. Events are in event-store.ts. */
import { randomBytes } from "node:crypto";
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { LogGroup, LogGroupAddress, LogStream, Scope } from "./model.ts";

export type Tables = {
  log_groups: {
    id: string;
    account_id: string;
    region: string;
    name: string;
    created_at: number;
    retention_days: number | null;
    kms_key_id: string | null;
    class: string;
    deletion_protection: number;
    tags: string;
  };
  log_streams: {
    id: string;
    group_id: string;
    name: string;
    created_at: number;
    first_event_at: number | null;
    last_event_at: number | null;
    last_ingestion_at: number | null;
    next_sequence: number;
    stored_bytes: number;
  };
  log_events: {
    stream_id: string;
    sequence: number;
    group_id: string;
    timestamp: number;
    ingested_at: number;
    message: string;
  };
};

export const tablesOf = (db: Database) => db.withTables<Tables>();

/** Short, because every event carries two of them. */
const newId = () => randomBytes(9).toString("base64url");

/** The upper end of the texts that start with a prefix: U+10FFFF sorts after every character. */
const AFTER_PREFIX = "\u{10FFFF}";

/** False where the name is taken. */
export async function insertLogGroup(db: Database, group: Omit<LogGroup, "id">): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("log_groups")
    .values({
      id: newId(),
      account_id: group.accountId,
      region: group.region,
      name: group.name,
      created_at: group.createdAt,
      retention_days: group.retentionInDays ?? null,
      kms_key_id: group.kmsKeyId ?? null,
      class: group.logGroupClass,
      deletion_protection: group.deletionProtection ? 1 : 0,
      tags: JSON.stringify(group.tags),
    })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function findLogGroup(db: Database, address: LogGroupAddress): Promise<LogGroup | undefined> {
  const row = await tablesOf(db)
    .selectFrom("log_groups")
    .selectAll()
    .where("account_id", "=", address.accountId)
    .where("region", "=", address.region)
    .where("name", "=", address.name)
    .executeTakeFirst();
  return row && toLogGroup(row);
}

export async function findLogGroupById(db: Database, id: string): Promise<LogGroup | undefined> {
  const row = await tablesOf(db).selectFrom("log_groups").selectAll().where("id", "=", id).executeTakeFirst();
  return row && toLogGroup(row);
}

export interface LogGroupQuery extends Scope {
  readonly prefix?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly logGroupClass?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** In the order of their names. */
export async function listLogGroups(db: Database, query: LogGroupQuery): Promise<LogGroup[]> {
  let select = tablesOf(db)
    .selectFrom("log_groups")
    .selectAll()
    .where("account_id", "=", query.accountId)
    .where("region", "=", query.region);
  if (query.prefix !== undefined) {
    select = select.where("name", ">=", query.prefix).where("name", "<", query.prefix + AFTER_PREFIX);
  }
  if (query.names !== undefined) select = select.where("name", "in", [...query.names]);
  if (query.logGroupClass !== undefined) select = select.where("class", "=", query.logGroupClass);
  if (query.after !== undefined) select = select.where("name", ">", query.after);
  return (await select.orderBy("name").limit(query.limit).execute()).map(toLogGroup);
}

/** Bytes of the groups' events, by group id; groups without streams are missing. */
export async function storedBytes(db: Database, groupIds: readonly string[]): Promise<Map<string, number>> {
  if (groupIds.length === 0) return new Map();
  const rows = await tablesOf(db)
    .selectFrom("log_streams")
    .select((eb) => ["group_id", eb.fn.sum<number>("stored_bytes").as("bytes")])
    .where("group_id", "in", [...groupIds])
    .groupBy("group_id")
    .execute();
  return new Map(rows.map((row) => [row.group_id, Number(row.bytes)]));
}

export async function updateLogGroup(
  db: Database,
  id: string,
  change: Partial<Pick<LogGroup, "retentionInDays" | "kmsKeyId" | "tags" | "deletionProtection">>,
): Promise<void> {
  await tablesOf(db)
    .updateTable("log_groups")
    .set({
      ...("retentionInDays" in change && { retention_days: change.retentionInDays ?? null }),
      ...("kmsKeyId" in change && { kms_key_id: change.kmsKeyId ?? null }),
      ...(change.tags && { tags: JSON.stringify(change.tags) }),
      ...(change.deletionProtection !== undefined && { deletion_protection: change.deletionProtection ? 1 : 0 }),
    })
    .where("id", "=", id)
    .execute();
}

/** With its streams and events. To be called in a transaction. */
export async function deleteLogGroup(trx: Database, id: string): Promise<void> {
  await tablesOf(trx).deleteFrom("log_events").where("group_id", "=", id).execute();
  await tablesOf(trx).deleteFrom("log_streams").where("group_id", "=", id).execute();
  await tablesOf(trx).deleteFrom("log_groups").where("id", "=", id).execute();
}

/** False where the name is taken. */
export async function insertLogStream(db: Database, groupId: string, name: string, now: Date): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("log_streams")
    .values({
      id: newId(),
      group_id: groupId,
      name,
      created_at: now.getTime(),
      first_event_at: null,
      last_event_at: null,
      last_ingestion_at: null,
      next_sequence: 1,
      stored_bytes: 0,
    })
    .onConflict((conflict) => conflict.columns(["group_id", "name"]).doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function findLogStream(db: Database, groupId: string, name: string): Promise<LogStream | undefined> {
  const row = await tablesOf(db)
    .selectFrom("log_streams")
    .selectAll()
    .where("group_id", "=", groupId)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && toLogStream(row);
}

export interface LogStreamQuery {
  readonly groupId: string;
  readonly prefix?: string | undefined;
  readonly orderBy: "LogStreamName" | "LastEventTime";
  readonly descending: boolean;
  /** The last stream of the page before; its time is -1 where it has no events. */
  readonly after?: { readonly name: string; readonly lastEventAt: number } | undefined;
  readonly limit: number;
}

/** By name, or by the time of the last event and then by name; streams without events count as the oldest. */
export async function listLogStreams(db: Database, query: LogStreamQuery): Promise<LogStream[]> {
  const direction = query.descending ? "desc" : "asc";
  const beyond = query.descending ? "<" : ">";
  const { after, prefix } = query;
  let select = tablesOf(db).selectFrom("log_streams").selectAll().where("group_id", "=", query.groupId);
  if (prefix !== undefined) select = select.where("name", ">=", prefix).where("name", "<", prefix + AFTER_PREFIX);
  if (query.orderBy === "LastEventTime") {
    select = select.orderBy((eb) => eb.fn.coalesce("last_event_at", eb.lit(-1)), direction);
    if (after) {
      select = select.where((eb) => {
        const time = eb.fn.coalesce("last_event_at", eb.lit(-1));
        return eb.or([
          eb(time, beyond, after.lastEventAt),
          eb.and([eb(time, "=", after.lastEventAt), eb("name", beyond, after.name)]),
        ]);
      });
    }
  } else if (after) select = select.where("name", beyond, after.name);
  return (await select.orderBy("name", direction).limit(query.limit).execute()).map(toLogStream);
}

/** By id; those that do not exist are missing. */
export async function logStreamNames(db: Database, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tablesOf(db)
    .selectFrom("log_streams")
    .select(["id", "name"])
    .where("id", "in", [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** With its events. To be called in a transaction. */
export async function deleteLogStream(trx: Database, id: string): Promise<void> {
  await tablesOf(trx).deleteFrom("log_events").where("stream_id", "=", id).execute();
  await tablesOf(trx).deleteFrom("log_streams").where("id", "=", id).execute();
}

function toLogGroup(row: Selectable<Tables["log_groups"]>): LogGroup {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    name: row.name,
    createdAt: row.created_at,
    retentionInDays: row.retention_days ?? undefined,
    kmsKeyId: row.kms_key_id ?? undefined,
    logGroupClass: row.class,
    deletionProtection: row.deletion_protection === 1,
    tags: JSON.parse(row.tags) as Record<string, string>,
  };
}

function toLogStream(row: Selectable<Tables["log_streams"]>): LogStream {
  return {
    id: row.id,
    groupId: row.group_id,
    name: row.name,
    createdAt: row.created_at,
    firstEventAt: row.first_event_at ?? undefined,
    lastEventAt: row.last_event_at ?? undefined,
    lastIngestionAt: row.last_ingestion_at ?? undefined,
    nextSequence: row.next_sequence,
  };
}
