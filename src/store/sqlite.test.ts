import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sql } from "kysely";
import { inTransaction } from "./database.ts";
import { openStore } from "./open.ts";

describe("the SQLite store", () => {
  it("throws where a query goes around the open transaction of its own call chain, instead of waiting for itself", async () => {
    const { db, close } = await openStore(":memory:");
    const around = inTransaction(db, async () => {
      await sql`select 1`.execute(db);
    });
    await assert.rejects(around, /went around the open transaction/);
    await sql`select 1`.execute(db); // and the connection is free again
    await close();
  });

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
});
