/** Writing versions of objects: what becomes of the older ones, by the bucket's versioning. */
import { randomBytes } from "node:crypto";
import type { Call } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { type Conditions, writeOutcome } from "./conditions.ts";
import { noSuchBucket, noSuchKey, s3Error } from "./errors.ts";
import { type Bucket, NULL_VERSION, type ObjectVersion } from "./model.ts";
import { releaseBlobs, useBlobs } from "./store/blob-uses.ts";
import { findBucket, nextRevision } from "./store/buckets.ts";
import { deleteObjectVersion, findObject, insertObject } from "./store/objects.ts";

export type NewVersion = Pick<ObjectVersion, "key" | "size" | "etag" | "segments" | "attributes">;

/**
 * Stores an object: a version beside the older ones where versioning is enabled, else in place of the null version.
 * Throws PreconditionFailed, NoSuchKey and NoSuchBucket; `also` runs in the same transaction, after the checks.
 */
export async function writeObject(
  call: Call,
  bucketName: string,
  version: NewVersion,
  conditions: Pick<Conditions, "IfMatch" | "IfNoneMatch">,
  also: (trx: Database) => Promise<void> = async () => {},
): Promise<{ bucket: Bucket; version: ObjectVersion }> {
  return inTransaction(call.db, async (trx) => {
    const { bucket, revision } = await lockedBucket(trx, bucketName);
    const current = await findObject(trx, bucket.name, version.key);
    const outcome = writeOutcome(conditions, current?.deleteMarker ? undefined : current);
    if (outcome === "failed") throw s3Error("PreconditionFailed");
    if (outcome === "absent") throw noSuchKey();
    await useBlobs(
      call.system,
      trx,
      version.segments.map(({ sha256 }) => sha256),
    );
    const written: ObjectVersion = {
      ...version,
      bucket: bucket.name,
      revision,
      versionId: newVersionId(bucket),
      latest: true,
      deleteMarker: false,
      lastModified: call.now.getTime(),
    };
    await replaceNullVersion(call, trx, written);
    await insertObject(trx, written);
    await also(trx);
    return { bucket, version: written };
  });
}

export interface Deletion {
  readonly bucket: Bucket;
  /** The version that was deleted, or the delete marker that was made; undefined where nothing was there. */
  readonly version: ObjectVersion | undefined;
  readonly made: boolean;
}

/** Without a version id, a versioned bucket gets a delete marker; what is not there is deleted without complaint. */
export async function deleteObject(
  call: Call,
  bucketName: string,
  key: string,
  versionId: string | undefined,
  conditions: Pick<Conditions, "IfMatch"> = {},
): Promise<Deletion> {
  return inTransaction(call.db, async (trx) => {
    const { bucket, revision } = await lockedBucket(trx, bucketName);
    const found = await findObject(trx, bucket.name, key, versionId);
    if (conditions.IfMatch !== undefined) {
      const outcome = writeOutcome(conditions, found?.deleteMarker ? undefined : found);
      if (outcome === "failed") throw s3Error("PreconditionFailed");
      if (outcome === "absent") throw noSuchKey();
    }
    if (versionId === undefined && bucket.versioning !== undefined) {
      const marker = deleteMarker(bucket, key, revision, call.now);
      await replaceNullVersion(call, trx, marker);
      await insertObject(trx, marker);
      return { bucket, version: marker, made: true };
    }
    if (found) await removeVersion(call, trx, found);
    return { bucket, version: found, made: false };
  });
}

async function lockedBucket(trx: Database, name: string): Promise<{ bucket: Bucket; revision: number }> {
  const revision = await nextRevision(trx, name);
  const bucket = await findBucket(trx, name);
  if (revision === undefined || !bucket) throw noSuchBucket();
  return { bucket, revision };
}

/** There is at most one null version of a key. */
async function replaceNullVersion(call: Call, trx: Database, written: ObjectVersion): Promise<void> {
  if (written.versionId !== NULL_VERSION) return;
  const replaced = await findObject(trx, written.bucket, written.key, NULL_VERSION);
  if (replaced) await removeVersion(call, trx, replaced);
}

async function removeVersion(call: Call, trx: Database, version: ObjectVersion): Promise<void> {
  await deleteObjectVersion(trx, version);
  await releaseBlobs(
    call.system,
    trx,
    version.segments.map(({ sha256 }) => sha256),
    call.now,
  );
}

function deleteMarker(bucket: Bucket, key: string, revision: number, now: Date): ObjectVersion {
  return {
    bucket: bucket.name,
    key,
    revision,
    versionId: newVersionId(bucket),
    latest: true,
    deleteMarker: true,
    size: 0,
    etag: "",
    lastModified: now.getTime(),
    segments: [],
    attributes: {
      headers: {},
      metadata: {},
      storageClass: "STANDARD",
      encryption: { ServerSideEncryption: "AES256" },
      tags: {},
      checksums: {},
      checksumType: "FULL_OBJECT",
    },
  };
}

/** 32 characters, like AWS's. */
function newVersionId(bucket: Bucket): string {
  return bucket.versioning === "Enabled" ? randomBytes(24).toString("base64url").replaceAll("-", "_") : NULL_VERSION;
}
