/** Everything that a system holds: the rows of all tables, and the blobs. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import type { TestSystem } from "#tests/helpers/test-system.ts";

export interface Snapshot {
  /** "table {…}" */
  readonly rows: ReadonlySet<string>;
  readonly blobs: ReadonlySet<string>;
}

/** Who last used what, which is noted some time after each call, of the caller itself. */
const NOTED_LATER: ReadonlySet<string> = new Set(["iam_accesses"]);

/** All that a call may change. */
export async function tablesOf({ db }: TestSystem): Promise<string[]> {
  const tables = await db.introspection.getTables();
  return tables.map(({ name }) => name).filter((name) => !name.startsWith("sqlite_") && !NOTED_LATER.has(name));
}

export class Snapshots {
  readonly #system: TestSystem;
  readonly #tables: readonly string[];

  private constructor(system: TestSystem, tables: readonly string[]) {
    this.#system = system;
    this.#tables = tables;
  }

  static async of(system: TestSystem): Promise<Snapshots> {
    return new Snapshots(system, await tablesOf(system));
  }

  /** Differs from its value at the transaction's start if anything was written since. Much cheaper than a snapshot. */
  async writes(trx: TestSystem["db"]): Promise<unknown> {
    const query = process.env.SLIPWAY_TEST_DATABASE
      ? sql<{ writes: unknown }>`select pg_current_xact_id_if_assigned()::text as writes`
      : sql<{ writes: unknown }>`select total_changes() as writes`;
    return (await query.execute(trx)).rows[0]?.writes;
  }

  /** `db`: inside a transaction. */
  async take(db = this.#system.db): Promise<Snapshot> {
    const rows = new Set<string>();
    for (const table of this.#tables) {
      const found = await sql<Record<string, unknown>>`select * from ${sql.table(table)}`.execute(db);
      for (const row of found.rows) rows.add(rowOf(table, row));
    }
    const folder = join(this.#system.config.dataDir, "blobs");
    const blobs = new Set(await readdir(folder, { recursive: true }).catch(() => []));
    return { rows, blobs };
  }
}

/** Of work only what there is to do: when it is looked at next is nobody's secret and changes with every wake-up. */
function rowOf(table: string, row: Record<string, unknown>): string {
  return `${table} ${JSON.stringify(table === "work" ? { kind: row.kind, id: row.id } : row)}`;
}

/** What is gone or was changed since. What came is somebody's own, which `added` tells. */
export function lost(before: Snapshot, after: Snapshot): string[] {
  const gone = [...before.rows].filter((row) => !after.rows.has(row));
  const blobs = [...before.blobs].filter((blob) => !after.blobs.has(blob)).map((blob) => `blob ${blob}`);
  return [...gone, ...blobs];
}

export function added(before: Snapshot, after: Snapshot): string[] {
  return [...after.rows].filter((row) => !before.rows.has(row));
}
