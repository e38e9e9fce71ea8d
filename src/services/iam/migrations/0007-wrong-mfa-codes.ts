import type { Migration } from "#store/migrate.ts";

export const wrongMfaCodes: Migration = {
  name: "0007-wrong-mfa-codes",
  async up(db) {
    await db.schema
      .alterTable("iam_mfa_devices")
      .addColumn("wrong_codes_at", "text", (column) => column.notNull().defaultTo("[]"))
      .execute();
  },
};
