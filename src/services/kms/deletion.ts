/** Deletes keys when their waiting period is over. */
import type { System } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { deleteKey, findKeyById } from "./store.ts";

/** The kind of work; its id is the key's. */
export const KEY_DELETION = "kms-key-deletion";

export function registerKeyDeletion({ db, work, clock }: System): void {
  work.register(KEY_DELETION, ({ id }) =>
    inTransaction(db, async (trx) => {
      const key = await findKeyById(trx, id);
      if (key?.deletionAt === undefined) return "done"; // cancelled
      if (key.deletionAt > clock.now()) return key.deletionAt;
      await deleteKey(trx, id);
      return "done";
    }),
  );
}
