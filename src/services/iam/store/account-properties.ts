/** What an account has set with PutAccountProperties; `property` is `RoleManager/Enabled`. */
import type { Database } from "#store/database.ts";
import type { Tables } from "./tables.ts";

/** In the order of their names. */
export async function accountProperties(db: Database, accountId: string): Promise<Record<string, string>> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_account_properties")
    .select(["property", "value"])
    .where("account_id", "=", accountId)
    .orderBy("property")
    .execute();
  return Object.fromEntries(rows.map(({ property, value }) => [property, value]));
}

export async function putAccountProperty(
  db: Database,
  accountId: string,
  property: string,
  value: string,
): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_account_properties")
    .values({ account_id: accountId, property, value })
    .onConflict((conflict) => conflict.columns(["account_id", "property"]).doUpdateSet({ value }))
    .execute();
}
