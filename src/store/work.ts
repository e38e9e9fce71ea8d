/**
 * Work that survives. A service schedules an item (kind, id) in the transaction that creates the need for it; exactly one
 * process claims it by conditional update with a lease that it keeps renewing while the handler runs. The handler drives
 * the item's state machine as far as it goes and says when it wants to be called again. After kill -9 the lease runs out
 * (at once on a database that only this process uses) and the handler is called anew: it must re-attach, not restart.
 */
import { randomUUID } from "node:crypto";
import type { Bus } from "./bus.ts";
import { type Database, outsideTransaction, type Store } from "./database.ts";
import type { Migration } from "./migrate.ts";

export interface WorkItem {
  readonly kind: string;
  readonly id: string;
  /** Counts the calls that ended in an exception since the last success. */
  readonly failures: number;
}

/** "done" removes the item; a Date calls again then (or earlier when it is scheduled or woken). */
export type WorkHandler = (item: WorkItem, signal: AbortSignal) => Promise<"done" | Date>;

type Tables = {
  work: {
    kind: string;
    id: string;
    due_at: number;
    /** Changes with every schedule, so that a handler's "done" does not swallow a request that came meanwhile. */
    version: number;
    failures: number;
    lease_owner: string | null;
    lease_until: number;
  };
};

