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
  using lock = opened(path);
  if (!tryToLock(lock)) {
    onWait?.();
    do await sleep(RETRY_AFTER_MS);
    while (!tryToLock(lock));
  }
  return await work();
}

/** Takes the lock until it is disposed of or this process ends; undefined where somebody has it. */
export function fileLockUnlessTaken(path: string): Disposable | undefined {
  const lock = opened(path);
  if (tryToLock(lock)) return lock;
  lock.close();
  return undefined;
}

/** The folder may become the data folder, which is its owner's only. */
function opened(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return new DatabaseSync(path);
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
