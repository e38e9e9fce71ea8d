/**
 * Layers coming in: uploads in parts, as the API sends them and as the OCI registry streams them. The bytes are ECR's
 * own scope of the blob store, so that a layer can be deleted without asking any other service.
 */
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { System } from "#gateway/context.ts";
import { type BlobInfo, BlobMismatchError, type BlobStore } from "#store/blobs/blob-store.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { emptyUpload, invalidLayerPart, layerDigestMismatch, uploadNotFound } from "./errors.ts";
import {
  deleteUpload,
  hasUpload,
  insertUpload,
  type Layer,
  layersOf,
  putLayer,
  touchBlob,
  touchUpload,
} from "./layer-store.ts";
import { hexOf } from "./model.ts";
import type { Repository } from "./store.ts";

export function layerBlobs(system: Pick<System, "blobs">): BlobStore {
  return system.blobs.scoped("ecr");
}

/** What the functions below need of a call. */
export interface UploadContext {
  readonly system: Pick<System, "blobs">;
  readonly db: Database;
  readonly now: Date;
}

export async function startUpload({ db, now }: UploadContext, repository: Repository): Promise<string> {
  const uploadId = randomUUID();
  await insertUpload(db, uploadId, repository.id, now);
  return uploadId;
}

/** Bytes received so far. Throws UploadNotFoundException. */
export async function receivedBytes(
  { system, db }: UploadContext,
  repository: Repository,
  uploadId: string,
): Promise<number> {
  if (!(await hasUpload(db, uploadId, repository.id))) throw uploadNotFound(uploadId, repository);
  return (await layerBlobs(system).uploadSize(uploadId)) ?? 0;
}

/**
 * Adds a part and returns the bytes received so far. A part that breaks off leaves the upload as it was. `firstByte`,
 * where the sender says it, must be the next byte: else InvalidLayerPartException. Throws UploadNotFoundException.
 */
export function appendPart(
  context: UploadContext,
  repository: Repository,
  uploadId: string,
  part: Readable | Uint8Array,
  firstByte?: number,
): Promise<number> {
  return asOnlyWriter(context, repository, uploadId, async () => {
    const received = await receivedBytes(context, repository, uploadId);
    if (firstByte !== undefined && firstByte !== received) {
      const sentence = `First byte of the layer part is ${firstByte} instead of ${received}`;
      throw invalidLayerPart(uploadId, received, repository, sentence);
    }
    const size = await layerBlobs(context.system).append(uploadId, part);
    await touchUpload(context.db, uploadId, context.now);
    return size;
  });
}

/**
 * Makes the upload a layer of the repository. Content of another digest is refused with InvalidLayerException and not
 * kept; so is an upload without a byte, with EmptyUploadException.
 */
export function completeUpload(
  context: UploadContext,
  repository: Repository,
  uploadId: string,
  digest: string,
): Promise<Layer> {
  const { db, now } = context;
  return asOnlyWriter(context, repository, uploadId, async () => {
    if ((await receivedBytes(context, repository, uploadId)) === 0) throw emptyUpload(uploadId, repository);
    await touchBlob(db, digest, now); // before the bytes get their name: see layer-store
    const { size } = await commitUpload(context, uploadId, digest);
    const layer = { digest, size };
    await inTransaction(db, async (trx) => {
      await putLayer(trx, repository.id, layer, now);
      await deleteUpload(trx, uploadId);
    });
    return layer;
  });
}

async function commitUpload({ system, db }: UploadContext, uploadId: string, digest: string): Promise<BlobInfo> {
  try {
    return await layerBlobs(system).commit(uploadId, hexOf(digest));
  } catch (error) {
    if (!(error instanceof BlobMismatchError)) throw error;
    await deleteUpload(db, uploadId);
    throw layerDigestMismatch();
  }
}

export async function cancelUpload(context: UploadContext, repository: Repository, uploadId: string): Promise<void> {
  await receivedBytes(context, repository, uploadId);
  await deleteUpload(context.db, uploadId);
  await layerBlobs(context.system).discard(uploadId);
}

/** Gives the repository a layer that another one has, without moving a byte. False where the other has it not. */
export function mountLayer(
  db: Database,
  from: Repository,
  to: Repository,
  digest: string,
  now: Date,
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const layer = (await layersOf(trx, from.id, [digest])).get(digest);
    if (!layer) return false;
    await putLayer(trx, to.id, layer, now);
    return true;
  });
}

/** Uploads that a request of this process is writing to. */
const writing = new WeakMap<object, Set<string>>();

/** Two requests that write to one upload would mix their bytes: the second is refused. */
async function asOnlyWriter<T>(
  { system }: UploadContext,
  repository: Repository,
  uploadId: string,
  run: () => Promise<T>,
): Promise<T> {
  const uploads = writing.get(system.blobs) ?? new Set();
  writing.set(system.blobs, uploads);
  if (uploads.has(uploadId)) {
    throw invalidLayerPart(
      uploadId,
      0,
      repository,
      `Another request is still writing to the upload with id '${uploadId}'`,
    );
  }
  uploads.add(uploadId);
  try {
    return await run();
  } finally {
    uploads.delete(uploadId);
  }
}
