import type { Migration } from "#store/migrate.ts";

export const insight: Migration = {
  name: "0003-insight",
  async up(db) {
    // The latest attempt of each user and role at each action.
    await db.schema
      .createTable("iam_accesses")
      .addColumn("entity_id", "text", (column) => column.notNull())
      .addColumn("service", "text", (column) => column.notNull())
      .addColumn("action", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("accessed_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_accesses_pk", ["entity_id", "service", "action"])
      .execute();
    await db.schema
      .createTable("iam_access_reports")
      .addColumn("job_id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("caller_id", "text", (column) => column.notNull())
      .addColumn("granularity", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("completed_at", "bigint", (column) => column.notNull())
      .addColumn("content", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("iam_role_deletions")
      .addColumn("task_id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("failure", "text")
      .execute();
    await db.schema
      .createTable("iam_organization_features")
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("feature", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_organization_features_pk", ["organization_id", "feature"])
      .execute();
    await db.schema.createIndex("iam_entities_id").on("iam_entities").column("entity_id").execute();
  },
};
