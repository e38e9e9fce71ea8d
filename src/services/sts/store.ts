/** The keys that sign web identity tokens, one an algorithm for all accounts. */
import type { Database } from "#store/database.ts";

type Tables = {
  sts_token_keys: {
    algorithm: string;
    /** PKCS #8 PEM, sealed by the system's cipher. */
    sealed_key: string;
    created_at: number;
  };
};

export async function findTokenKey(db: Database, algorithm: string): Promise<string | undefined> {
  const row = await keys(db).where("algorithm", "=", algorithm).executeTakeFirst();
  return row?.sealed_key;
}

/** Keeps one that another process has put meanwhile. */
export async function insertTokenKey(db: Database, algorithm: string, sealedKey: string, now: Date): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("sts_token_keys")
    .values({ algorithm, sealed_key: sealedKey, created_at: now.getTime() })
    .onConflict((conflict) => conflict.column("algorithm").doNothing())
    .execute();
}

function keys(db: Database) {
  return db.withTables<Tables>().selectFrom("sts_token_keys").select("sealed_key");
}
