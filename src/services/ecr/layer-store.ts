/**
 * SQL of layers, of the blobs behind them, and of uploads.
 *
 * A blob may be deleted when no layer row of any repository names it and nobody has touched its row for a while. Whoever
 * is about to store a blob touches its row first, and the deletion happens inside the transaction that removes the row:
 * so a blob that is being stored again while it is being collected is either kept or stored anew, never lost.
 */
import type { Database } from "#store/database.ts";
import { tables } from "./store.ts";

export interface Layer {
  readonly digest: string;
  readonly size: number;
}

/** Those of `digests` that the repository has. */
export async function layersOf(
  db: Database,
  repositoryId: string,
  digests: readonly string[],
): Promise<Map<string, Layer>> {
  if (digests.length === 0) return new Map();
  const rows = await tables(db)
    .selectFrom("ecr_layers")
    .select(["digest", "size"])
    .where("repository_id", "=", repositoryId)
    .where("digest", "in", digests)
    .execute();
  return new Map(rows.map(({ digest, size }) => [digest, { digest, size: Number(size) }]));
}

export async function touchBlob(db: Database, digest: string, now: Date): Promise<void> {
  const touched_at = now.getTime();
  await tables(db)
    .insertInto("ecr_blobs")
    .values({ digest, touched_at })
    .onConflict((conflict) => conflict.column("digest").doUpdateSet({ touched_at }))
    .execute();
}

/** Adds the layer, or keeps the one that is there from being swept. */
export async function putLayer(trx: Database, repositoryId: string, { digest, size }: Layer, now: Date): Promise<void> {
  const touched_at = now.getTime();
  await touchBlob(trx, digest, now);
  await tables(trx)
    .insertInto("ecr_layers")
    .values({ repository_id: repositoryId, digest, size, touched_at })
    .onConflict((conflict) => conflict.columns(["repository_id", "digest"]).doUpdateSet({ touched_at }))
    .execute();
}

/** Whoever asked for these layers counts on them for the push under way. */
export async function touchLayers(
  db: Database,
  repositoryId: string,
  digests: readonly string[],
  now: Date,
): Promise<void> {
  if (digests.length === 0) return;
  await tables(db)
    .updateTable("ecr_layers")
    .set({ touched_at: now.getTime() })
    .where("repository_id", "=", repositoryId)
    .where("digest", "in", digests)
    .execute();
}

export async function isLayerUsed(db: Database, repositoryId: string, digest: string): Promise<boolean> {
  const row = await tables(db)
    .selectFrom("ecr_image_references")
    .select("digest")
    .where((eb) => eb.and({ repository_id: repositoryId, kind: "layer", digest }))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteLayer(trx: Database, repositoryId: string, digest: string): Promise<void> {
  await tables(trx)
    .deleteFrom("ecr_layers")
    .where((eb) => eb.and({ repository_id: repositoryId, digest }))
    .execute();
}

/** Removes layers that no image of their repository names and that nobody has asked for since `before`. */
export async function deleteUnusedLayers(db: Database, before: Date): Promise<void> {
  await tables(db)
    .deleteFrom("ecr_layers")
    .where("touched_at", "<", before.getTime())
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("ecr_image_references")
            .select("ecr_image_references.digest")
            .whereRef("ecr_image_references.repository_id", "=", "ecr_layers.repository_id")
            .whereRef("ecr_image_references.digest", "=", "ecr_layers.digest")
            .where("ecr_image_references.kind", "=", "layer"),
        ),
      ),
    )
    .execute();
}

const UNUSED_BATCH = 500;

/** Blobs without a layer that nobody has touched since `before`, at most a few hundred. */
export async function unusedBlobs(db: Database, before: Date): Promise<string[]> {
  const rows = await tables(db)
    .selectFrom("ecr_blobs")
    .leftJoin("ecr_layers", "ecr_layers.digest", "ecr_blobs.digest")
    .select("ecr_blobs.digest as digest")
    .where("ecr_layers.digest", "is", null)
    .where("ecr_blobs.touched_at", "<", before.getTime())
    .limit(UNUSED_BATCH)
    .execute();
  return rows.map(({ digest }) => digest);
}

/** Forgets the blob unless it has been touched or used meanwhile. The caller deletes the bytes in the same transaction. */
export async function forgetUnusedBlob(trx: Database, digest: string, before: Date): Promise<boolean> {
  const deleted = await tables(trx)
    .deleteFrom("ecr_blobs")
    .where("digest", "=", digest)
    .where("touched_at", "<", before.getTime())
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("ecr_layers").select("ecr_layers.digest").where("ecr_layers.digest", "=", digest))),
    )
    .executeTakeFirst();
  return deleted.numDeletedRows > 0n;
}

export async function insertUpload(db: Database, id: string, repositoryId: string, now: Date): Promise<void> {
  await tables(db)
    .insertInto("ecr_uploads")
    .values({ id, repository_id: repositoryId, touched_at: now.getTime() })
    .execute();
}

export async function hasUpload(db: Database, id: string, repositoryId: string): Promise<boolean> {
  const row = await tables(db)
    .selectFrom("ecr_uploads")
    .select("id")
    .where((eb) => eb.and({ id, repository_id: repositoryId }))
    .executeTakeFirst();
  return row !== undefined;
}

export async function touchUpload(db: Database, id: string, now: Date): Promise<void> {
  await tables(db).updateTable("ecr_uploads").set({ touched_at: now.getTime() }).where("id", "=", id).execute();
}

export async function deleteUpload(db: Database, id: string): Promise<void> {
  await tables(db).deleteFrom("ecr_uploads").where("id", "=", id).execute();
}

export async function uploadsUntouchedSince(db: Database, before: Date): Promise<string[]> {
  const rows = await tables(db)
    .selectFrom("ecr_uploads")
    .select("id")
    .where("touched_at", "<", before.getTime())
    .execute();
  return rows.map(({ id }) => id);
}
