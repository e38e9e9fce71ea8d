/**
 * What Slipway relies on from a database, whichever it is. `*.test.ts` beside it and in tests/store run it on each.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sql } from "kysely";
import {
  type Database,
  inSnapshot,
  inTransaction,
  openTransaction,
  outsideTransaction,
  type Store,
} from "./database.ts";
import { emptyTables, type Migration, migrate } from "./migrate.ts";
import { openStore } from "./open.ts";

/** Makes an empty database that several stores and processes can open, and says where it is; it goes after the tests. */
export type CreateDatabase = () => Promise<string>;

type Tables = { things: { id: string; number: number } };

export const things: Migration = {
  name: "0001-things",
  async up(db) {
    await db.schema
      .createTable("things")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("number", "bigint", (column) => column.notNull())
      .execute();
  },
};

const NOW = new Date("2026-01-02T03:04:05Z");
const MIGRATING_PROCESS = fileURLToPath(new URL("./testing-migrate.ts", import.meta.url));

const insert = (db: Database, id: string, number = 0) =>
  db.withTables<Tables>().insertInto("things").values({ id, number }).execute();

async function ids(db: Database): Promise<string[]> {
  const rows = await db.withTables<Tables>().selectFrom("things").select("id").orderBy("id").execute();
  return rows.map(({ id }) => id);
}

