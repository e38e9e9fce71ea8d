/** Multipart uploads and their parts. */
import type { Selectable } from "kysely";
import type { Database } from "#store/database.ts";
import type { Checksums } from "../checksums.ts";
import type { Part, Upload, UploadAttributes } from "../model.ts";
import { AFTER_PREFIX, type Tables, tablesOf } from "./tables.ts";

export async function insertUpload(db: Database, upload: Upload): Promise<void> {
  await tablesOf(db)
    .insertInto("s3_uploads")
    .values({
      id: upload.id,
      bucket: upload.bucket,
      key: upload.key,
      initiated_at: upload.initiatedAt,
      initiator: upload.initiator,
      attributes: JSON.stringify(upload.attributes),
    })
    .execute();
}

export async function findUpload(db: Database, bucket: string, key: string, id: string): Promise<Upload | undefined> {
  const row = await tablesOf(db)
    .selectFrom("s3_uploads")
    .selectAll()
    .where("id", "=", id)
    .where("bucket", "=", bucket)
    .where("key", "=", key)
    .executeTakeFirst();
  return row && toUpload(row);
}

/** False where somebody else completed or aborted it first. */
export async function deleteUpload(trx: Database, id: string): Promise<boolean> {
  await tablesOf(trx).deleteFrom("s3_parts").where("upload_id", "=", id).execute();
  const deleted = await tablesOf(trx).deleteFrom("s3_uploads").where("id", "=", id).executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

export interface UploadRange {
  readonly bucket: string;
  readonly prefix: string;
  readonly after: { readonly key: string; readonly id?: string | undefined } | undefined;
  readonly limit: number;
}

/** By key, then by id. Without an id in `after`, the key's uploads are all passed over. */
export async function listUploads(db: Database, { bucket, prefix, after, limit }: UploadRange): Promise<Upload[]> {
  let select = tablesOf(db).selectFrom("s3_uploads").selectAll().where("bucket", "=", bucket);
  if (prefix) select = select.where("key", ">=", prefix).where("key", "<", prefix + AFTER_PREFIX);
  if (after) {
    const { key, id } = after;
    select = select.where((eb) =>
      id === undefined
        ? eb("key", ">", key)
        : eb.or([eb("key", ">", key), eb.and([eb("key", "=", key), eb("id", ">", id)])]),
    );
  }
  return (await select.orderBy("key").orderBy("id").limit(limit).execute()).map(toUpload);
}

export async function uploadsOfBucket(db: Database, bucket: string): Promise<Upload[]> {
  return (await tablesOf(db).selectFrom("s3_uploads").selectAll().where("bucket", "=", bucket).execute()).map(toUpload);
}

/** Replaces a part of the same number. */
export async function putPart(trx: Database, part: Part): Promise<void> {
  const values = {
    sha256: part.sha256,
    size: part.size,
    md5: part.md5,
    checksums: JSON.stringify(part.checksums),
    last_modified: part.lastModified,
  };
  await tablesOf(trx)
    .insertInto("s3_parts")
    .values({ upload_id: part.uploadId, part_number: part.number, ...values })
    .onConflict((conflict) => conflict.columns(["upload_id", "part_number"]).doUpdateSet(values))
    .execute();
}

/** In the order of their numbers. */
export async function listParts(db: Database, uploadId: string, after = 0, limit?: number): Promise<Part[]> {
  const select = tablesOf(db)
    .selectFrom("s3_parts")
    .selectAll()
    .where("upload_id", "=", uploadId)
    .where("part_number", ">", after)
    .orderBy("part_number");
  return (await (limit === undefined ? select : select.limit(limit)).execute()).map(toPart);
}

function toUpload(row: Selectable<Tables["s3_uploads"]>): Upload {
  return {
    id: row.id,
    bucket: row.bucket,
    key: row.key,
    initiatedAt: row.initiated_at,
    initiator: row.initiator,
    attributes: JSON.parse(row.attributes) as UploadAttributes,
  };
}

function toPart(row: Selectable<Tables["s3_parts"]>): Part {
  return {
    uploadId: row.upload_id,
    number: row.part_number,
    sha256: row.sha256,
    size: row.size,
    md5: row.md5,
    checksums: JSON.parse(row.checksums) as Checksums,
    lastModified: row.last_modified,
  };
}
