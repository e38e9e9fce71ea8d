/** node:sqlite behind Kysely: no native module, one file, WAL. */
import { chmodSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type LimitNode,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
  type SqliteStatement,
  type TransactionSettings,
} from "kysely";
import { assertNotInTransaction, type Database, type Store } from "./database.ts";

/** Kysely compiles each distinct query to the same text, so a service's statements all fit. */
const CACHED_STATEMENTS = 1000;
const CHANGES_TABLES = /^\s*(?:alter|create|drop)\b/i;

export function openSqlite(location: string): Store {
  const inMemory = location === ":memory:";
  if (!inMemory) mkdirSync(dirname(location), { recursive: true });
  const native = new DatabaseSync(location);
  if (!inMemory) chmodSync(location, 0o600);
  // NORMAL in WAL mode loses nothing on kill -9; after a power cut the last transactions may be gone, never torn.
  // The timeout comes first: WAL is switched on under a lock that another process may hold.
  native.exec(
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
  );
  const dialect = new GuardedDialect({ database: async () => asKyselyDatabase(native) });
  const db = new Kysely({ dialect }) as Database;
  return { db, kind: "sqlite", close: () => db.destroy() };
}

class GuardedDialect extends SqliteDialect {
  readonly #config: { database: () => Promise<SqliteDatabase> };

  constructor(config: { database: () => Promise<SqliteDatabase> }) {
    super(config);
    this.#config = config;
  }

  override createDriver(): GuardedDriver {
    return new GuardedDriver(this.#config);
  }

  override createAdapter(): TakingTurnsAdapter {
    return new TakingTurnsAdapter();
  }

  override createQueryCompiler(): PlannedOnceCompiler {
    return new PlannedOnceCompiler();
  }
}

/**
 * SQLite plans by the value of a plain `limit ?` and so compiles the statement anew whenever one is bound: measured, a
 * query of 2 µs takes 12. An expression it leaves alone.
 */
class PlannedOnceCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node);
    this.append(" + 0");
  }
}

/**
 * One connection, taken in turns. Kysely's own turn-taking lets a query that goes around the open transaction of its call
 * chain queue up behind itself; here it throws before it waits.
 */
class GuardedDriver extends SqliteDriver {
  #taken = false;
  readonly #waiting: (() => void)[] = [];
  #onlyReads = false;

  override async acquireConnection(...options: Parameters<SqliteDriver["acquireConnection"]>) {
    assertNotInTransaction();
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    return super.acquireConnection(...options);
  }

  /** PostgreSQL refuses to write in a transaction that only reads; so does this. */
  override async beginTransaction(connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    await super.beginTransaction(connection);
    this.#onlyReads = settings?.accessMode === "read only";
    if (this.#onlyReads) await connection.executeQuery(CompiledQuery.raw("PRAGMA query_only = ON"));
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#mayWriteAgain(connection);
    await super.commitTransaction(connection);
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#mayWriteAgain(connection);
    await super.rollbackTransaction(connection);
  }

  async #mayWriteAgain(connection: DatabaseConnection): Promise<void> {
    if (this.#onlyReads) await connection.executeQuery(CompiledQuery.raw("PRAGMA query_only = OFF"));
    this.#onlyReads = false;
  }

  override async releaseConnection(...options: Parameters<SqliteDriver["releaseConnection"]>) {
    await super.releaseConnection(...options);
    // Whoever waits longest has it now; it is free only where nobody waits.
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken = false;
  }
}

/** Tells Kysely not to take turns itself. */
class TakingTurnsAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

function asKyselyDatabase(native: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => native.close(),
    prepare(sql) {
      // Prepared before, they would go on giving the columns the names that they had.
      if (CHANGES_TABLES.test(sql)) statements.clear();
      let statement = statements.get(sql);
      if (!statement) {
        statement = asKyselyStatement(native.prepare(sql));
        if (statements.size >= CACHED_STATEMENTS) statements.clear();
        statements.set(sql, statement);
      }
      return statement;
    },
  };
}

/** Rows come as arrays: node:sqlite makes its objects without a prototype, and V8 those anew each with a map of its own. */
function asKyselyStatement(statement: StatementSync): SqliteStatement {
  const names = statement.columns().map(({ name }) => name);
  statement.setReturnArrays(true);
  return {
    reader: names.length > 0,
    all: (parameters) =>
      (statement.all(...(parameters as SQLInputValue[])) as unknown as SQLOutputValue[][]).map((row) =>
        named(names, row),
      ),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    *iterate(parameters) {
      for (const row of statement.iterate(...(parameters as SQLInputValue[]))) {
        yield named(names, row as unknown as SQLOutputValue[]);
      }
    },
  };
}

function named(names: readonly string[], row: readonly SQLOutputValue[]): Record<string, SQLOutputValue> {
  const object: Record<string, SQLOutputValue> = {};
  for (let column = 0; column < names.length; column++) object[names[column]!] = row[column]!;
  return object;
}