export const workMigrations: readonly Migration[] = [
  {
    name: "0001-work",
    async up(db) {
      await db.schema
        .createTable("work")
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("due_at", "bigint", (column) => column.notNull())
        .addColumn("version", "bigint", (column) => column.notNull())
        .addColumn("failures", "integer", (column) => column.notNull())
        .addColumn("lease_owner", "text")
        .addColumn("lease_until", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("work_pk", ["kind", "id"])
        .execute();
      await db.schema.createIndex("work_due").on("work").columns(["due_at"]).execute();
    },
  },
];

const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
/** The safety net for lost wake-ups. */
const POLL_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
const TOPIC = "work";

export class Work {
  readonly #store: Store;
  readonly #bus: Bus;
  readonly #onError: (item: WorkItem, error: unknown) => void;
  readonly #owner = randomUUID();
  readonly #handlers = new Map<string, WorkHandler>();
  readonly #running = new Map<string, Promise<void>>();
  #abort = new AbortController();
  #poll: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #claiming: Promise<void> | undefined;
  #claimAgain = false;
  #unsubscribe: (() => void) | undefined;

  constructor(store: Store, bus: Bus, onError: (item: WorkItem, error: unknown) => void) {
    this.#store = store;
    this.#bus = bus;
    this.#onError = onError;
  }

  register(kind: string, handler: WorkHandler): void {
    if (this.#handlers.has(kind)) throw new Error(`Work of kind ${kind} is registered twice`);
    this.#handlers.set(kind, handler);
  }

  /** Makes the item due (at once by default). Join the transaction that creates the need; call `wake` after it. */
  async schedule(db: Database, kind: string, id: string, at: Date = new Date(0)): Promise<void> {
    await db
      .withTables<Tables>()
      .insertInto("work")
      .values({ kind, id, due_at: at.getTime(), version: 1, failures: 0, lease_owner: null, lease_until: 0 })
      .onConflict((conflict) =>
        conflict
          .columns(["kind", "id"])
          .doUpdateSet((eb) => ({ due_at: at.getTime(), version: eb("work.version", "+", 1) })),
      )
      .execute();
  }

  /** Looks for due work now. Cheap; a wake-up too many does no harm. */
  wake(): void {
    this.#bus.publish(TOPIC);
  }

  async start(): Promise<void> {
    if (this.#store.kind === "sqlite") {
      // Only this process uses the file, so every lease that is left belongs to a dead one.
      await this.#work().updateTable("work").set({ lease_owner: null, lease_until: 0 }).execute();
    }
    this.#unsubscribe = this.#bus.subscribe(TOPIC, () => this.#claim());
    this.#poll = setInterval(() => this.#claim(), POLL_MS);
    this.#claim();
  }

  /** Aborts the handlers' signals and waits for them; what they leave is taken up at the next start. */
  async stop(): Promise<void> {
    this.#abort.abort();
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    this.#unsubscribe?.();
    await this.#claiming;
    await Promise.allSettled(this.#running.values());
  }

  /** Stops, runs `between` while nothing works, and starts again. */
  async pause(between: () => Promise<void>): Promise<void> {
    await this.stop();
    await between();
    this.#abort = new AbortController();
    await this.start();
  }

  #work() {
    return this.#store.db.withTables<Tables>();
  }

  #claim(): void {
    if (this.#abort.signal.aborted) return;
    if (this.#claiming) {
      this.#claimAgain = true;
      return;
    }
    this.#claiming = outsideTransaction(() => this.#claimDue())
      .catch((error: unknown) => this.#onError({ kind: "work", id: "claim", failures: 0 }, error))
      .finally(() => {
        this.#claiming = undefined;
        if (this.#claimAgain) {
          this.#claimAgain = false;
          this.#claim();
        }
      });
  }

  async #claimDue(): Promise<void> {
    const kinds = [...this.#handlers.keys()];
    if (kinds.length === 0) return;
    const now = Date.now();
    const due = await this.#work()
      .selectFrom("work")
      .select(["kind", "id"])
      .where("kind", "in", kinds)
      .where("due_at", "<=", now)
      .where("lease_until", "<", now)
      .orderBy("due_at")
      .limit(200)
      .execute();
    for (const { kind, id } of due) {
      const claimed = await this.#work()
        .updateTable("work")
        .set({ lease_owner: this.#owner, lease_until: now + LEASE_MS })
        .where("kind", "=", kind)
        .where("id", "=", id)
        .where("due_at", "<=", now)
        .where("lease_until", "<", now)
        .returning(["version", "failures"])
        .executeTakeFirst();
      if (!claimed) continue;
      if (this.#abort.signal.aborted) {
        // Stopped meanwhile: the next to start must not have to wait for a lease that nobody uses.
        await this.#release({ kind, id, failures: claimed.failures }, claimed.version, 0, claimed.failures);
        return;
      }
      const key = `${kind}/${id}`;
      const running = this.#run({ kind, id, failures: claimed.failures }, claimed.version).finally(() => {
        this.#running.delete(key);
        this.#claim();
      });
      this.#running.set(key, running);
    }
    if (!this.#abort.signal.aborted) await this.#armTimer(kinds);
  }

  /** Sleeps until the next item that nobody works on is due, if that is before the next poll. */
  async #armTimer(kinds: readonly string[]): Promise<void> {
    const next = await this.#work()
      .selectFrom("work")
      .select((eb) => eb.fn.min("due_at").as("due_at"))
      .where("kind", "in", kinds)
      .where("lease_owner", "is", null)
      .executeTakeFirst();
    clearTimeout(this.#timer);
    const wait = Number(next?.due_at ?? Number.POSITIVE_INFINITY) - Date.now();
    if (wait < POLL_MS && next?.due_at !== null) this.#timer = setTimeout(() => this.#claim(), Math.max(wait, 1));
  }

  async #run(item: WorkItem, version: number): Promise<void> {
    const lost = new AbortController();
    const signal = AbortSignal.any([this.#abort.signal, lost.signal]);
    const renewal = setInterval(() => {
      this.#renew(item).then(
        (kept) => {
          if (!kept) lost.abort(new Error("another process took the lease over"));
        },
        (error: unknown) => this.#onError(item, error),
      );
    }, RENEW_MS);
    try {
      const outcome = await this.#handlers.get(item.kind)!(item, signal);
      if (outcome === "done") await this.#finish(item, version);
      else await this.#release(item, version, outcome.getTime(), 0);
    } catch (error) {
      if (this.#abort.signal.aborted) {
        await this.#release(item, version, 0, item.failures);
        return;
      }
      this.#onError(item, error);
      const failures = item.failures + 1;
      await this.#release(item, version, Date.now() + Math.min(250 * 2 ** failures, MAX_BACKOFF_MS), failures);
    } finally {
      clearInterval(renewal);
    }
  }

  async #renew(item: WorkItem): Promise<boolean> {
    const renewed = await this.#owned(item)
      .set({ lease_until: Date.now() + LEASE_MS })
      .executeTakeFirst();
    return renewed.numUpdatedRows > 0n;
  }

  async #finish(item: WorkItem, version: number): Promise<void> {
    const deleted = await this.#work()
      .deleteFrom("work")
      .where("kind", "=", item.kind)
      .where("id", "=", item.id)
      .where("version", "=", version)
      .where("lease_owner", "=", this.#owner)
      .executeTakeFirst();
    // Scheduled again while the handler ran: it stays due.
    if (deleted.numDeletedRows === 0n)
      await this.#owned(item).set({ lease_owner: null, lease_until: 0, failures: 0 }).execute();
  }

  async #release(item: WorkItem, version: number, dueAt: number, failures: number): Promise<void> {
    await this.#owned(item)
      .set((eb) => ({
        lease_owner: null,
        lease_until: 0,
        failures,
        due_at: eb.case().when("version", "=", version).then(dueAt).else(eb.ref("due_at")).end(),
      }))
      .execute();
  }

  #owned(item: WorkItem) {
    return this.#work()
      .updateTable("work")
      .where("kind", "=", item.kind)
      .where("id", "=", item.id)
      .where("lease_owner", "=", this.#owner);
  }
}
