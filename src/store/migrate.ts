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

export async function migrate(db: Database, sets: readonly MigrationSet[], now: Date): Promise<void> {
  await db.schema
    .createTable("migrations")
    .ifNotExists()
    .addColumn("service", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("applied_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("migrations_pk", ["service", "name"])
    .execute();
  const applied = await db.withTables<Tables>().selectFrom("migrations").select(["service", "name"]).execute();
  const known = new Set(applied.map((row) => `${row.service}/${row.name}`));
  for (const { service, migrations } of sets) {
    for (const migration of migrations) {
      if (known.has(`${service}/${migration.name}`)) continue;
      await inTransaction(db, async (trx) => {
        await migration.up(trx);
        await trx
          .withTables<Tables>()
          .insertInto("migrations")
          .values({ service, name: migration.name, applied_at: now.getTime() })
          .execute();
      });
    }
  }
}

/** Empties every table but the record of migrations: a fresh start for test suites. */
export async function emptyTables(db: Database): Promise<void> {
  const tables = await db.introspection.getTables();
  await inTransaction(db, async (trx) => {
    for (const { name } of tables) {
      if (name === "migrations" || name.startsWith("sqlite_")) continue;
      await sql`delete from ${sql.table(name)}`.execute(trx);
    }
  });
}
