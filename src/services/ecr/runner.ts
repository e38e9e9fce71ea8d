/**
 * What happens without a request: images expire by their repository's lifecycle policy, and what nothing refers to any
 * more is swept away.
 */
import type { System } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { deleteImageRows, imageSummaries, listedImages } from "./image-store.ts";
import {
  deleteUnusedLayers,
  deleteUpload,
  forgetUnusedBlob,
  unusedBlobs,
  uploadsUntouchedSince,
} from "./layer-store.ts";
import { layerBlobs } from "./layers.ts";
import { expirations, type LifecycleImage, parsedLifecyclePolicy } from "./lifecycle-policy.ts";
import { hexOf } from "./model.ts";
import { findRepositoryById, lockRepository, updateRepository } from "./store.ts";

/** One item for the whole registry. */
export const SWEEP_KIND = "ecr-sweep";
export const SWEEP_ID = "all";
/** One item per repository with a lifecycle policy, by the repository's id. */
export const LIFECYCLE_KIND = "ecr-lifecycle";

const HOUR_MS = 60 * 60 * 1000;
/** An upload, or a layer that no image names, which nobody has touched for so long belongs to a push that was given up. */
const ABANDONED_MS = 24 * HOUR_MS;
/** Longer than it takes to commit an upload; see layer-store. */
const BLOB_GRACE_MS = HOUR_MS;

export async function registerWork(system: System): Promise<void> {
  system.work.register(SWEEP_KIND, async (_item, signal) => {
    await sweep(system, signal);
    return inAnHour(system);
  });
  system.work.register(LIFECYCLE_KIND, async ({ id }) =>
    (await applyLifecyclePolicy(system, id)) ? inAnHour(system) : "done",
  );
  await system.work.schedule(system.db, SWEEP_KIND, SWEEP_ID, inAnHour(system));
}

function inAnHour({ clock }: System): Date {
  return new Date(clock.now().getTime() + HOUR_MS);
}

/** Uploads first, then layers, then the bytes that no layer is left of. */
export async function sweep(system: Pick<System, "db" | "blobs" | "clock">, signal?: AbortSignal): Promise<void> {
  const { db, clock } = system;
  const blobs = layerBlobs(system);
  const now = clock.now().getTime();
  for (const upload of await uploadsUntouchedSince(db, new Date(now - ABANDONED_MS))) {
    await blobs.discard(upload);
    await deleteUpload(db, upload);
  }
  await deleteUnusedLayers(db, new Date(now - ABANDONED_MS));
  const before = new Date(now - BLOB_GRACE_MS);
  for (let batch = await unusedBlobs(db, before); batch.length > 0; batch = await unusedBlobs(db, before)) {
    for (const digest of batch) {
      if (signal?.aborted) return;
      await inTransaction(db, async (trx) => {
        if (await forgetUnusedBlob(trx, digest, before)) await blobs.delete(hexOf(digest));
      });
    }
  }
}

/** A repository's images as a lifecycle policy sees them. */
export async function lifecycleImages(db: Database, repositoryId: string): Promise<LifecycleImage[]> {
  const listed = await listedImages(db, repositoryId);
  const images = await imageSummaries(db, repositoryId);
  return images.map(({ digest, tags, pushedAt }) => ({ digest, tags, pushedAt, isListed: listed.has(digest) }));
}

/** False where the repository or its policy is gone. */
export async function applyLifecyclePolicy(system: System, repositoryId: string): Promise<boolean> {
  const now = system.clock.now();
  const evaluated = await inTransaction(system.db, async (trx) => {
    const repository = await findRepositoryById(trx, repositoryId);
    if (repository?.lifecyclePolicy === undefined) return undefined;
    await lockRepository(trx, repositoryId);
    const images = await lifecycleImages(trx, repositoryId);
    const expired = expirations(parsedLifecyclePolicy(repository.lifecyclePolicy), images, now);
    for (const { digest } of expired) await deleteImageRows(trx, repositoryId, digest);
    await updateRepository(trx, repositoryId, { lifecycle_evaluated_at: now.getTime() });
    if (expired.length > 0) await system.work.schedule(trx, SWEEP_KIND, SWEEP_ID);
    return { repository, expired };
  });
  if (!evaluated) return false;
  const { repository, expired } = evaluated;
  if (expired.length > 0) {
    system.log("info", "a lifecycle policy expired images", { repository: repository.name, expired });
    system.work.wake();
  }
  return true;
}
