/** All of KMS's SQL: keys and aliases. */
import type { Database } from "#store/database.ts";
import type { Alias, Key, Place } from "./model.ts";

type Tables = {
  kms_keys: {
    key_id: string;
    account_id: string;
    region: string;
    manager: Key["manager"];
    state: Key["state"];
    description: string;
    policy: string;
    sealed_material: string;
    created_at: number;
    deletion_at: number | null;
    /** JSON: [["key", "value"], …] */
    tags: string;
    rotation_days: number | null;
    rotation_since: number | null;
  };
  kms_aliases: {
    account_id: string;
    region: string;
    name: string;
    key_id: string;
    created_at: number;
    updated_at: number;
  };
};

/** A page of a list: `after` is the last key of the page before. */
export interface Slice {
  readonly after: string | undefined;
  readonly limit: number;
}

export async function insertKey(db: Database, key: Key): Promise<void> {
  await db.withTables<Tables>().insertInto("kms_keys").values(toRow(key)).execute();
}

/** A key of any account in the region: others may use it as its policy says. */
export async function findKey(db: Database, region: string, keyId: string): Promise<Key | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("kms_keys")
    .selectAll()
    .where("key_id", "=", keyId)
    .where("region", "=", region)
    .executeTakeFirst();
  return row && toKey(row);
}

export async function findKeyById(db: Database, keyId: string): Promise<Key | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("kms_keys")
    .selectAll()
    .where("key_id", "=", keyId)
    .executeTakeFirst();
  return row && toKey(row);
}

export async function listKeys(db: Database, { accountId, region }: Place, { after, limit }: Slice): Promise<Key[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("kms_keys")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .$if(after !== undefined, (query) => query.where("key_id", ">", after!))
    .orderBy("key_id")
    .limit(limit)
    .execute();
  return rows.map(toKey);
}

/** Writes nothing but the changes: what others have changed since the key was read stays. */
export async function updateKey(db: Database, key: Key, changes: Partial<Omit<Key, "id">>): Promise<void> {
  const before = new Map<string, unknown>(Object.entries(toRow(key)));
  const { key_id, ...after } = toRow({ ...key, ...changes });
  const changed = Object.fromEntries(Object.entries(after).filter(([column, value]) => before.get(column) !== value));
  if (Object.keys(changed).length === 0) return;
  await db.withTables<Tables>().updateTable("kms_keys").set(changed).where("key_id", "=", key_id).execute();
}

/** The key policies that have the text in them. */
export async function rewriteKeyPolicies(
  trx: Database,
  text: string,
  rewrite: (document: string) => string,
): Promise<void> {
  const tables = trx.withTables<Tables>();
  const rows = await tables
    .selectFrom("kms_keys")
    .select(["key_id", "policy"])
    .where("policy", "like", `%${text}%`)
    .execute();
  for (const { key_id, policy } of rows) {
    await tables
      .updateTable("kms_keys")
      .set({ policy: rewrite(policy) })
      .where("key_id", "=", key_id)
      .execute();
  }
}

/** With its aliases. */
export async function deleteKey(db: Database, keyId: string): Promise<void> {
  await db.withTables<Tables>().deleteFrom("kms_aliases").where("key_id", "=", keyId).execute();
  await db.withTables<Tables>().deleteFrom("kms_keys").where("key_id", "=", keyId).execute();
}

/** Whether the name was free. */
export async function insertAlias(db: Database, alias: Alias): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .withTables<Tables>()
    .insertInto("kms_aliases")
    .values({
      account_id: alias.accountId,
      region: alias.region,
      name: alias.name,
      key_id: alias.keyId,
      created_at: alias.createdAt.getTime(),
      updated_at: alias.updatedAt.getTime(),
    })
    .onConflict((conflict) => conflict.columns(["account_id", "region", "name"]).doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function findAlias(db: Database, place: Place, name: string): Promise<Alias | undefined> {
  const row = await aliases(db, place).where("name", "=", name).executeTakeFirst();
  return row && toAlias(row);
}

export async function listAliases(
  db: Database,
  place: Place,
  keyId: string | undefined,
  { after, limit }: Slice,
): Promise<Alias[]> {
  const rows = await aliases(db, place)
    .$if(keyId !== undefined, (query) => query.where("key_id", "=", keyId!))
    .$if(after !== undefined, (query) => query.where("name", ">", after!))
    .orderBy("name")
    .limit(limit)
    .execute();
  return rows.map(toAlias);
}

export async function updateAlias(db: Database, alias: Alias): Promise<void> {
  await db
    .withTables<Tables>()
    .updateTable("kms_aliases")
    .set({ key_id: alias.keyId, updated_at: alias.updatedAt.getTime() })
    .where("account_id", "=", alias.accountId)
    .where("region", "=", alias.region)
    .where("name", "=", alias.name)
    .execute();
}

export async function deleteAlias(db: Database, { accountId, region, name }: Alias): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("kms_aliases")
    .where("account_id", "=", accountId)
    .where("region", "=", region)
    .where("name", "=", name)
    .execute();
}

function aliases(db: Database, { accountId, region }: Place) {
  return db
    .withTables<Tables>()
    .selectFrom("kms_aliases")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("region", "=", region);
}

function toRow(key: Key): Tables["kms_keys"] {
  return {
    key_id: key.id,
    account_id: key.accountId,
    region: key.region,
    manager: key.manager,
    state: key.state,
    description: key.description,
    policy: key.policy,
    sealed_material: key.sealedMaterial,
    created_at: key.createdAt.getTime(),
    deletion_at: key.deletionAt?.getTime() ?? null,
    tags: JSON.stringify([...key.tags]),
    rotation_days: key.rotation?.periodInDays ?? null,
    rotation_since: key.rotation?.since.getTime() ?? null,
  };
}

function toKey(row: Tables["kms_keys"]): Key {
  return {
    id: row.key_id,
    accountId: row.account_id,
    region: row.region,
    manager: row.manager,
    state: row.state,
    description: row.description,
    policy: row.policy,
    sealedMaterial: row.sealed_material,
    createdAt: new Date(row.created_at),
    deletionAt: row.deletion_at === null ? undefined : new Date(row.deletion_at),
    tags: new Map(JSON.parse(row.tags) as [string, string][]),
    rotation:
      row.rotation_days === null
        ? undefined
        : { periodInDays: row.rotation_days, since: new Date(row.rotation_since!) },
  };
}

function toAlias(row: Tables["kms_aliases"]): Alias {
  return {
    name: row.name,
    accountId: row.account_id,
    region: row.region,
    keyId: row.key_id,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}