export function storeContract(name: string, create: CreateDatabase): void {
  describe(`the store on ${name}`, () => {
    let location: string;
    let store: Store;
    let db: Database;

    beforeEach(async () => {
      location = await create();
      store = await openStore(location);
      db = store.db;
      await migrate(db, [{ service: "test", migrations: [things] }], NOW);
    });
    afterEach(() => store.close());

    describe("migrate", () => {
      const second: Migration = { name: "0002-more", up: (trx) => insert(trx, "from the second").then(() => {}) };

      it("applies each migration once, and new ones after those that are there", async () => {
        await migrate(db, [{ service: "test", migrations: [things, second] }], NOW);
        await migrate(db, [{ service: "test", migrations: [things, second] }], NOW);
        assert.deepEqual(await ids(db), ["from the second"]);
        const { rows } = await sql`select service, name, applied_at from migrations order by name`.execute(db);
        assert.deepEqual(
          rows.map((row) => ({ ...(row as object) })),
          [
            { service: "test", name: "0001-things", applied_at: NOW.getTime() },
            { service: "test", name: "0002-more", applied_at: NOW.getTime() },
          ],
        );
      });

      it("knows a migration by its service, too", async () => {
        const other: Migration = { name: "0001-things", up: (trx) => insert(trx, "the other's").then(() => {}) };
        await migrate(db, [{ service: "other", migrations: [other] }], NOW);
        assert.deepEqual(await ids(db), ["the other's"]);
      });

      it("leaves nothing of a migration that fails, and tries it again next time", async () => {
        const failing: Migration = {
          name: "0002-more",
          async up(trx) {
            await insert(trx, "half");
            await trx.schema.createTable("half").addColumn("id", "text").execute();
            throw new Error("no further");
          },
        };
        await assert.rejects(migrate(db, [{ service: "test", migrations: [things, failing] }], NOW), /no further/);
        assert.deepEqual(await ids(db), []);
        await assert.rejects(sql`select * from half`.execute(db));
        await migrate(db, [{ service: "test", migrations: [things, second] }], NOW);
        assert.deepEqual(await ids(db), ["from the second"]);
      });

      it("is done once by three processes that start at once on an empty database", async () => {
        const empty = await create();
        const run = () => promisify(execFile)(process.execPath, [MIGRATING_PROCESS, empty]);
        await Promise.all([run(), run(), run()]);
        const migrated = await openStore(empty);
        const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(migrated.db);
        await migrated.close();
        assert.deepEqual(
          rows.map((row) => row.name),
          ["0001-first", "0002-second", "0003-third"],
        );
      });
    });

    describe("inTransaction", () => {
      it("keeps everything, or nothing where it throws", async () => {
        const answer = await inTransaction(db, async (trx) => {
          await insert(trx, "kept");
          return 42;
        });
        assert.equal(answer, 42);
        const failed = inTransaction(db, async (trx) => {
          await insert(trx, "lost");
          throw new Error("changed my mind");
        });
        await assert.rejects(failed, /changed my mind/);
        assert.deepEqual(await ids(db), ["kept"]);
      });

      it("joins the transaction that it is handed", async () => {
        const failed = inTransaction(db, async (trx) => {
          await inTransaction(trx, (inner) => insert(inner, "inner"));
          assert.deepEqual(await ids(trx), ["inner"]);
          throw new Error("after the inner one");
        });
        await assert.rejects(failed, /after the inner one/);
        assert.deepEqual(await ids(db), []);
      });

      it("tells the call chain, and nobody else, which transaction is open", async () => {
        assert.equal(openTransaction(), undefined);
        await inTransaction(db, async (trx) => assert.equal(openTransaction(), trx));
        assert.equal(openTransaction(), undefined);
      });

      it("throws where a query goes around the open transaction of its own call chain", async () => {
        await assert.rejects(
          inTransaction(db, () => ids(db)),
          /went around the open transaction/,
        );
        assert.deepEqual(await ids(db), []); // and the connection is free again
      });

      it("comes after those that have begun: what it reads is still so when it writes", async () => {
        const other = store.kind === "postgres" ? await openStore(location) : undefined; // as of another process
        const next = (database: Database) =>
          inTransaction(database, async (trx) => {
            const number = (await ids(trx)).length;
            await new Promise((resolve) => setImmediate(resolve));
            await insert(trx, String(number).padStart(2, "0"), number);
          });
        await Promise.all(Array.from({ length: 20 }, (_, index) => next(index % 2 ? db : (other?.db ?? db))));
        await other?.close();
        assert.deepEqual(
          await ids(db),
          Array.from({ length: 20 }, (_, number) => String(number).padStart(2, "0")),
        );
      });

      it("is not seen by others before it is over", async () => {
        const written = Promise.withResolvers<void>();
        const seen: string[][] = [];
        const writing = inTransaction(db, async (trx) => {
          await insert(trx, "a");
          written.resolve();
          await new Promise((resolve) => setImmediate(resolve));
          await insert(trx, "b");
        });
        await written.promise;
        seen.push(await ids(db)); // SQLite waits for the transaction, PostgreSQL shows what was before
        await writing;
        seen.push(await ids(db));
        assert.notDeepEqual(seen[0], ["a"]);
        assert.deepEqual(seen[1], ["a", "b"]);
      });
    });

    describe("inSnapshot", () => {
      it("reads of one moment, whatever others write meanwhile", async () => {
        await insert(db, "before");
        const other = await openStore(location); // as of another process
        const seen = await inSnapshot(db, async (trx) => {
          const first = await ids(trx);
          await outsideTransaction(() => insert(other.db, "meanwhile"));
          return [first, await ids(trx)];
        });
        await other.close();
        assert.deepEqual(seen, [["before"], ["before"]]);
        assert.deepEqual(await ids(db), ["before", "meanwhile"]);
      });

      it("does not wait for another process's transaction", async () => {
        const other = await openStore(location);
        await inTransaction(db, async (trx) => {
          await insert(trx, "not yet");
          assert.deepEqual(await outsideTransaction(() => inSnapshot(other.db, ids)), []);
        });
        assert.deepEqual(await inSnapshot(other.db, ids), ["not yet"]);
        await other.close();
      });

      it("is the transaction that it is handed", async () => {
        await inTransaction(db, async (trx) => {
          await insert(trx, "own");
          assert.deepEqual(await inSnapshot(trx, ids), ["own"]);
          await insert(trx, "more");
        });
        assert.deepEqual(await ids(db), ["more", "own"]);
      });

      it("does not write, and lets the next one write again", async () => {
        await assert.rejects(
          inSnapshot(db, (trx) => insert(trx, "lost")),
          /read-?only/,
        );
        assert.deepEqual(await inSnapshot(db, ids), []);
        await insert(db, "kept");
        assert.deepEqual(await ids(db), ["kept"]);
      });
    });

    describe("values", () => {
      it("gives back integers of epoch milliseconds as numbers", async () => {
        await insert(db, "time", NOW.getTime());
        const row = await db.withTables<Tables>().selectFrom("things").select("number").executeTakeFirstOrThrow();
        assert.equal(row.number, NOW.getTime());
        const sum = await db
          .withTables<Tables>()
          .selectFrom("things")
          .select((eb) => [eb.fn.sum<number>("number").as("sum"), eb.fn.countAll<number>().as("count")])
          .executeTakeFirstOrThrow();
        assert.deepEqual({ ...sum }, { sum: NOW.getTime(), count: 1 });
      });

      for (const text of [
        "",
        "zero \0 byte",
        "\uFDD0",
        "\uFDD00\uFDD01\0\uFDD0\0",
        "👩‍🚀 ä \u{10FFFF}",
        'it\'s \\0 "so"',
      ]) {
        it(`gives back ${JSON.stringify(text)} as it was, and finds it`, async () => {
          await insert(db, text, 7);
          const found = db.withTables<Tables>().selectFrom("things").selectAll().where("id", "=", text);
          assert.deepEqual({ ...(await found.executeTakeFirst()) }, { id: text, number: 7 });
        });
      }

      it("sorts and compares text by code points", async () => {
        for (const id of ["b", "B", "a", "_", "é", "a-c", "ab", "\u{1F600}"]) await insert(db, id);
        assert.deepEqual(await ids(db), ["B", "_", "a", "a-c", "ab", "b", "é", "\u{1F600}"]);
        const found = db.withTables<Tables>().selectFrom("things").select("id");
        const prefixed = await found.where("id", ">=", "a").where("id", "<", "a\u{10FFFF}").orderBy("id").execute();
        assert.deepEqual(
          prefixed.map(({ id }) => id),
          ["a", "a-c", "ab"],
        );
      });
    });

    it("emptyTables empties what services have and keeps the record of migrations", async () => {
      await insert(db, "gone");
      await emptyTables(db);
      assert.deepEqual(await ids(db), []);
      await migrate(db, [{ service: "test", migrations: [things] }], NOW); // would fail if it were applied again
    });
  });
}
