import type { Migration } from "#store/migrate.ts";

export const delegation: Migration = {
  name: "0006-delegation",
  async up(db) {
    await db.schema
      .createTable("iam_delegation_requests")
      .addColumn("request_id", "text", (column) => column.primaryKey())
      .addColumn("requestor_account_id", "text", (column) => column.notNull())
      .addColumn("workflow_id", "text", (column) => column.notNull())
      .addColumn("owner_account_id", "text")
      .addColumn("owner_id", "text")
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("state_since", "bigint", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addColumn("details", "text", (column) => column.notNull())
      .addUniqueConstraint("iam_delegation_requests_workflow", ["requestor_account_id", "workflow_id"])
      .execute();
    await db.schema
      .createIndex("iam_delegation_requests_owner")
      .on("iam_delegation_requests")
      .columns(["owner_account_id", "request_id"])
      .execute();
  },
};
