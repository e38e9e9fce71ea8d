import type { Migration } from "#store/migrate.ts";

export const organizations: Migration = {
  name: "0001-organizations",
  async up(db) {
    await db.schema
      .createTable("organizations")
      .addColumn("organization_id", "text", (column) => column.primaryKey())
      .addColumn("management_account_id", "text", (column) => column.notNull().unique())
      .addColumn("feature_set", "text", (column) => column.notNull())
      .addColumn("root_id", "text", (column) => column.notNull())
      .addColumn("root_tags", "text", (column) => column.notNull())
      .addColumn("policy_types", "text", (column) => column.notNull())
      .addColumn("last_attachment", "integer", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("organizations_units")
      .addColumn("unit_id", "text", (column) => column.primaryKey())
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("parent_id", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("organizations_units_organization")
      .on("organizations_units")
      .columns(["organization_id"])
      .execute();
    await db.schema
      .createTable("organizations_accounts")
      .addColumn("account_id", "text", (column) => column.primaryKey())
      .addColumn("organization_id", "text")
      .addColumn("parent_id", "text")
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("email", "text", (column) => column.notNull())
      .addColumn("email_key", "text", (column) => column.notNull().unique())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("joined_method", "text", (column) => column.notNull())
      .addColumn("joined_at", "bigint", (column) => column.notNull())
      .addColumn("closed_at", "bigint")
      .addColumn("tags", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("organizations_accounts_organization")
      .on("organizations_accounts")
      .columns(["organization_id"])
      .execute();
    await db.schema
      .createTable("organizations_account_requests")
      .addColumn("request_id", "text", (column) => column.primaryKey())
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("account_name", "text", (column) => column.notNull())
      .addColumn("email", "text", (column) => column.notNull())
      .addColumn("role_name", "text", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("failure_reason", "text")
      .addColumn("account_id", "text")
      .addColumn("requested_at", "bigint", (column) => column.notNull())
      .addColumn("completed_at", "bigint")
      .execute();
    await db.schema
      .createTable("organizations_policies")
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("policy_id", "text", (column) => column.notNull())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("description", "text", (column) => column.notNull())
      .addColumn("content", "text", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("organizations_policies_pk", ["organization_id", "policy_id"])
      .execute();
    await db.schema
      .createTable("organizations_attachments")
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("target_id", "text", (column) => column.notNull())
      .addColumn("policy_id", "text", (column) => column.notNull())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("place", "integer", (column) => column.notNull())
      .addPrimaryKeyConstraint("organizations_attachments_pk", ["organization_id", "target_id", "policy_id"])
      .execute();
    await db.schema
      .createTable("organizations_handshakes")
      .addColumn("handshake_id", "text", (column) => column.primaryKey())
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("management_account_id", "text", (column) => column.notNull())
      .addColumn("action", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("account_id", "text")
      .addColumn("parties", "text", (column) => column.notNull())
      .addColumn("parent_id", "text")
      .addColumn("resources", "text", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addColumn("requested_at", "bigint", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull())
      .addColumn("ended_at", "bigint")
      .execute();
    await db.schema
      .createTable("organizations_services")
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("service_principal", "text", (column) => column.notNull())
      .addColumn("enabled_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("organizations_services_pk", ["organization_id", "service_principal"])
      .execute();
    await db.schema
      .createTable("organizations_delegations")
      .addColumn("organization_id", "text", (column) => column.notNull())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("service_principal", "text", (column) => column.notNull())
      .addColumn("enabled_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("organizations_delegations_pk", ["organization_id", "account_id", "service_principal"])
      .execute();
    await db.schema
      .createTable("organizations_resource_policies")
      .addColumn("organization_id", "text", (column) => column.primaryKey())
      .addColumn("policy_id", "text", (column) => column.notNull())
      .addColumn("content", "text", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .execute();
  },
};
