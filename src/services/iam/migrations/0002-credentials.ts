import type { Migration } from "#store/migrate.ts";

export const credentials: Migration = {
  name: "0002-credentials",
  async up(db) {
    await db.schema
      .createTable("iam_login_profiles")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("user_id", "text", (column) => column.notNull())
      .addColumn("password_hashes", "text", (column) => column.notNull())
      .addColumn("reset_required", "integer", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("changed_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_login_profiles_pk", ["account_id", "user_id"])
      .execute();
    await db.schema
      .createTable("iam_mfa_devices")
      .addColumn("serial_number", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("path", "text", (column) => column.notNull())
      .addColumn("sealed_seed", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addColumn("user_id", "text")
      .addColumn("enabled_at", "bigint")
      .addColumn("drift", "integer", (column) => column.notNull())
      .addColumn("last_step", "bigint")
      .execute();
    await db.schema
      .createIndex("iam_mfa_devices_account")
      .on("iam_mfa_devices")
      .columns(["account_id", "user_id"])
      .execute();
    await db.schema
      .createTable("iam_user_credentials")
      .addColumn("credential_id", "text", (column) => column.primaryKey())
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("user_id", "text", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("status", "text", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .addColumn("service_name", "text")
      .addColumn("secret_hash", "text")
      .addColumn("expires_at", "bigint")
      .execute();
    await db.schema
      .createIndex("iam_user_credentials_account")
      .on("iam_user_credentials")
      .columns(["account_id", "user_id"])
      .execute();
    await db.schema
      .createTable("iam_server_certificates")
      .addColumn("account_id", "text", (column) => column.notNull())
      .addColumn("name_key", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("path", "text", (column) => column.notNull())
      .addColumn("certificate_id", "text", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .addColumn("chain", "text")
      .addColumn("sealed_private_key", "text", (column) => column.notNull())
      .addColumn("uploaded_at", "bigint", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull())
      .addColumn("tags", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("iam_server_certificates_pk", ["account_id", "name_key"])
      .execute();
    await db.schema
      .createTable("iam_account_settings")
      .addColumn("account_id", "text", (column) => column.primaryKey())
      .addColumn("password_policy", "text")
      .addColumn("token_version", "integer", (column) => column.notNull())
      .addColumn("credential_report", "text")
      .addColumn("report_generated_at", "bigint")
      .execute();
  },
};
