/** A process that migrates the database of its first argument: for tests of several doing that at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { migrate } from "./migrate.ts";
import { openStore } from "./open.ts";

const store = await openStore(process.argv[2]!);
const names = ["0001-first", "0002-second", "0003-third"];
const migrations = names.map((name, index) => ({
  name,
  async up(db: typeof store.db) {
    await db.schema.createTable(`many_${index}`).addColumn("id", "text").execute();
    await sleep(50); // so that the others come while it is at it
  },
}));
await migrate(store.db, [{ service: "many", migrations }], new Date());
await store.close();
