/** What services rely on from `Work` and `Bus`, whatever the database. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { until } from "#demo/until.ts";
import { Bus } from "./bus.ts";
import { type Database, inTransaction, type Store } from "./database.ts";
import { migrate } from "./migrate.ts";
import { openStore } from "./open.ts";
import type { CreateDatabase } from "./store.contract.ts";
import { Work, type WorkHandler, type WorkItem, workMigrations } from "./work.ts";

type Tables = {
  work: { kind: string; id: string; due_at: number; lease_owner: string | null; lease_until: number };
};

const RENEW_MS = 5_000;
const AN_HOUR = 3_600_000;

export function workContract(name: string, create: CreateDatabase): void {
  describe(`work on ${name}`, () => {
    let store: Store;
    let db: Database;
    let bus: Bus;
    let works: Work[];
    let errors: unknown[];

    beforeEach(async () => {
      store = await openStore(await create());
      db = store.db;
      bus = new Bus(store.notifications);
      await bus.start();
      works = [];
      errors = [];
      await migrate(db, [{ service: "work", migrations: workMigrations }], new Date());
    });
    afterEach(async () => {
      for (const work of works) await work.stop();
      await store.close();
    });

    function working(handler: WorkHandler, onBus = bus): Work {
      const work = new Work(store, onBus, (_item, error) => errors.push(error));
      work.register("test", handler);
      works.push(work);
      return work;
    }

    async function schedule(work: Work, id: string, at?: Date): Promise<void> {
      await work.schedule(db, "test", id, at);
      work.wake();
    }

    const rows = () => db.withTables<Tables>().selectFrom("work").selectAll().orderBy("id").execute();
    const row = async () => (await rows())[0];
    const noWorkLeft = () => until(async () => (await rows()).length === 0);

    it("does what a transaction scheduled, after it is committed and not where it failed", async () => {
      const done: string[] = [];
      const work = working(async ({ id }) => {
        done.push(id);
        return "done";
      });
      await work.start();
      const failed = inTransaction(db, async (trx) => {
        await work.schedule(trx, "test", "rolled back");
        throw new Error("no");
      });
      await assert.rejects(failed, /^Error: no$/);
      await inTransaction(db, (trx) => work.schedule(trx, "test", "committed"));
      work.wake();
      await noWorkLeft();
      assert.deepEqual(done, ["committed"]);
    });

    it("does not do before its time what is due later, and what is scheduled earlier then", async () => {
      const done: string[] = [];
      const work = working(async ({ id }) => {
        done.push(id);
        return "done";
      });
      await work.start();
      await schedule(work, "later", new Date(Date.now() + AN_HOUR));
      await schedule(work, "now");
      await until(() => done.length > 0);
      await until(async () => (await rows()).length === 1);
      assert.deepEqual(done, ["now"]);
      await schedule(work, "later");
      await noWorkLeft();
      assert.deepEqual(done, ["now", "later"]);
    });

    it("calls again when the handler says so, at once when it is scheduled meanwhile", async () => {
      let calls = 0;
      const work = working(async () => (++calls === 1 ? new Date(Date.now() + AN_HOUR) : "done"));
      await work.start();
      await schedule(work, "again");
      const waiting = await until(async () => {
        const found = await row();
        return calls === 1 && found?.lease_owner === null && found.due_at > Date.now() ? found : undefined;
      });
      assert.ok(waiting);
      await schedule(work, "again");
      await noWorkLeft();
      assert.equal(calls, 2);
    });

    for (const outcome of ["done", new Date(Date.now() + AN_HOUR)] as const) {
      const says = outcome === "done" ? "done" : "not before an hour is over";
      it(`does not lose what is scheduled while the handler runs that then says "${says}"`, async () => {
        let calls = 0;
        const work = working(async ({ id }) => {
          if (++calls > 1) return "done";
          await schedule(work, id);
          return outcome;
        });
        await work.start();
        await schedule(work, "restless");
        await noWorkLeft();
        assert.equal(calls, 2);
      });
    }

    it("tries again what failed, tells the failures, and counts anew after a success", async () => {
      const failures: number[] = [];
      const work = working(async (item) => {
        failures.push(item.failures);
        if (failures.length === 1) throw new Error("not yet");
        return failures.length === 2 ? new Date() : "done";
      });
      await work.start();
      await schedule(work, "stubborn");
      await noWorkLeft();
      assert.deepEqual(failures, [0, 1, 0]);
      assert.deepEqual(errors.map(String), ["Error: not yet"]);
    });

    it("backs off further with every failure, to a minute at most", async () => {
      const work = working(async () => {
        throw new Error("never");
      });
      await work.start();
      for (const [failures, wait] of [
        [0, 500],
        [3, 4_000],
        [20, 60_000],
      ] as const) {
        const before = Date.now();
        await db.withTables<{ work: { failures: number } }>().updateTable("work").set({ failures }).execute();
        await schedule(work, "hopeless");
        const released = await until(async () => {
          const found = await row();
          return found?.lease_owner === null && found.due_at > before ? found : undefined;
        });
        assert.ok(released.due_at >= before + wait, `after ${failures} failures it waits ${wait} ms`);
        assert.ok(released.due_at <= Date.now() + 60_000);
      }
    });

    it("never lets two workers on one database run one item at once", async () => {
      const running = new Set<string>();
      const overlaps: string[] = [];
      const calls = new Map<string, number>();
      const handler = async ({ id }: WorkItem) => {
        if (running.has(id)) overlaps.push(id);
        running.add(id);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running.delete(id);
        calls.set(id, (calls.get(id) ?? 0) + 1);
        return calls.get(id)! < 3 ? new Date() : ("done" as const);
      };
      const [one, other] = [working(handler), working(handler)];
      await Promise.all([one.start(), other.start()]);
      const wanted = Array.from({ length: 30 }, (_, number) => `item ${number}`);
      await Promise.all(wanted.map((id) => schedule(one, id)));
      await noWorkLeft();
      assert.deepEqual(overlaps, []);
      assert.deepEqual([...calls.keys()].sort(), wanted.sort());
    });

    it("takes over the lease of a dead owner once it has run out", async () => {
      const dead = { kind: "test", id: "orphan", due_at: 0, version: 1, failures: 0, lease_owner: "dead" };
      await db
        .withTables<{ work: typeof dead & { lease_until: number } }>()
        .insertInto("work")
        .values({ ...dead, lease_until: Date.now() - 1 })
        .execute();
      const done: string[] = [];
      const work = working(async ({ id }) => {
        done.push(id);
        return "done";
      });
      await work.start();
      await noWorkLeft();
      assert.deepEqual(done, ["orphan"]);
    });

    it("renews its lease while the handler runs, and aborts the handler that has lost it", async (t) => {
      t.mock.timers.enable({ apis: ["setInterval", "Date"], now: Date.now() });
      const started = Promise.withResolvers<void>();
      const aborted = Promise.withResolvers<unknown>();
      const work = working(async (_item, signal) => {
        started.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted.resolve(signal.reason);
        return "done";
      });
      await work.start();
      await schedule(work, "long");
      await started.promise;
      const { lease_until: first } = (await row())!;
      t.mock.timers.tick(RENEW_MS);
      await until(async () => (await row())!.lease_until === first + RENEW_MS);
      await db
        .withTables<Tables>()
        .updateTable("work")
        .set({ lease_owner: "another", lease_until: Date.now() + AN_HOUR })
        .execute();
      t.mock.timers.tick(RENEW_MS);
      assert.match(String(await aborted.promise), /took the lease over/);
      await work.stop();
      assert.equal((await row())?.lease_owner, "another", "what another process works on is left to it");
    });

    it("stops by aborting handlers and leaves their items to the next start", async () => {
      const starts: string[] = [];
      const untilAborted: WorkHandler = async ({ id }, signal) => {
        starts.push(id);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw signal.reason;
      };
      const work = working(untilAborted);
      await work.start();
      await schedule(work, "interrupted");
      await until(() => starts.length === 1);
      await work.stop();
      assert.equal((await row())?.lease_owner, null);
      assert.deepEqual(errors, []);
      const next = working(async ({ id, failures }) => {
        starts.push(`${id} again, ${failures} failures`);
        return "done";
      });
      await next.start();
      await noWorkLeft();
      assert.deepEqual(starts, ["interrupted", "interrupted again, 0 failures"]);
    });

    it("carries wake-ups to every subscriber, and none after they have gone", async () => {
      const heard: string[] = [];
      const unsubscribe = bus.subscribe("topic", (key) => heard.push(key));
      bus.publish("topic", "a key");
      bus.publish("other topic", "not mine");
      unsubscribe();
      bus.publish("topic", "too late");
      assert.deepEqual(heard, ["a key"]);
    });
  });
}
