/** PostgreSQL, for several Slipway processes on one database. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  type DataTypeNode,
  Kysely,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  PostgresQueryCompiler,
  type TransactionSettings,
} from "kysely";
import pg from "pg";
import { assertNotInTransaction, type Database, type Notifications, type Store } from "./database.ts";

/** int8 and numeric arrive as text by default; Slipway's integers are epoch milliseconds and counts, below 2^53. */
const INT8 = 20;
const NUMERIC = 1700;
const TEXT = 25;
/** Among the advisory locks of whoever else uses the database: "SLIP" in ASCII. */
const LOCK = 0x53_4c_49_50;
const RECONNECT_AFTER_MS = 1_000;

export async function openPostgres(url: string): Promise<Store> {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, Number);
  types.setTypeParser(NUMERIC, Number);
  types.setTypeParser(TEXT, fromStored);
  const pool = new pg.Pool({ connectionString: url, types, max: 10 });
  // Of a connection that nobody uses, which the pool then replaces. Unheard, it would end the process.
  pool.on("error", () => {});
  const db = new Kysely({ dialect: new LikeSqliteDialect({ pool }) }) as Database;
  // Also tells a wrong URL at start, not at the first request.
  const { rows } = await pool.query<{ schema: number }>("select current_schema()::regnamespace::oid as schema");
  const notifications = new PostgresNotifications(url, pool, `slipway_${rows[0]!.schema}`);
  return {
    db,
    kind: "postgres",
    notifications,
    close: async () => {
      await notifications.close();
      await db.destroy();
    },
  };
}

/** A connection of its own that listens, made anew whenever the server drops it; what is missed meanwhile, polling finds. */
class PostgresNotifications implements Notifications {
  readonly #url: string;
  readonly #pool: pg.Pool;
  /** Of the schema, because Slipways in different schemas of one database have nothing to do with each other. */
  readonly #channel: string;
  #listener: pg.Client | undefined;
  readonly #closed = new AbortController();

  constructor(url: string, pool: pg.Pool, channel: string) {
    this.#url = url;
    this.#pool = pool;
    this.#channel = channel;
  }

  async notify(payload: string): Promise<void> {
    await this.#pool.query("select pg_notify($1, $2)", [this.#channel, payload]);
  }

  async listen(receive: (payload: string) => void): Promise<void> {
    const listener = new pg.Client({ connectionString: this.#url, keepAlive: true });
    listener.on("notification", (message) => receive(message.payload ?? ""));
    listener.on("error", () => {}); // "end" follows
    this.#listener = listener;
    await listener.connect();
    await listener.query(`listen ${this.#channel}`);
    listener.once("end", () => void this.#listenAgain(receive));
  }

  async #listenAgain(receive: (payload: string) => void): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        await sleep(RECONNECT_AFTER_MS, undefined, { signal });
        return await this.listen(receive);
      } catch {
        // Closed meanwhile, or the server is still away.
      }
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#listener?.end();
  }
}

/** Where SQLite gives the services more than PostgreSQL does by itself, it is made up for here. */
class LikeSqliteDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): TakingTurnsDriver {
    return new TakingTurnsDriver(this.#config);
  }

  override createQueryCompiler(): AnyTextCompiler {
    return new AnyTextCompiler();
  }
}

/**
 * Transactions come one after the other, in all processes: what one has read is still so when it writes. Reading goes on
 * beside them. They are short, since on SQLite everybody waits for them.
 */
class TakingTurnsDriver extends PostgresDriver {
  override async acquireConnection(...options: Parameters<PostgresDriver["acquireConnection"]>) {
    // It would wait for a connection while those that have one wait for this transaction.
    assertNotInTransaction();
    return super.acquireConnection(...options);
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await super.beginTransaction(connection, settings);
    if (settings.accessMode === "read only") return;
    const turn = `select pg_advisory_xact_lock(${LOCK}, current_schema()::regnamespace::oid::int4)`;
    await connection.executeQuery(CompiledQuery.raw(turn));
  }
}

class AnyTextCompiler extends PostgresQueryCompiler {
  /**
   * Text is compared and sorted by code points, as SQLite and AWS do it, whatever the database's own collation: pages of
   * names and searches for prefixes rely on it.
   */
  protected override visitDataType(node: DataTypeNode): void {
    super.visitDataType(node);
    if (node.dataType === "text") this.append(' collate "C"');
  }

  protected override appendValue(value: unknown): void {
    super.appendValue(typeof value === "string" ? toStored(value) : value);
  }
}

/** Never part of a text that people exchange (Unicode 23.7, Noncharacters). */
const ESCAPE = "\uFDD0";

/** PostgreSQL's text takes every character but U+0000, which programs do write into their logs. */
function toStored(text: string): string {
  if (!text.includes("\0") && !text.includes(ESCAPE)) return text;
  return text.replaceAll(ESCAPE, `${ESCAPE}1`).replaceAll("\0", `${ESCAPE}0`);
}

function fromStored(stored: string): string {
  if (!stored.includes(ESCAPE)) return stored;
  return stored.replaceAll(`${ESCAPE}0`, "\0").replaceAll(`${ESCAPE}1`, ESCAPE);
}
