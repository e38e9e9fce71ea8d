import type { Migration } from "#store/migrate.ts";

export const connectionTables: Migration = {
  name: "0001-connections",
  async up(db) {
    await db.schema
      .createTable("connections")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("id", "text", (column) => column.notNull())
      .addColumn("prefix", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("provider_type", "text", (column) => column.notNull())
      .addColumn("host_arn", "text")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("connections_pk", ["account_id", "region", "id"])
      .execute();
    await db.schema
      .createTable("connection_hosts")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("region", "text", (column) => column.notNull())
      .addColumn("id", "text", (column) => column.notNull())
      .addColumn("prefix", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("provider_type", "text", (column) => column.notNull())
      .addColumn("provider_endpoint", "text", (column) => column.notNull())
      .addColumn("vpc_configuration", "text")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("connection_hosts_pk", ["account_id", "region", "id"])
      .execute();
  },
};
