import type { Migration } from "#store/migrate.ts";

export const ecsTables: Migration = {
  name: "0001-ecs",
  async up(db) {
    await db.schema
      .createTable("ecs_clusters")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("document", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecs_clusters_pk", ["account_id", "region", "name"])
      .execute();
    await db.schema
      .createTable("ecs_task_definitions")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("family", "text", (column) => column.notNull())
      .addColumn("revision", "integer", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("registered_at", "bigint", (column) => column.notNull())
      .addColumn("registered_by", "text", (column) => column.notNull())
      .addColumn("deregistered_at", "bigint")
      .addColumn("document", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecs_task_definitions_pk", ["account_id", "region", "family", "revision"])
      .execute();
    await db.schema
      .createTable("ecs_services")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("cluster", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      // 1 while the name is taken, else null: unique among the living, so that a deleted service's name can be had again.
      .addColumn("living", "integer")
      // Changes with every write; a writer that read an older one tries again.
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("document", "text", (column) => column.notNull())
      .addUniqueConstraint("ecs_services_name", ["account_id", "region", "cluster", "name", "living"])
      .execute();
    await db.schema
      .createTable("ecs_service_events")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("service_id", "text", (column) => column.notNull())
      .addColumn("sequence", "bigint", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("message", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("ecs_service_events_by_service")
      .on("ecs_service_events")
      .columns(["service_id", "sequence"])
      .execute();
    await db.schema
      .createTable("ecs_tasks")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("cluster", "text", (column) => column.notNull())
      .addColumn("service_id", "text")
      .addColumn("family", "text", (column) => column.notNull())
      .addColumn("launch_type", "text", (column) => column.notNull())
      .addColumn("started_by", "text")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("last_status", "text", (column) => column.notNull())
      // What is wanted of the task; written by whoever wants it stopped, while `document` is the task runner's alone.
      .addColumn("desired_status", "text", (column) => column.notNull())
      .addColumn("stop_code", "text")
      .addColumn("stopped_reason", "text")
      // 1 when the service scheduler has drawn its conclusions from the task's end.
      .addColumn("accounted", "integer", (column) => column.notNull())
      .addColumn("document", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("ecs_tasks_by_cluster")
      .on("ecs_tasks")
      .columns(["account_id", "region", "cluster", "created_at"])
      .execute();
    await db.schema.createIndex("ecs_tasks_by_service").on("ecs_tasks").columns(["service_id"]).execute();
    await db.schema
      .createTable("ecs_log_cursors")
      .addColumn("task_id", "text", (column) => column.notNull())
      .addColumn("container", "text", (column) => column.notNull())
      .addColumn("next_line", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecs_log_cursors_pk", ["task_id", "container"])
      .execute();
    await db.schema
      .createTable("ecs_tags")
      .addColumn("resource_arn", "text", (column) => column.primaryKey())
      .addColumn("tags", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("ecs_client_tokens")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("token", "text", (column) => column.notNull())
      .addColumn("request", "text", (column) => column.notNull())
      .addColumn("result", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecs_client_tokens_pk", ["account_id", "region", "token"])
      .execute();
    await db.schema
      .createTable("ecs_account_settings")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("principal_arn", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("value", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("ecs_account_settings_pk", ["account_id", "region", "principal_arn", "name"])
      .execute();
  },
};
