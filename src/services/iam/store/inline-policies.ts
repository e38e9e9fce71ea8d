/** Policies that are part of one user, group or role. */
import type { Database } from "#store/database.ts";
import type { EntityRef } from "../model.ts";
import { keyOf, type Slice } from "./entities.ts";
import type { Tables } from "./tables.ts";

export interface InlinePolicy {
  readonly name: string;
  readonly document: string;
}

/** Replaces a policy of the same name. */
export async function putInlinePolicy(db: Database, holder: EntityRef, policy: InlinePolicy): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_inline_policies")
    .values({
      account_id: holder.accountId,
      kind: holder.kind,
      name_key: keyOf(holder.name),
      policy_name: policy.name,
      document: policy.document,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["account_id", "kind", "name_key", "policy_name"])
        .doUpdateSet((eb) => ({ document: eb.ref("excluded.document") })),
    )
    .execute();
}

export async function listInlinePolicies(db: Database, holder: EntityRef, slice?: Slice): Promise<InlinePolicy[]> {
  const rows = await ofHolder(db, holder)
    .$if(slice?.after !== undefined, (query) => query.where("policy_name", ">", slice!.after!))
    .orderBy("policy_name")
    .$if(slice !== undefined, (query) => query.limit(slice!.limit))
    .execute();
  return rows.map(({ policy_name, document }) => ({ name: policy_name, document }));
}

export async function findInlinePolicy(
  db: Database,
  holder: EntityRef,
  policyName: string,
): Promise<InlinePolicy | undefined> {
  const row = await ofHolder(db, holder).where("policy_name", "=", policyName).executeTakeFirst();
  return row && { name: row.policy_name, document: row.document };
}

/** Whether there was one. */
export async function deleteInlinePolicy(db: Database, holder: EntityRef, policyName: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .withTables<Tables>()
    .deleteFrom("iam_inline_policies")
    .where("account_id", "=", holder.accountId)
    .where("kind", "=", holder.kind)
    .where("name_key", "=", keyOf(holder.name))
    .where("policy_name", "=", policyName)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

function ofHolder(db: Database, holder: EntityRef) {
  return db
    .withTables<Tables>()
    .selectFrom("iam_inline_policies")
    .select(["policy_name", "document"])
    .where("account_id", "=", holder.accountId)
    .where("kind", "=", holder.kind)
    .where("name_key", "=", keyOf(holder.name));
}
