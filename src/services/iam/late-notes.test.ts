import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { sql } from "kysely";
import { type Database, inTransaction, type Store } from "#store/database.ts";
import { openStore } from "#store/open.ts";
import { LateNotes } from "./late-notes.ts";

/** A later number counts, whoever writes first. */
interface Note {
  readonly key: string;
  readonly number: number;
}

async function write(db: Database, notes: readonly Note[]): Promise<void> {
  for (const { key, number } of notes) {
    await sql`insert into notes values (${key}, ${number}) on conflict (key) do update
      set number = excluded.number where notes.number <= excluded.number`.execute(db);
  }
}

async function written(db: Database): Promise<Record<string, number>> {
  const { rows } = await sql<Note>`select key, number from notes`.execute(db);
  return Object.fromEntries(rows.map(({ key, number }) => [key, number]));
}

describe("notes that are written later", () => {
  let store: Store;
  let db: Database;
  beforeEach(async () => {
    store = await openStore(":memory:");
    db = store.db;
    await sql`create table notes (key text primary key, number integer)`.execute(db);
  });
  afterEach(() => store.close());

  /** Notes whose first write does not go on before it is told to. */
  function slowNotes() {
    const [began, mayGoOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let first = true;
    const notes = new LateNotes<Note>(db, async (to, batch) => {
      if (first) {
        first = false;
        began.resolve();
        await mayGoOn.promise;
      }
      await write(to, batch);
    });
    return { notes, began: began.promise, goOn: () => mayGoOn.resolve() };
  }

  it("are there when a flush is over, also those that another one is writing", async () => {
    const { notes, began, goOn } = slowNotes();
    notes.add("a", { key: "a", number: 1 });
    const timers = notes.flush();
    await began;
    notes.add("b", { key: "b", number: 1 });
    const flushed = notes.flush().then(() => written(db));
    setImmediate(goOn);
    assert.deepEqual(await flushed, { a: 1, b: 1 });
    await timers;
  });

  it("are there in a transaction that flushes, also those that wait for it to end", async () => {
    const { notes, began, goOn } = slowNotes();
    notes.add("a", { key: "a", number: 1 });
    notes.add("b", { key: "b", number: 1 });
    const timers = notes.flush();
    await began;
    notes.add("b", { key: "b", number: 2 });
    await inTransaction(db, async (trx) => {
      goOn(); // to wait for the connection
      await new Promise((resolve) => setImmediate(resolve));
      await notes.flush(trx);
      assert.deepEqual(await written(trx), { a: 1, b: 2 });
    });
    await timers;
    assert.deepEqual(await written(db), { a: 1, b: 2 });
  });

  it("are not lost with a transaction that is rolled back", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const notes = new LateNotes<Note>(db, write);
    notes.add("a", { key: "a", number: 1 });
    const failed = inTransaction(db, async (trx) => {
      await notes.flush(trx);
      assert.deepEqual(await written(trx), { a: 1 });
      throw new Error("rolled back");
    });
    await assert.rejects(failed, /rolled back/);
    assert.deepEqual(await written(db), {});
    t.mock.timers.tick(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await written(db), { a: 1 });
  });

  it("that could not be written keep nobody from writing later ones", async () => {
    let broken = true;
    const notes = new LateNotes<Note>(db, (to, batch) =>
      broken ? Promise.reject(new Error("full")) : write(to, batch),
    );
    notes.add("a", { key: "a", number: 1 });
    await assert.rejects(notes.flush(), /full/);
    broken = false;
    notes.add("b", { key: "b", number: 1 });
    await notes.flush();
    assert.deepEqual(await written(db), { b: 1 });
  });

  it("are written in the order of their keys, the last of each", async () => {
    const batches: (readonly Note[])[] = [];
    const notes = new LateNotes<Note>(db, async (_db, batch) => void batches.push(batch));
    for (const key of ["b", "a", "c", "a"]) notes.add(key, { key, number: batches.length });
    notes.add("b", { key: "b", number: 7 });
    await notes.flush();
    await notes.flush(); // nothing is left
    assert.deepEqual(
      batches.map((batch) => batch.map(({ key, number }) => `${key}${number}`)),
      [["a0", "b7", "c0"]],
    );
  });
});
