/** Versions of objects. */
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { ObjectVersion, Segment, StoredAttributes } from "../model.ts";
import { AFTER_PREFIX, type Tables, tablesOf } from "./tables.ts";

/** The latest version, which may be a delete marker, or the given one. */
export async function findObject(
  db: Database,
  bucket: string,
  key: string,
  versionId?: string | undefined,
): Promise<ObjectVersion | undefined> {
  const select = tablesOf(db).selectFrom("s3_objects").selectAll().where("bucket", "=", bucket).where("key", "=", key);
  const row = await (versionId === undefined
    ? select.where("latest", "=", 1)
    : select.where("version_id", "=", versionId)
  ).executeTakeFirst();
  return row && toObject(row);
}

/** Adds a version and makes it the latest. To be called in a transaction that has the bucket's next revision. */
export async function insertObject(trx: Database, version: ObjectVersion): Promise<void> {
  await tablesOf(trx)
    .updateTable("s3_objects")
    .set({ latest: 0 })
    .where("bucket", "=", version.bucket)
    .where("key", "=", version.key)
    .where("latest", "=", 1)
    .execute();
  await tablesOf(trx)
    .insertInto("s3_objects")
    .values({
      bucket: version.bucket,
      key: version.key,
      revision: version.revision,
      version_id: version.versionId,
      latest: 1,
      delete_marker: version.deleteMarker ? 1 : 0,
      size: version.size,
      etag: version.etag,
      last_modified: version.lastModified,
      segments: JSON.stringify(version.segments),
      attributes: JSON.stringify(version.attributes),
    })
    .execute();
}

/** Takes a version away; the next older one becomes the latest. To be called in a transaction, see insertObject. */
export async function deleteObjectVersion(trx: Database, version: ObjectVersion): Promise<void> {
  const { bucket, key } = version;
  await tablesOf(trx)
    .deleteFrom("s3_objects")
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .where("revision", "=", version.revision)
    .execute();
  if (!version.latest) return;
  const older = await tablesOf(trx)
    .selectFrom("s3_objects")
    .select("revision")
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .orderBy("revision", "desc")
    .limit(1)
    .executeTakeFirst();
  if (!older) return;
  await tablesOf(trx)
    .updateTable("s3_objects")
    .set({ latest: 1 })
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .where("revision", "=", older.revision)
    .execute();
}

export async function updateAttributes(
  trx: Database,
  version: ObjectVersion,
  attributes: StoredAttributes,
): Promise<void> {
  await tablesOf(trx)
    .updateTable("s3_objects")
    .set({ attributes: JSON.stringify(attributes) })
    .where("bucket", "=", version.bucket)
    .where("key", "=", version.key)
    .where("revision", "=", version.revision)
    .execute();
}

export interface KeyRange {
  readonly bucket: string;
  readonly prefix: string;
  /** Exclusive. */
  readonly after: string;
  readonly limit: number;
}

/** Current objects without delete markers, in the byte order of their keys. */
export async function currentObjects(
  db: Database,
  { bucket, prefix, after, limit }: KeyRange,
): Promise<ObjectVersion[]> {
  let select = tablesOf(db)
    .selectFrom("s3_objects")
    .selectAll()
    .where("bucket", "=", bucket)
    .where("latest", "=", 1)
    .where("delete_marker", "=", 0);
  if (prefix) select = select.where("key", ">=", prefix).where("key", "<", prefix + AFTER_PREFIX);
  if (after) select = select.where("key", ">", after);
  return (await select.orderBy("key").limit(limit).execute()).map(toObject);
}

export interface VersionRange extends KeyRange {
  /** Versions of the key `after` older than this come too. */
  readonly afterRevision: number | undefined;
}

/** All versions and delete markers, by key and then from the newest to the oldest. */
export async function objectVersions(db: Database, range: VersionRange): Promise<ObjectVersion[]> {
  const { bucket, prefix, after, afterRevision, limit } = range;
  let select = tablesOf(db).selectFrom("s3_objects").selectAll().where("bucket", "=", bucket);
  if (prefix) select = select.where("key", ">=", prefix).where("key", "<", prefix + AFTER_PREFIX);
  if (after && afterRevision === undefined) select = select.where("key", ">", after);
  if (after && afterRevision !== undefined) {
    select = select
      .where("key", ">=", after)
      .where((eb) => eb.or([eb("key", ">", after), eb("revision", "<", afterRevision)]));
  }
  const rows = await select.orderBy("key").orderBy("revision", "desc").limit(limit).execute();
  return rows.map(toObject);
}

function toObject(row: Selectable<Tables["s3_objects"]>): ObjectVersion {
  return {
    bucket: row.bucket,
    key: row.key,
    revision: row.revision,
    versionId: row.version_id,
    latest: row.latest === 1,
    deleteMarker: row.delete_marker === 1,
    size: row.size,
    etag: row.etag,
    lastModified: row.last_modified,
    segments: JSON.parse(row.segments) as Segment[],
    attributes: JSON.parse(row.attributes) as StoredAttributes,
  };
}
