import type { Migration } from "#store/migrate.ts";

export const tokenKeys: Migration = {
  name: "0001-token-keys",
  async up(db) {
    await db.schema
      .createTable("sts_token_keys")
      .addColumn("algorithm", "text", (column) => column.primaryKey())
      .addColumn("sealed_key", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .execute();
  },
};
