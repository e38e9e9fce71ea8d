import type { Migration } from "#store/migrate.ts";

export const pipelineTables: Migration = {
  name: "0001-pipelines",
  async up(db) {
    await db.schema
      .createTable("pipelines")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("next_sequence", "bigint", (column) => column.notNull())
      .addColumn("stage_executions", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addUniqueConstraint("pipelines_name", ["account_id", "region", "name"])
      .execute();
    await db.schema
      .createTable("pipeline_versions")
      .addColumn("pipeline_id", "text", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("declaration", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("pipeline_versions_pk", ["pipeline_id", "version"])
      .execute();
    await db.schema
      .createTable("pipeline_executions")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("pipeline_id", "text", (column) => column.notNull())
      .addColumn("sequence", "bigint", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("status_summary", "text")
      .addColumn("mode", "text", (column) => column.notNull())
      .addColumn("trigger_type", "text", (column) => column.notNull())
      .addColumn("trigger_detail", "text", (column) => column.notNull())
      .addColumn("variables", "text", (column) => column.notNull())
      .addColumn("source_revisions", "text", (column) => column.notNull())
      .addColumn("stop_reason", "text")
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("client_token", "text")
      .addColumn("started_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addUniqueConstraint("pipeline_executions_sequence", ["pipeline_id", "sequence"])
      .addUniqueConstraint("pipeline_executions_token", ["pipeline_id", "client_token"])
      .execute();
    await db.schema
      .createTable("pipeline_action_executions")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("pipeline_id", "text", (column) => column.notNull())
      .addColumn("execution_id", "text", (column) => column.notNull())
      .addColumn("sequence", "bigint", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("stage", "text", (column) => column.notNull())
      .addColumn("action", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("started_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addColumn("external_id", "text")
      .addColumn("detail", "text", (column) => column.notNull())
      .addColumn("progress", "text")
      .addUniqueConstraint("pipeline_action_executions_sequence", ["pipeline_id", "sequence"])
      .execute();
    await db.schema
      .createIndex("pipeline_action_executions_execution")
      .on("pipeline_action_executions")
      .columns(["execution_id", "sequence"])
      .execute();
    await db.schema
      .createIndex("pipeline_action_executions_running")
      .on("pipeline_action_executions")
      .columns(["status", "external_id"])
      .execute();
    await db.schema
      .createTable("pipeline_transitions")
      .addColumn("pipeline_id", "text", (column) => column.notNull())
      .addColumn("stage", "text", (column) => column.notNull())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("enabled", "integer", (column) => column.notNull())
      .addColumn("reason", "text")
      .addColumn("changed_by", "text", (column) => column.notNull())
      .addColumn("changed_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("pipeline_transitions_pk", ["pipeline_id", "stage", "type"])
      .execute();
    // The revision that a source was last seen at: what differs from it starts the pipeline.
    await db.schema
      .createTable("pipeline_source_heads")
      .addColumn("pipeline_id", "text", (column) => column.notNull())
      .addColumn("source", "text", (column) => column.notNull())
      .addColumn("revision", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("pipeline_source_heads_pk", ["pipeline_id", "source"])
      .execute();
  },
};
