/** Log events in the database: appended in batches, read along a stream or across a group. */
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import { EVENT_OVERHEAD_BYTES, type LogEvent, type LogStream } from "./model.ts";
import { type Tables, tablesOf } from "./store.ts";

/**
 * Rows of one INSERT. Few sizes, so that the statements are few and stay prepared whatever the batches' lengths are; the
 * largest stays far below the parameters that SQLite (32,766) and PostgreSQL (65,535) take, at six an event.
 */
const INSERT_SIZES = [500, 50, 5, 1] as const;

/** A place between two events of a stream. */
export interface Position {
  readonly timestamp: number;
  readonly sequence: number;
  /** Whether the event at this very place belongs to what lies before (backward) or after it (forward). */
  readonly inclusive: boolean;
}

export interface TimeRange {
  /** Inclusive. */
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly before?: number | undefined;
}

/** Appends in the order given. False where the stream is gone. To be called in a transaction. */
export async function appendLogEvents(
  trx: Database,
  stream: LogStream,
  events: readonly { readonly timestamp: number; readonly message: string }[],
  now: Date,
): Promise<boolean> {
  const ingestedAt = now.getTime();
  const timestamps = events.map((event) => event.timestamp);
  const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES, 0);
  const first = timestamps[0]!;
  const last = timestamps.at(-1)!;
  // The update comes first: it locks the row, so that concurrent batches get sequences one after the other.
  const updated = await tablesOf(trx)
    .updateTable("log_streams")
    .set((eb) => ({
      next_sequence: eb("next_sequence", "+", events.length),
      stored_bytes: eb("stored_bytes", "+", bytes),
      last_ingestion_at: ingestedAt,
      first_event_at: eb.case().when("first_event_at", "<=", first).then(eb.ref("first_event_at")).else(first).end(),
      last_event_at: eb.case().when("last_event_at", ">=", last).then(eb.ref("last_event_at")).else(last).end(),
    }))
    .where("id", "=", stream.id)
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) return false;
  const { next_sequence: next } = await tablesOf(trx)
    .selectFrom("log_streams")
    .select("next_sequence")
    .where("id", "=", stream.id)
    .executeTakeFirstOrThrow();
  const rows = events.map(({ timestamp, message }, index) => ({
    stream_id: stream.id,
    sequence: next - events.length + index,
    group_id: stream.groupId,
    timestamp,
    ingested_at: ingestedAt,
    message,
  }));
  for (let start = 0; start < rows.length; ) {
    const size = INSERT_SIZES.find((candidate) => candidate <= rows.length - start)!;
    await tablesOf(trx)
      .insertInto("log_events")
      .values(rows.slice(start, start + size))
      .execute();
    start += size;
  }
  return true;
}

export interface StreamEventsQuery extends TimeRange {
  readonly streamId: string;
  readonly direction: "forward" | "backward";
  readonly position?: Position | undefined;
  readonly limit: number;
}

/** The next events from the position in the direction; by timestamp, then by arrival (reversed for backward). */
export async function streamEvents(db: Database, query: StreamEventsQuery): Promise<LogEvent[]> {
  const forward = query.direction === "forward";
  const { position } = query;
  let select = tablesOf(db).selectFrom("log_events").selectAll().where("stream_id", "=", query.streamId);
  if (query.from !== undefined) select = select.where("timestamp", ">=", query.from);
  if (query.before !== undefined) select = select.where("timestamp", "<", query.before);
  if (position) {
    const beyond = forward ? ">" : "<";
    const atOrBeyond = forward ? ">=" : "<=";
    select = select
      .where("timestamp", atOrBeyond, position.timestamp)
      .where((eb) =>
        eb.or([
          eb("timestamp", beyond, position.timestamp),
          eb("sequence", position.inclusive ? atOrBeyond : beyond, position.sequence),
        ]),
      );
  }
  const order = forward ? "asc" : "desc";
  const rows = await select.orderBy("timestamp", order).orderBy("sequence", order).limit(query.limit).execute();
  return rows.map(toLogEvent);
}

export interface GroupEventsQuery extends TimeRange {
  readonly groupId: string;
  /** All streams of the group where it is undefined. */
  readonly streamIds?: readonly string[] | undefined;
  readonly after?: GroupPosition | undefined;
  readonly limit: number;
}

export interface GroupPosition {
  readonly timestamp: number;
  readonly ingestedAt: number;
  readonly streamId: string;
  readonly sequence: number;
}

/** Interleaved over the streams: by timestamp, then by time of arrival; events of one batch stay in their order. */
export async function groupEvents(db: Database, query: GroupEventsQuery): Promise<LogEvent[]> {
  const { after } = query;
  let select = tablesOf(db).selectFrom("log_events").selectAll().where("group_id", "=", query.groupId);
  if (query.streamIds) select = select.where("stream_id", "in", [...query.streamIds]);
  if (query.from !== undefined) select = select.where("timestamp", ">=", query.from);
  if (query.before !== undefined) select = select.where("timestamp", "<", query.before);
  if (after) {
    select = select
      .where("timestamp", ">=", after.timestamp)
      .where((eb) =>
        eb.or([
          eb("timestamp", ">", after.timestamp),
          eb("ingested_at", ">", after.ingestedAt),
          eb.and([eb("ingested_at", "=", after.ingestedAt), eb("stream_id", ">", after.streamId)]),
          eb.and([
            eb("ingested_at", "=", after.ingestedAt),
            eb("stream_id", "=", after.streamId),
            eb("sequence", ">", after.sequence),
          ]),
        ]),
      );
  }
  const rows = await select
    .orderBy("timestamp")
    .orderBy("ingested_at")
    .orderBy("stream_id")
    .orderBy("sequence")
    .limit(query.limit)
    .execute();
  return rows.map(toLogEvent);
}

/** Deletes up to `limit` events of the group from before the time; returns how many, for the caller to go on. */
export async function deleteExpiredEvents(
  trx: Database,
  groupId: string,
  before: number,
  limit: number,
): Promise<number> {
  const expired = await tablesOf(trx)
    .selectFrom("log_events")
    .select(["stream_id", "sequence", "message"])
    .where("group_id", "=", groupId)
    .where("timestamp", "<", before)
    .orderBy("timestamp")
    .limit(limit)
    .execute();
  for (const [streamId, events] of Map.groupBy(expired, (event) => event.stream_id)) {
    const sequences = events.map((event) => event.sequence);
    const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES, 0);
    await tablesOf(trx)
      .deleteFrom("log_events")
      .where("stream_id", "=", streamId)
      .where("sequence", "in", sequences)
      .execute();
    await tablesOf(trx)
      .updateTable("log_streams")
      .set((eb) => ({ stored_bytes: eb("stored_bytes", "-", bytes) }))
      .where("id", "=", streamId)
      .execute();
  }
  return expired.length;
}

function toLogEvent(row: Selectable<Tables["log_events"]>): LogEvent {
  return {
    streamId: row.stream_id,
    sequence: row.sequence,
    timestamp: row.timestamp,
    ingestedAt: row.ingested_at,
    message: row.message,
  };
}
