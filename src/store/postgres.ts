/** PostgreSQL, for several Slipway processes on one database. */
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Database, Store } from "./database.ts";

const CHANNEL = "slipway";
/** int8 and numeric arrive as text by default; Slipway's integers are epoch milliseconds and counts, below 2^53. */
const INT8 = 20;
const NUMERIC = 1700;

export async function openPostgres(url: string): Promise<Store> {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, Number);
  types.setTypeParser(NUMERIC, Number);
  const pool = new pg.Pool({ connectionString: url, types, max: 10 });
  const db = new Kysely({ dialect: new PostgresDialect({ pool }) }) as Database;
  let listener: pg.Client | undefined;
  await pool.query("select 1"); // a wrong URL is told at start, not at the first request
  return {
    db,
    kind: "postgres",
    notifications: {
      notify: async (payload) => {
        await pool.query("select pg_notify($1, $2)", [CHANNEL, payload]);
      },
      listen: async (receive) => {
        listener = new pg.Client({ connectionString: url });
        await listener.connect();
        listener.on("notification", (message) => receive(message.payload ?? ""));
        await listener.query(`listen ${CHANNEL}`);
      },
    },
    close: async () => {
      await listener?.end();
      await db.destroy();
    },
  };
}
