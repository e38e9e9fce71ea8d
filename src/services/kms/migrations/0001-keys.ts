import type { Migration } from "#store/migrate.ts";

export const keys: Migration = {
  name: "0001-keys",
  async up(db) {
    await db.schema
      .createTable("kms_keys")
      .addColumn("key_id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("manager", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("description", "text", (column) => column.notNull())
      .addColumn("policy", "text", (column) => column.notNull())
      .addColumn("sealed_material", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("deletion_at", "bigint")
      .addColumn("tags", "text", (column) => column.notNull())
      .addColumn("rotation_days", "integer")
      .addColumn("rotation_since", "bigint")
      .execute();
    await db.schema.createIndex("kms_keys_place").on("kms_keys").columns(["account_id", "region", "key_id"]).execute();
    await db.schema
      .createTable("kms_aliases")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("key_id", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("kms_aliases_pk", ["account_id", "region", "name"])
      .execute();
  },
};
