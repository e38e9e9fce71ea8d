import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_AFTER_MS = 100;
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Runs `work` while no other caller, in this process or another, is inside `withFileLock` of the same path. Waits as long
 * as it takes; `onWait` is called once if it has to.
 *
 * The lock is SQLite's: an exclusive transaction on an otherwise empty database. The kernel drops it with the process that
 * holds it, so `kill -9` leaves nothing stale and there are no process ids to judge.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  using lock = new DatabaseSync(path);
  if (!tryToLock(lock)) {
    onWait?.();
    do await sleep(RETRY_AFTER_MS);
    while (!tryToLock(lock));
  }
  return await work();
}

function tryToLock(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}
