import type { Migration } from "#store/migrate.ts";

export const transfers: Migration = {
  name: "0002-transfers",
  async up(db) {
    await db.schema
      .createTable("organizations_transfers")
      .addColumn("transfer_id", "text", (column) => column.primaryKey())
      .addColumn("handshake_id", "text", (column) => column.notNull().unique())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("source_organization_id", "text")
      .addColumn("starts_at", "bigint", (column) => column.notNull())
      .addColumn("ends_at", "bigint")
      .addColumn("inbound_tags", "text", (column) => column.notNull())
      .addColumn("outbound_tags", "text", (column) => column.notNull())
      .execute();
  },
};
