/** Long-term access keys. */
import type { Database } from "#store/database.ts";
import type { AccessKey, EntityRef } from "../model.ts";
import { keyOf } from "./entities.ts";
import type { Tables } from "./tables.ts";

export interface StoredAccessKey extends AccessKey {
  readonly sealedSecret: string;
}

export async function insertAccessKey(db: Database, key: StoredAccessKey): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_access_keys")
    .values({
      access_key_id: key.accessKeyId,
      account_id: key.accountId,
      user_key: keyOf(key.userName),
      status: key.status,
      sealed_secret: key.sealedSecret,
      created_at: key.createdAt.getTime(),
      last_used_at: null,
      last_used_service: null,
      last_used_region: null,
    })
    .execute();
}

/** In the order of their creation. */
export async function listAccessKeys(db: Database, user: Omit<EntityRef, "kind">): Promise<AccessKey[]> {
  const rows = await keys(db)
    .where("k.account_id", "=", user.accountId)
    .where("k.user_key", "=", keyOf(user.name))
    .orderBy("k.created_at")
    .orderBy("k.access_key_id")
    .execute();
  return rows.map(toAccessKey);
}

/** In the order of their creation. */
export async function listAccessKeysOfAccount(db: Database, accountId: string): Promise<AccessKey[]> {
  const rows = await keys(db)
    .where("k.account_id", "=", accountId)
    .orderBy("k.created_at")
    .orderBy("k.access_key_id")
    .execute();
  return rows.map(toAccessKey);
}

export async function findAccessKey(db: Database, accessKeyId: string): Promise<StoredAccessKey | undefined> {
  const row = await keys(db).where("k.access_key_id", "=", accessKeyId).executeTakeFirst();
  return row && { ...toAccessKey(row), sealedSecret: row.sealed_secret };
}

export async function updateAccessKeyStatus(
  db: Database,
  accessKeyId: string,
  status: AccessKey["status"],
): Promise<void> {
  await db
    .withTables<Tables>()
    .updateTable("iam_access_keys")
    .set({ status })
    .where("access_key_id", "=", accessKeyId)
    .execute();
}

/** Unless a later use is written down already, as another process may have done. */
export async function updateLastUsed(
  db: Database,
  accessKeyId: string,
  { at, service, region }: NonNullable<AccessKey["lastUsed"]>,
): Promise<void> {
  await db
    .withTables<Tables>()
    .updateTable("iam_access_keys")
    .set({ last_used_at: at.getTime(), last_used_service: service, last_used_region: region })
    .where("access_key_id", "=", accessKeyId)
    .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<=", at.getTime())]))
    .execute();
}

export async function deleteAccessKey(db: Database, accessKeyId: string): Promise<void> {
  await db.withTables<Tables>().deleteFrom("iam_access_keys").where("access_key_id", "=", accessKeyId).execute();
}

/** Joined with the user for the name as it is written. */
function keys(db: Database) {
  return db
    .withTables<Tables>()
    .selectFrom("iam_access_keys as k")
    .innerJoin("iam_entities as u", (join) =>
      join.onRef("u.account_id", "=", "k.account_id").onRef("u.name_key", "=", "k.user_key").on("u.kind", "=", "user"),
    )
    .selectAll("k")
    .select("u.name as user_name");
}

type Row = Awaited<ReturnType<ReturnType<typeof keys>["execute"]>>[number];

function toAccessKey(row: Row): AccessKey {
  return {
    accessKeyId: row.access_key_id,
    accountId: row.account_id,
    userName: row.user_name,
    status: row.status,
    createdAt: new Date(row.created_at),
    lastUsed:
      row.last_used_at === null
        ? undefined
        : { at: new Date(row.last_used_at), service: row.last_used_service!, region: row.last_used_region! },
  };
}
