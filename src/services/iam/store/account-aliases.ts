/** Account aliases: at most one an account, unique among all accounts. */
import type { Database } from "#store/database.ts";
import type { Tables } from "./tables.ts";

export async function findAlias(db: Database, accountId: string): Promise<string | undefined> {
  const row = await aliases(db).select("alias").where("account_id", "=", accountId).executeTakeFirst();
  return row?.alias;
}

export async function accountOfAlias(db: Database, alias: string): Promise<string | undefined> {
  const row = await aliases(db).select("account_id").where("alias", "=", alias).executeTakeFirst();
  return row?.account_id;
}

/** Replaces the account's alias. */
export async function putAlias(db: Database, accountId: string, alias: string): Promise<void> {
  await deleteAlias(db, accountId);
  await db.withTables<Tables>().insertInto("iam_account_aliases").values({ account_id: accountId, alias }).execute();
}

export async function deleteAlias(db: Database, accountId: string): Promise<void> {
  await db.withTables<Tables>().deleteFrom("iam_account_aliases").where("account_id", "=", accountId).execute();
}

function aliases(db: Database) {
  return db.withTables<Tables>().selectFrom("iam_account_aliases");
}
