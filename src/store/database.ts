/**
 * The database as every service sees it: Kysely over SQLite (embedded, the default) or PostgreSQL. Conventions that keep
 * both alike: text for ids and JSON, integers (epoch milliseconds) for times, 0/1 for flags, no server-side functions.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Kysely } from "kysely";

// biome-ignore lint/complexity/noBannedTypes: no tables of its own; services add theirs with `withTables`
export type Database = Kysely<{}>;

export interface Store {
  readonly db: Database;
  readonly kind: "sqlite" | "postgres";
  /** PostgreSQL's LISTEN/NOTIFY, so that several processes wake each other; undefined for SQLite. */
  readonly notifications?: Notifications;
  close(): Promise<void>;
}

export interface Notifications {
  notify(payload: string): Promise<void>;
  listen(receive: (payload: string) => void): Promise<void>;
}

const transactions = new AsyncLocalStorage<Database>();

/** Runs in a transaction of its own, or in the caller's when `db` already is one. */
export function inTransaction<T>(db: Database, run: (trx: Database) => Promise<T>): Promise<T> {
  if (db.isTransaction) return run(db);
  return db.transaction().execute((trx) => transactions.run(trx, () => run(trx)));
}

/**
 * What is read is of one moment, or of the caller's transaction when `db` is one. Nothing can be written. On PostgreSQL it
 * neither waits for transactions nor lets them wait; SQLite's one connection is taken in turns all the same.
 */
export function inSnapshot<T>(db: Database, read: (trx: Database) => Promise<T>): Promise<T> {
  if (db.isTransaction) return read(db);
  const snapshot = db.transaction().setIsolationLevel("repeatable read").setAccessMode("read only");
  return snapshot.execute((trx) => transactions.run(trx, () => read(trx)));
}

/** The transaction that the call chain has open: what a service calls on the way joins it. undefined outside of one. */
export function openTransaction(): Database | undefined {
  return transactions.getStore();
}

/**
 * Throws where a query is about to go around the transaction that its own call chain has open: on SQLite's single
 * connection it would wait for itself for ever, on PostgreSQL it would not see what the transaction wrote. Called by the
 * drivers for every query outside a transaction.
 */
export function assertNotInTransaction(): void {
  if (transactions.getStore()) {
    throw new Error("A query went around the open transaction of its own call chain: hand the transaction on as `db`");
  }
}

/** Leaves the transaction's context: for work that an event inside a transaction sets off but that is not part of it. */
export function outsideTransaction<T>(run: () => T): T {
  return transactions.exit(run);
}
