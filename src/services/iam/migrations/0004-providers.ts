import type { Migration } from "#store/migrate.ts";

export const providers: Migration = {
  name: "0004-providers",
  async up(db) {
    await db.schema
      .createTable("iam_oidc_providers")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("url", "text", (column) => column.notNull())
      .addColumn("client_ids", "text", (column) => column.notNull())
      .addColumn("thumbprints", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_oidc_providers_pk", ["account_id", "url"])
      .execute();
    await db.schema
      .createTable("iam_saml_providers")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("provider_id", "text", (column) => column.notNull())
      .addColumn("metadata", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("valid_until", "bigint", (column) => column.notNull())
      .addColumn("encryption_mode", "text")
      .addColumn("private_keys", "text", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_saml_providers_pk", ["account_id", "name"])
      .execute();
    await db.schema
      .createTable("iam_outbound_federation")
      .addColumn("account_id", "text", (column) => column.primaryKey())
      .addColumn("issuer_id", "text", (column) => column.notNull().unique())
      .addColumn("enabled", "integer", (column) => column.notNull())
      .execute();
  },
};
