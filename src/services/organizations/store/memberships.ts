/** Where an account is in its organization, and which policies that puts it under. */
import type { PolicyType } from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import type { Account } from "../model.ts";
import { tables } from "./tables.ts";

/** The account, an OU above it or the root. */
export interface Level {
  readonly id: string;
  /** In the order in which they were attached; without a document: AWS's own. */
  readonly policies: readonly {
    readonly id: string;
    readonly type: PolicyType;
    readonly content: string | undefined;
  }[];
}

export interface Place {
  readonly state: Account["state"];
  /** undefined: the account is in no organization. */
  readonly organization:
    | { readonly id: string; readonly managementAccountId: string; readonly policyTypes: readonly PolicyType[] }
    | undefined;
  /** The root first, the account last. */
  readonly levels: readonly Level[];
}

/**
 * Read in one statement, whose view of the tables is one moment's: whatever is moved or detached meanwhile is seen whole or
 * not at all. undefined for an account that was never in an organization.
 */
export async function placeOf(
  db: Database,
  accountId: string,
  types: readonly PolicyType[],
): Promise<Place | undefined> {
  const rows = await tables(db)
    .withRecursive("nodes", (query) =>
      query
        .selectFrom("organizations_accounts")
        .select(["account_id as id", "parent_id"])
        .where("account_id", "=", accountId)
        .unionAll(
          query
            .selectFrom("organizations_units as unit")
            .innerJoin("organizations_accounts as account", "account.organization_id", "unit.organization_id")
            .select(["unit.unit_id as id", "unit.parent_id"])
            .where("account.account_id", "=", accountId),
        ),
    )
    .withRecursive("lineage(id, height)", (query) =>
      query
        .selectFrom("organizations_accounts")
        .select((eb) => [eb.ref("account_id").$castTo<string | null>().as("id"), eb.lit<number>(0).as("height")])
        .where("account_id", "=", accountId)
        .unionAll(
          query
            .selectFrom("lineage")
            .innerJoin("nodes", "nodes.id", "lineage.id")
            .select((eb) => ["nodes.parent_id as id", eb("lineage.height", "+", 1).as("height")])
            .where("nodes.parent_id", "is not", null),
        ),
    )
    .selectFrom("organizations_accounts as account")
    .innerJoin("lineage", (join) => join.onTrue())
    .leftJoin("organizations as organization", "organization.organization_id", "account.organization_id")
    .leftJoin("organizations_attachments as attachment", (join) =>
      join
        .onRef("attachment.organization_id", "=", "account.organization_id")
        .onRef("attachment.target_id", "=", "lineage.id")
        .on("attachment.type", "in", types),
    )
    .leftJoin("organizations_policies as policy", (join) =>
      join
        .onRef("policy.organization_id", "=", "account.organization_id")
        .onRef("policy.policy_id", "=", "attachment.policy_id"),
    )
    .select([
      "account.state",
      "organization.organization_id",
      "organization.management_account_id",
      "organization.policy_types",
      "lineage.id as level",
      "attachment.policy_id",
      "attachment.type",
      "policy.content",
    ])
    .where("account.account_id", "=", accountId)
    .orderBy("lineage.height", "desc")
    .orderBy("attachment.place")
    .execute();
  const [first] = rows;
  if (!first) return undefined;
  const levels = new Map<string, Level["policies"][number][]>();
  for (const { level, policy_id: id, type, content } of rows) {
    const policies = levels.get(level!) ?? [];
    levels.set(level!, policies);
    if (id !== null) policies.push({ id, type: type!, content: content ?? undefined });
  }
  return {
    state: first.state,
    organization:
      first.organization_id === null
        ? undefined
        : {
            id: first.organization_id,
            managementAccountId: first.management_account_id!,
            policyTypes: JSON.parse(first.policy_types!) as PolicyType[],
          },
    levels: Array.from(levels, ([id, policies]) => ({ id, policies })),
  };
}
