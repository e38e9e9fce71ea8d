/** Applies each service's numbered migrations once, in order, in one transaction per migration. */
import { sql } from "kysely";
import { type Database, inTransaction } from "./database.ts";

export interface Migration {
  /** "0001-projects": unique in its service; order is the array's. */
  readonly name: string;
  up(db: Database): Promise<void>;
}

export interface MigrationSet {
  readonly service: string;
  readonly migrations: readonly Migration[];
}

type Tables = {
  migrations: { service: string; name: string; applied_at: number };
};

/** Several processes may do this at once on one database: each migration is applied by one of them, the others wait. */
export async function migrate(db: Database, sets: readonly MigrationSet[], now: Date): Promise<void> {
  // On PostgreSQL "if not exists" fails where another process creates the table at the same time; then it is there.
  await createRecord(db).catch(() => createRecord(db));
  const applied = await db.withTables<Tables>().selectFrom("migrations").select(["service", "name"]).execute();
  const known = new Set(applied.map((row) => `${row.service}/${row.name}`));
  for (const { service, migrations } of sets) {
    for (const migration of migrations) {
      if (known.has(`${service}/${migration.name}`)) continue;
      await inTransaction(db, async (trx) => {
        if (await recorded(trx, service, migration.name, now)) await migration.up(trx);
      });
    }
  }
}

async function createRecord(db: Database): Promise<void> {
  await db.schema
    .createTable("migrations")
    .ifNotExists()
    .addColumn("service", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("applied_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("migrations_pk", ["service", "name"])
    .execute();
}

/**
 * Comes before the migration itself: the insertion waits for another process's transaction that has made the same one,
 * and is then false where that was committed.
 */
async function recorded(trx: Database, service: string, name: string, now: Date): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await trx
    .withTables<Tables>()
    .insertInto("migrations")
    .values({ service, name, applied_at: now.getTime() })
    .onConflict((conflict) => conflict.columns(["service", "name"]).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows > 0n;
}

/** Empties every table but the record of migrations: a fresh start for test suites. */
export async function emptyTables(db: Database): Promise<void> {
  const tables = await ownTables(db);
  await inTransaction(db, async (trx) => {
    for (const name of tables) await sql`delete from ${sql.table(name)}`.execute(trx);
  });
}

/** A PostgreSQL database may have schemas with others' tables; Slipway's are in the one where its tables are created. */
async function ownTables(db: Database): Promise<string[]> {
  const tables = await db.introspection.getTables();
  const inSchemas = tables.some(({ schema }) => schema !== undefined);
  const current = inSchemas ? await sql<{ name: string }>`select current_schema() as name`.execute(db) : undefined;
  return tables
    .filter(({ schema }) => schema === current?.rows[0]?.name)
    .map(({ name }) => name)
    .filter((name) => name !== "migrations" && !name.startsWith("sqlite_"));
}
