/** Buckets and what is set on them. */
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { Bucket } from "../model.ts";
import { AFTER_PREFIX, type Tables, tablesOf } from "./tables.ts";

/** False where the name is taken. */
export async function insertBucket(db: Database, bucket: Bucket): Promise<boolean> {
  const inserted = await tablesOf(db)
    .insertInto("s3_buckets")
    .values({
      name: bucket.name,
      account_id: bucket.accountId,
      region: bucket.region,
      created_at: bucket.createdAt,
      versioning: bucket.versioning ?? null,
      revision: 0,
    })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function findBucket(db: Database, name: string): Promise<Bucket | undefined> {
  const row = await tablesOf(db).selectFrom("s3_buckets").selectAll().where("name", "=", name).executeTakeFirst();
  return row && toBucket(row);
}

export interface BucketQuery {
  readonly accountId: string;
  readonly prefix?: string | undefined;
  readonly region?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** In the order of their names. */
export async function listBuckets(db: Database, query: BucketQuery): Promise<Bucket[]> {
  let select = tablesOf(db).selectFrom("s3_buckets").selectAll().where("account_id", "=", query.accountId);
  if (query.prefix) select = select.where("name", ">=", query.prefix).where("name", "<", query.prefix + AFTER_PREFIX);
  if (query.region) select = select.where("region", "=", query.region);
  if (query.after) select = select.where("name", ">", query.after);
  return (await select.orderBy("name").limit(query.limit).execute()).map(toBucket);
}

/**
 * The next number of change of the bucket's objects; undefined where the bucket does not exist. From here to the end of
 * the transaction nobody else changes the bucket's objects.
 */
export async function nextRevision(trx: Database, bucket: string): Promise<number | undefined> {
  const updated = await tablesOf(trx)
    .updateTable("s3_buckets")
    .set((eb) => ({ revision: eb("revision", "+", 1) }))
    .where("name", "=", bucket)
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) return undefined;
  const row = await tablesOf(trx)
    .selectFrom("s3_buckets")
    .select("revision")
    .where("name", "=", bucket)
    .executeTakeFirstOrThrow();
  return row.revision;
}

export async function setVersioning(db: Database, bucket: string, versioning: "Enabled" | "Suspended"): Promise<void> {
  await tablesOf(db).updateTable("s3_buckets").set({ versioning }).where("name", "=", bucket).execute();
}

/** Whether it holds any version of an object; unfinished uploads do not count. */
export async function isEmpty(db: Database, bucket: string): Promise<boolean> {
  const row = await tablesOf(db)
    .selectFrom("s3_objects")
    .select("key")
    .where("bucket", "=", bucket)
    .limit(1)
    .executeTakeFirst();
  return row === undefined;
}

/** With its settings. To be called in a transaction, on an empty bucket. */
export async function deleteBucket(trx: Database, bucket: string): Promise<void> {
  await tablesOf(trx).deleteFrom("s3_bucket_settings").where("bucket", "=", bucket).execute();
  await tablesOf(trx).deleteFrom("s3_buckets").where("name", "=", bucket).execute();
}

/** What has a Put, a Get and most often a Delete operation of its own. */
export type SettingKind = "policy" | "tagging" | "encryption" | "public-access-block" | "lifecycle" | "ownership";

export async function setting<T>(db: Database, bucket: string, kind: SettingKind): Promise<T | undefined> {
  const row = await tablesOf(db)
    .selectFrom("s3_bucket_settings")
    .select("value")
    .where("bucket", "=", bucket)
    .where("kind", "=", kind)
    .executeTakeFirst();
  return row && (JSON.parse(row.value) as T);
}

export async function putSetting(db: Database, bucket: string, kind: SettingKind, value: unknown): Promise<void> {
  const text = JSON.stringify(value);
  await tablesOf(db)
    .insertInto("s3_bucket_settings")
    .values({ bucket, kind, value: text })
    .onConflict((conflict) => conflict.columns(["bucket", "kind"]).doUpdateSet({ value: text }))
    .execute();
}

export async function deleteSetting(db: Database, bucket: string, kind: SettingKind): Promise<void> {
  await tablesOf(db).deleteFrom("s3_bucket_settings").where("bucket", "=", bucket).where("kind", "=", kind).execute();
}

/** The bucket policies that have the text in them. */
export async function rewriteBucketPolicies(
  trx: Database,
  text: string,
  rewrite: (document: string) => string,
): Promise<void> {
  const rows = await tablesOf(trx)
    .selectFrom("s3_bucket_settings")
    .select(["bucket", "value"])
    .where("kind", "=", "policy")
    .where("value", "like", `%${text}%`)
    .execute();
  for (const { bucket, value } of rows) {
    await putSetting(trx, bucket, "policy", rewrite(JSON.parse(value) as string));
  }
}

function toBucket(row: Selectable<Tables["s3_buckets"]>): Bucket {
  return {
    name: row.name,
    accountId: row.account_id,
    region: row.region,
    createdAt: row.created_at,
    versioning: (row.versioning as Bucket["versioning"]) ?? undefined,
  };
}
