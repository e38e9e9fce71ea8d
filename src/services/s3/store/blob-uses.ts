/**
 * Who uses a blob is counted, because equal contents share one. A blob without users is deleted a little later by the
 * sweeper, and only while the row that counts its users is locked; whoever starts to use it takes the same lock first and
 * then looks whether the blob is still there. So content is never deleted under an object that was put meanwhile.
 */
import type { System } from "#gateway/context.ts";
import type { BlobStore } from "#store/blobs/blob-store.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { s3Error } from "../errors.ts";
import { tablesOf } from "./tables.ts";

const KIND = "s3-unused-blob";
/** Readers that found an object just before it was deleted still get to open its content. */
const GRACE_MS = 60_000;

/** S3's own part of the blob store: nobody else's content is ever deleted here. */
export const blobsOf = (system: Pick<System, "blobs">): BlobStore => system.blobs.scoped("s3");

/** Counts one more user of each. Throws SlowDown where the sweeper was faster: the client sends the content again. */
export async function useBlobs(system: System, trx: Database, hashes: readonly string[]): Promise<void> {
  // One order for everybody, so that two transactions never wait for each other.
  for (const sha256 of [...hashes].sort()) {
    await tablesOf(trx)
      .insertInto("s3_blobs")
      .values({ sha256, uses: 1 })
      .onConflict((conflict) => conflict.column("sha256").doUpdateSet((eb) => ({ uses: eb("s3_blobs.uses", "+", 1) })))
      .execute();
    if (!(await blobsOf(system).has(sha256))) throw s3Error("SlowDown");
  }
}

/** Counts one user less of each. */
export async function releaseBlobs(system: System, trx: Database, hashes: readonly string[], now: Date): Promise<void> {
  for (const sha256 of [...hashes].sort()) {
    await tablesOf(trx)
      .updateTable("s3_blobs")
      .set((eb) => ({ uses: eb("uses", "-", 1) }))
      .where("sha256", "=", sha256)
      .execute();
    await scheduleSweep(system, trx, sha256, now);
  }
}

/** For content that was received and then not wanted. */
export async function dropBlob(system: System, db: Database, sha256: string, now: Date): Promise<void> {
  await inTransaction(db, async (trx) => {
    await tablesOf(trx)
      .insertInto("s3_blobs")
      .values({ sha256, uses: 0 })
      .onConflict((conflict) => conflict.column("sha256").doNothing())
      .execute();
    await scheduleSweep(system, trx, sha256, now);
  });
}

function scheduleSweep(system: System, trx: Database, sha256: string, now: Date): Promise<void> {
  return system.work.schedule(trx, KIND, sha256, new Date(now.getTime() + GRACE_MS));
}

export function registerSweep(system: System): void {
  system.work.register(KIND, async ({ id }) => {
    await sweepBlob(system, id);
    return "done";
  });
}

/** Deletes the blob if it has no users. After a crash between file and commit the row is still there, and so is the work. */
export async function sweepBlob(system: Pick<System, "db" | "blobs">, sha256: string): Promise<void> {
  await inTransaction(system.db, async (trx) => {
    // An update that changes nothing, for its lock.
    const locked = await tablesOf(trx)
      .updateTable("s3_blobs")
      .set({ uses: 0 })
      .where("sha256", "=", sha256)
      .where("uses", "<=", 0)
      .executeTakeFirst();
    if (locked.numUpdatedRows === 0n) return;
    await blobsOf(system).delete(sha256);
    await tablesOf(trx).deleteFrom("s3_blobs").where("sha256", "=", sha256).execute();
  });
}
