/** Whether an account issues tokens for others, and under which name. */
import type { Database } from "#store/database.ts";
import type { ProviderTables } from "./provider-tables.ts";

export interface OutboundFederation {
  readonly issuerId: string;
  readonly enabled: boolean;
}

/** undefined for an account that never turned it on. */
export async function findOutboundFederation(db: Database, accountId: string): Promise<OutboundFederation | undefined> {
  const row = await db
    .withTables<ProviderTables>()
    .selectFrom("iam_outbound_federation")
    .selectAll()
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  return row && { issuerId: row.issuer_id, enabled: row.enabled === 1 };
}

export async function putOutboundFederation(
  db: Database,
  accountId: string,
  { issuerId, enabled }: OutboundFederation,
): Promise<void> {
  const change = { issuer_id: issuerId, enabled: enabled ? 1 : 0 };
  await db
    .withTables<ProviderTables>()
    .insertInto("iam_outbound_federation")
    .values({ account_id: accountId, ...change })
    .onConflict((conflict) => conflict.column("account_id").doUpdateSet(change))
    .execute();
}
