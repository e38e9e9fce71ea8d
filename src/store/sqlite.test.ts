import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import { Bus } from "./bus.ts";
import { inTransaction } from "./database.ts";
import { migrate } from "./migrate.ts";
import { openStore } from "./open.ts";
import { storeContract } from "./store.contract.ts";
import { workContract } from "./work.contract.ts";
import { Work, workMigrations } from "./work.ts";

let folder: string;
let files = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-sqlite-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const emptyFile = async () => join(folder, `${++files}.db`);

storeContract("SQLite", emptyFile);
workContract("SQLite", emptyFile);

describe("the SQLite store", () => {
  it("lets others wait for a transaction and then see what it wrote", async () => {
    const { db, close } = await openStore(":memory:");
    await sql`create table counts (n integer)`.execute(db);
    const increments = Array.from({ length: 20 }, () =>
      inTransaction(db, async (trx) => {
        const { rows } = await sql<{ n: number }>`select count(*) as n from counts`.execute(trx);
        await new Promise((resolve) => setImmediate(resolve));
        await sql`insert into counts values (${rows[0]!.n})`.execute(trx);
      }),
    );
    const read = sql<{ n: number }>`select count(*) as n from counts`.execute(db);
    await Promise.all(increments);
    assert.equal((await read).rows[0]?.n, 20);
    const { rows } = await sql<{ n: number }>`select distinct n from counts order by n`.execute(db);
    assert.deepEqual(
      rows.map(({ n }) => n),
      Array.from({ length: 20 }, (_, n) => n),
    );
    await close();
  });

  it("names the columns of a changed table as they are now", async () => {
    const { db, close } = await openStore(":memory:");
    await sql`create table things (id text, size integer)`.execute(db);
    await sql`insert into things values ('a', 1)`.execute(db);
    const all = async () => (await sql`select * from things`.execute(db)).rows;
    assert.deepEqual(await all(), [{ id: "a", size: 1 }]);
    await sql`alter table things rename column size to weight`.execute(db);
    await sql`alter table things add column colour text`.execute(db);
    assert.deepEqual(await all(), [{ id: "a", weight: 1, colour: null }]);
    await close();
  });

  it("frees every lease at the start of work: whoever had one on this file is dead", async () => {
    const store = await openStore(":memory:");
    await migrate(store.db, [{ service: "work", migrations: workMigrations }], new Date());
    const inAnHour = Date.now() + 3_600_000;
    await sql`insert into work values ('test', 'orphan', 0, 1, 0, 'dead', ${inAnHour})`.execute(store.db);
    const taken = Promise.withResolvers<string>();
    const work = new Work(store, new Bus(), (_item, error) => taken.reject(error));
    work.register("test", async ({ id }) => {
      taken.resolve(id);
      return "done";
    });
    await work.start();
    assert.equal(await taken.promise, "orphan");
    await work.stop();
    await store.close();
  });
});
