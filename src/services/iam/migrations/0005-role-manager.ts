import type { Migration } from "#store/migrate.ts";

export const roleManager: Migration = {
  name: "0005-role-manager",
  async up(db) {
    await db.schema
      .createTable("iam_account_properties")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("property", "text", (column) => column.notNull())
      .addColumn("value", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_account_properties_pk", ["account_id", "property"])
      .execute();
    await db.schema.alterTable("iam_entities").addColumn("source_template", "text").execute();
  },
};
