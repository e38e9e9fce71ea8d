import type { Migration } from "#store/migrate.ts";

export const identities: Migration = {
  name: "0001-identities",
  async up(db) {
    await db.schema
      .createTable("iam_entities")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("name_key", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("path", "text", (column) => column.notNull())
      .addColumn("entity_id", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addColumn("boundary_arn", "text")
      .addColumn("trust_policy", "text")
      .addColumn("description", "text")
      .addColumn("max_session_duration", "integer")
      .addColumn("linked_service", "text")
      .addPrimaryKeyConstraint("iam_entities_pk", ["account_id", "kind", "name_key"])
      .execute();
    await db.schema
      .createTable("iam_memberships")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("user_key", "text", (column) => column.notNull())
      .addColumn("group_key", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_memberships_pk", ["account_id", "user_key", "group_key"])
      .execute();
    await db.schema
      .createTable("iam_inline_policies")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("name_key", "text", (column) => column.notNull())
      .addColumn("policy_name", "text", (column) => column.notNull())
      .addColumn("document", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_inline_policies_pk", ["account_id", "kind", "name_key", "policy_name"])
      .execute();
    await db.schema
      .createTable("iam_attachments")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("name_key", "text", (column) => column.notNull())
      .addColumn("policy_arn", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_attachments_pk", ["account_id", "kind", "name_key", "policy_arn"])
      .execute();
    await db.schema
      .createTable("iam_policies")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("name_key", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("path", "text", (column) => column.notNull())
      .addColumn("policy_id", "text", (column) => column.notNull())
      .addColumn("description", "text")
      .addColumn("default_version", "integer", (column) => column.notNull())
      .addColumn("last_version", "integer", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_policies_pk", ["account_id", "name_key"])
      .execute();
    await db.schema
      .createTable("iam_policy_versions")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("name_key", "text", (column) => column.notNull())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("document", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_policy_versions_pk", ["account_id", "name_key", "version"])
      .execute();
    await db.schema
      .createTable("iam_access_keys")
      .addColumn("access_key_id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("user_key", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("sealed_secret", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("last_used_at", "bigint")
      .addColumn("last_used_service", "text")
      .addColumn("last_used_region", "text")
      .execute();
    await db.schema
      .createIndex("iam_access_keys_user")
      .on("iam_access_keys")
      .columns(["account_id", "user_key"])
      .execute();
    await db.schema
      .createTable("iam_instance_profiles")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("name_key", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("path", "text", (column) => column.notNull())
      .addColumn("profile_id", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("role_key", "text")
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_instance_profiles_pk", ["account_id", "name_key"])
      .execute();
    await db.schema
      .createTable("iam_account_aliases")
      .addColumn("account_id", "text", (column) => column.primaryKey())
      .addColumn("alias", "text", (column) => column.notNull().unique())
      .execute();
  },
};
