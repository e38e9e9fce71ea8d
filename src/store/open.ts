import type { Store } from "./database.ts";

/** `postgres://…` or a file path (":memory:" for tests). */
export async function openStore(location: string): Promise<Store> {
  if (/^postgres(ql)?:\/\//.test(location)) return (await import("./postgres.ts")).openPostgres(location);
  return (await import("./sqlite.ts")).openSqlite(location);
}
