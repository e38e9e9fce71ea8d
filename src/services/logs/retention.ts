/**
 * Deletes expired events. AWS takes up to 72 hours for it; here a group with a retention policy is swept every hour. What
 * has expired is never shown meanwhile: the reading operations leave it out.
 */
import type { System } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { deleteExpiredEvents } from "./event-store.ts";
import { retentionStart } from "./model.ts";
import { findLogGroupById } from "./store.ts";

const KIND = "logs-retention";
const SWEEP_INTERVAL_MS = 60 * 60 * 1000;
/** One transaction's worth, so that a sweep holds up nobody for long. */
const BATCH = 1000;

/** Sweeps the group soon and then regularly. Joins the transaction that gives the group its policy. */
export function scheduleRetention(system: System, trx: Database, groupId: string): Promise<void> {
  return system.work.schedule(trx, KIND, groupId);
}

export function registerRetention(system: System): void {
  system.work.register(KIND, async ({ id }, signal) => {
    const group = await findLogGroupById(system.db, id);
    const start = group && retentionStart(group, system.clock.now());
    if (start === undefined) return "done";
    while (!signal.aborted) {
      const deleted = await inTransaction(system.db, (trx) => deleteExpiredEvents(trx, id, start, BATCH));
      if (deleted < BATCH) break;
    }
    return new Date(Date.now() + SWEEP_INTERVAL_MS);
  });
}
