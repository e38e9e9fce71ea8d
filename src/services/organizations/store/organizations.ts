/** Organizations themselves, and their delegation policy. */
import type { Database } from "#store/database.ts";
import type { Organization, ResourcePolicy } from "../model.ts";
import { type Tables, tables, tagsFromJson, tagsToJson } from "./tables.ts";

export async function insertOrganization(db: Database, organization: Organization): Promise<void> {
  await tables(db)
    .insertInto("organizations")
    .values({ ...toRow(organization), last_attachment: 0 })
    .execute();
}

export async function findOrganization(db: Database, id: string): Promise<Organization | undefined> {
  const row = await tables(db)
    .selectFrom("organizations")
    .selectAll()
    .where("organization_id", "=", id)
    .executeTakeFirst();
  return row && toOrganization(row);
}

/** The organization that the account is in. */
export async function organizationOf(db: Database, accountId: string): Promise<Organization | undefined> {
  const row = await tables(db)
    .selectFrom("organizations as o")
    .innerJoin("organizations_accounts as a", "a.organization_id", "o.organization_id")
    .selectAll("o")
    .where("a.account_id", "=", accountId)
    .executeTakeFirst();
  return row && toOrganization(row);
}

export async function updateOrganization(db: Database, organization: Organization): Promise<void> {
  await tables(db)
    .updateTable("organizations")
    .set(toRow(organization))
    .where("organization_id", "=", organization.id)
    .execute();
}

/** With everything that belongs to it but its accounts and its handshakes. */
export async function deleteOrganization(db: Database, id: string): Promise<void> {
  for (const table of [
    "organizations_units",
    "organizations_account_requests",
    "organizations_policies",
    "organizations_attachments",
    "organizations_services",
    "organizations_delegations",
    "organizations_resource_policies",
    "organizations",
  ] as const) {
    await tables(db).deleteFrom(table).where("organization_id", "=", id).execute();
  }
}

export async function findResourcePolicy(db: Database, organizationId: string): Promise<ResourcePolicy | undefined> {
  const row = await tables(db)
    .selectFrom("organizations_resource_policies")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row && { id: row.policy_id, content: row.content, tags: tagsFromJson(row.tags) };
}

/** Replaces the one that is there. */
export async function putResourcePolicy(db: Database, organizationId: string, policy: ResourcePolicy): Promise<void> {
  const changes = { policy_id: policy.id, content: policy.content, tags: tagsToJson(policy.tags) };
  await tables(db)
    .insertInto("organizations_resource_policies")
    .values({ organization_id: organizationId, ...changes })
    .onConflict((conflict) => conflict.column("organization_id").doUpdateSet(changes))
    .execute();
}

/** The delegation policies that have the text in them. */
export async function rewriteResourcePolicies(
  trx: Database,
  text: string,
  rewrite: (document: string) => string,
): Promise<void> {
  const rows = await tables(trx)
    .selectFrom("organizations_resource_policies")
    .select(["organization_id", "content"])
    .where("content", "like", `%${text}%`)
    .execute();
  for (const { organization_id, content } of rows) {
    await tables(trx)
      .updateTable("organizations_resource_policies")
      .set({ content: rewrite(content) })
      .where("organization_id", "=", organization_id)
      .execute();
  }
}

export async function deleteResourcePolicy(db: Database, organizationId: string): Promise<void> {
  await tables(db)
    .deleteFrom("organizations_resource_policies")
    .where("organization_id", "=", organizationId)
    .execute();
}

function toRow(organization: Organization): Omit<Tables["organizations"], "last_attachment"> {
  return {
    organization_id: organization.id,
    management_account_id: organization.managementAccountId,
    feature_set: organization.featureSet,
    root_id: organization.rootId,
    root_tags: tagsToJson(organization.rootTags),
    policy_types: JSON.stringify(organization.policyTypes),
  };
}

function toOrganization(row: Tables["organizations"]): Organization {
  return {
    id: row.organization_id,
    managementAccountId: row.management_account_id,
    featureSet: row.feature_set,
    rootId: row.root_id,
    rootTags: tagsFromJson(row.root_tags),
    policyTypes: JSON.parse(row.policy_types) as Organization["policyTypes"],
  };
}
