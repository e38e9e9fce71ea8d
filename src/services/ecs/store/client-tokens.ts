import { hash } from "node:crypto";
import type { Database } from "#store/database.ts";
import type { Scope } from "../model.ts";
import { tablesOf } from "./tables.ts";

export interface TokenUse {
  /** Digest of the request that first used the token. */
  readonly request: string;
  readonly result: readonly string[];
}

/** AWS keeps client tokens for a day. */
const TOKEN_LIFE_MS = 24 * 60 * 60 * 1000;

export async function findTokenUse(
  db: Database,
  scope: Scope,
  token: string,
  now: Date,
): Promise<TokenUse | undefined> {
  const row = await tablesOf(db)
    .selectFrom("ecs_client_tokens")
    .selectAll()
    .where("account_id", "=", scope.accountId)
    .where("region", "=", scope.region)
    .where("token", "=", token)
    .where("created_at", ">", now.getTime() - TOKEN_LIFE_MS)
    .executeTakeFirst();
  return row && { request: row.request, result: JSON.parse(row.result) as string[] };
}

export async function putTokenUse(trx: Database, scope: Scope, token: string, use: TokenUse, now: Date): Promise<void> {
  const expired = now.getTime() - TOKEN_LIFE_MS;
  await tablesOf(trx).deleteFrom("ecs_client_tokens").where("created_at", "<=", expired).execute();
  await tablesOf(trx)
    .insertInto("ecs_client_tokens")
    .values({
      account_id: scope.accountId,
      region: scope.region,
      token,
      request: use.request,
      result: JSON.stringify(use.result),
      created_at: now.getTime(),
    })
    .execute();
}

/** What makes two requests the same: all of their members but the token. */
export function requestDigest(input: object): string {
  const sorted = (_key: string, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return hash("sha256", JSON.stringify({ ...input, clientToken: undefined }, sorted));
}
