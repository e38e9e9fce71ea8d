import type { Migration } from "#store/migrate.ts";

export const logsTables: Migration = {
  name: "0001-logs",
  async up(db) {
    await db.schema
      .createTable("log_groups")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("retention_days", "integer")
      .addColumn("kms_key_id", "text")
      .addColumn("class", "text", (column) => column.notNull())
      .addColumn("deletion_protection", "integer", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addUniqueConstraint("log_groups_name", ["account_id", "region", "name"])
      .execute();
    await db.schema
      .createTable("log_streams")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("group_id", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("first_event_at", "bigint")
      .addColumn("last_event_at", "bigint")
      .addColumn("last_ingestion_at", "bigint")
      .addColumn("next_sequence", "bigint", (column) => column.notNull())
      .addColumn("stored_bytes", "bigint", (column) => column.notNull())
      .addUniqueConstraint("log_streams_name", ["group_id", "name"])
      .execute();
    await db.schema
      .createTable("log_events")
      .addColumn("stream_id", "text", (column) => column.notNull())
      .addColumn("sequence", "bigint", (column) => column.notNull())
      .addColumn("group_id", "text", (column) => column.notNull())
      .addColumn("timestamp", "bigint", (column) => column.notNull())
      .addColumn("ingested_at", "bigint", (column) => column.notNull())
      .addColumn("message", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("log_events_pk", ["stream_id", "sequence"])
      .execute();
    // GetLogEvents reads along the first, FilterLogEvents along the second.
    await db.schema
      .createIndex("log_events_by_stream_time")
      .on("log_events")
      .columns(["stream_id", "timestamp", "sequence"])
      .execute();
    await db.schema
      .createIndex("log_events_by_group_time")
      .on("log_events")
      .columns(["group_id", "timestamp", "ingested_at", "stream_id", "sequence"])
      .execute();
  },
};
