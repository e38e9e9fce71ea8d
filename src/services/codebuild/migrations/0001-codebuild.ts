import type { Migration } from "#store/migrate.ts";

export const codebuildTables: Migration = {
  name: "0001-codebuild",
  async up(db) {
    await db.schema
      .createTable("codebuild_projects")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("settings", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("modified_at", "bigint", (column) => column.notNull())
      .addColumn("last_build_number", "bigint", (column) => column.notNull())
      .addColumn("webhook_id", "text", (column) => column.unique())
      .addColumn("webhook", "text")
      .addPrimaryKeyConstraint("codebuild_projects_pk", ["account_id", "region", "name"])
      .execute();
    await db.schema
      .createTable("codebuild_builds")
      .addColumn("uuid", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("project_name", "text", (column) => column.notNull())
      .addColumn("phase", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      // Whether it waits for its turn (0), has it (1) or is over (2): what the queue counts.
      .addColumn("stage", "integer", (column) => column.notNull())
      .addColumn("started_at", "bigint", (column) => column.notNull())
      // The branch that it built, where that is known: badges ask for it.
      .addColumn("branch", "text")
      .addColumn("request_token", "text")
      .addColumn("request_hash", "text")
      .addColumn("stop_requested", "integer", (column) => column.notNull())
      .addColumn("revision", "bigint", (column) => column.notNull())
      .addColumn("build", "text", (column) => column.notNull())
      .addColumn("run", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("codebuild_builds_by_time")
      .on("codebuild_builds")
      .columns(["account_id", "region", "started_at", "uuid"])
      .execute();
    await db.schema
      .createIndex("codebuild_builds_by_project")
      .on("codebuild_builds")
      .columns(["account_id", "region", "project_name", "started_at", "uuid"])
      .execute();
    await db.schema
      .createIndex("codebuild_builds_by_stage")
      .on("codebuild_builds")
      .columns(["stage", "account_id", "region", "started_at"])
      .execute();
    // One row an account and region: whoever changes its queue writes the row first, which makes them take turns.
    await db.schema
      .createTable("codebuild_queues")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("changes", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("codebuild_queues_pk", ["account_id", "region"])
      .execute();
    await db.schema
      .createTable("codebuild_source_credentials")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("server_type", "text", (column) => column.notNull())
      .addColumn("auth_type", "text", (column) => column.notNull())
      .addColumn("arn", "text", (column) => column.notNull())
      .addColumn("username", "text")
      .addColumn("sealed_token", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("codebuild_source_credentials_pk", ["account_id", "region", "server_type"])
      .execute();
    await db.schema
      .createTable("codebuild_webhook_deliveries")
      .addColumn("webhook_id", "text", (column) => column.notNull())
      .addColumn("delivery_id", "text", (column) => column.notNull())
      .addColumn("received_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("codebuild_webhook_deliveries_pk", ["webhook_id", "delivery_id"])
      .execute();
  },
};
