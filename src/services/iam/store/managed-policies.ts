/** Customer managed policies with their versions, and what any managed policy is attached to. */
import { sql } from "kysely";
import type { Database } from "#store/database.ts";
import {
  type EntityKind,
  type EntityRef,
  iamArn,
  type ManagedPolicy,
  nameOfArn,
  type PolicyVersion,
} from "../model.ts";
import { keyOf, type Slice, tagsFromJson, tagsToJson } from "./entities.ts";
import type { Tables } from "./tables.ts";

export async function insertPolicy(
  db: Database,
  accountId: string,
  policy: ManagedPolicy,
  document: string,
): Promise<void> {
  const at = policy.createdAt.getTime();
  await db
    .withTables<Tables>()
    .insertInto("iam_policies")
    .values({
      account_id: accountId,
      name_key: keyOf(policy.name),
      name: policy.name,
      path: policy.path,
      policy_id: policy.id,
      description: policy.description ?? null,
      default_version: 1,
      last_version: 1,
      created_at: at,
      updated_at: at,
      tags: tagsToJson(policy.tags),
    })
    .execute();
  await db
    .withTables<Tables>()
    .insertInto("iam_policy_versions")
    .values({ account_id: accountId, name_key: keyOf(policy.name), version: 1, document, created_at: at })
    .execute();
}

/** The customer managed policy of the name; `path` in the ARN must be right too. */
export async function findPolicy(db: Database, accountId: string, arn: string): Promise<ManagedPolicy | undefined> {
  const policy = await findPolicyByName(db, accountId, nameOfArn(arn));
  return policy?.arn === arn ? policy : undefined;
}

export async function findPolicyByName(
  db: Database,
  accountId: string,
  name: string,
): Promise<ManagedPolicy | undefined> {
  const row = await db
    .withTables<Tables>()
    .selectFrom("iam_policies")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .executeTakeFirst();
  return row && toPolicy(row);
}

export async function listPolicies(
  db: Database,
  accountId: string,
  pathPrefix: string,
  { after, limit }: Slice,
): Promise<ManagedPolicy[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_policies")
    .selectAll()
    .where("account_id", "=", accountId)
    .where(sql<boolean>`substr(path, 1, ${pathPrefix.length}) = ${pathPrefix}`)
    .$if(after !== undefined, (query) => query.where("name_key", ">", after!))
    .orderBy("name_key")
    .limit(limit)
    .execute();
  return rows.map(toPolicy);
}

export async function updatePolicyTags(db: Database, accountId: string, policy: ManagedPolicy): Promise<void> {
  await db
    .withTables<Tables>()
    .updateTable("iam_policies")
    .set({ tags: tagsToJson(policy.tags) })
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(policy.name))
    .execute();
}

export async function deletePolicy(db: Database, accountId: string, name: string): Promise<void> {
  for (const table of ["iam_policy_versions", "iam_policies"] as const) {
    await db
      .withTables<Tables>()
      .deleteFrom(table)
      .where("account_id", "=", accountId)
      .where("name_key", "=", keyOf(name))
      .execute();
  }
}

/** Numbers are never used again. Answers the new version's id. */
export async function insertPolicyVersion(
  db: Database,
  accountId: string,
  name: string,
  document: string,
  now: Date,
): Promise<string> {
  const { last_version } = await db
    .withTables<Tables>()
    .updateTable("iam_policies")
    .set((eb) => ({ last_version: eb("last_version", "+", 1), updated_at: now.getTime() }))
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .returning("last_version")
    .executeTakeFirstOrThrow();
  await db
    .withTables<Tables>()
    .insertInto("iam_policy_versions")
    .values({
      account_id: accountId,
      name_key: keyOf(name),
      version: last_version,
      document,
      created_at: now.getTime(),
    })
    .execute();
  return `v${last_version}`;
}

/** The newest first. */
export async function listPolicyVersions(
  db: Database,
  accountId: string,
  policy: ManagedPolicy,
): Promise<PolicyVersion[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_policy_versions")
    .select(["version", "document", "created_at"])
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(policy.name))
    .orderBy("version", "desc")
    .execute();
  return rows.map(({ version, document, created_at }) => ({
    versionId: `v${version}`,
    document,
    isDefault: policy.defaultVersionId === `v${version}`,
    createdAt: new Date(created_at),
  }));
}

export async function updateDefaultVersion(
  db: Database,
  accountId: string,
  name: string,
  versionId: string,
): Promise<void> {
  await db
    .withTables<Tables>()
    .updateTable("iam_policies")
    .set({ default_version: Number(versionId.slice(1)) })
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .execute();
}

export async function deletePolicyVersion(
  db: Database,
  accountId: string,
  name: string,
  versionId: string,
): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_policy_versions")
    .where("account_id", "=", accountId)
    .where("name_key", "=", keyOf(name))
    .where("version", "=", Number(versionId.slice(1)))
    .execute();
}

/** The documents in force of customer managed policies, by their ARNs. */
export async function defaultDocuments(
  db: Database,
  accountId: string,
  arns: readonly string[],
): Promise<Map<string, string>> {
  if (arns.length === 0) return new Map();
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_policies as p")
    .innerJoin("iam_policy_versions as v", (join) =>
      join
        .onRef("v.account_id", "=", "p.account_id")
        .onRef("v.name_key", "=", "p.name_key")
        .onRef("v.version", "=", "p.default_version"),
    )
    .select(["p.path", "p.name", "v.document"])
    .where("p.account_id", "=", accountId)
    .where(
      "p.name_key",
      "in",
      arns.map((arn) => keyOf(nameOfArn(arn))),
    )
    .execute();
  return new Map(rows.map(({ path, name, document }) => [iamArn(accountId, "policy", path, name), document]));
}

/** Nothing happens where the policy is attached already. */
export async function insertAttachment(db: Database, holder: EntityRef, policyArn: string): Promise<void> {
  await db
    .withTables<Tables>()
    .insertInto("iam_attachments")
    .values({
      account_id: holder.accountId,
      kind: holder.kind,
      name_key: keyOf(holder.name),
      policy_arn: policyArn,
    })
    .onConflict((conflict) => conflict.columns(["account_id", "kind", "name_key", "policy_arn"]).doNothing())
    .execute();
}

/** Whether the policy was attached. */
export async function deleteAttachment(db: Database, holder: EntityRef, policyArn: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .withTables<Tables>()
    .deleteFrom("iam_attachments")
    .where("account_id", "=", holder.accountId)
    .where("kind", "=", holder.kind)
    .where("name_key", "=", keyOf(holder.name))
    .where("policy_arn", "=", policyArn)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** ARNs, in order. */
export async function listAttachments(db: Database, holder: EntityRef): Promise<string[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_attachments")
    .select("policy_arn")
    .where("account_id", "=", holder.accountId)
    .where("kind", "=", holder.kind)
    .where("name_key", "=", keyOf(holder.name))
    .orderBy("policy_arn")
    .execute();
  return rows.map(({ policy_arn }) => policy_arn);
}

export interface PolicyUse {
  readonly arn: string;
  readonly kind: EntityKind;
  /** In lower case. */
  readonly name: string;
}

/** What managed policies are attached to, of one policy or of the whole account. */
export async function listPolicyUses(db: Database, accountId: string, policyArn?: string): Promise<PolicyUse[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_attachments")
    .select(["policy_arn as arn", "kind", "name_key as name"])
    .where("account_id", "=", accountId)
    .$if(policyArn !== undefined, (query) => query.where("policy_arn", "=", policyArn!))
    .orderBy("kind")
    .orderBy("name_key")
    .execute();
  return rows;
}

/** What has the policy, or any, as its permissions boundary. */
export async function listBoundaryUses(db: Database, accountId: string, policyArn?: string): Promise<PolicyUse[]> {
  const rows = await db
    .withTables<Tables>()
    .selectFrom("iam_entities")
    .select(["boundary_arn", "kind", "name_key"])
    .where("account_id", "=", accountId)
    .where("boundary_arn", "is not", null)
    .$if(policyArn !== undefined, (query) => query.where("boundary_arn", "=", policyArn!))
    .orderBy("kind")
    .orderBy("name_key")
    .execute();
  return rows.map(({ boundary_arn, kind, name_key }) => ({ arn: boundary_arn!, kind, name: name_key }));
}

function toPolicy(row: Tables["iam_policies"]): ManagedPolicy {
  return {
    arn: iamArn(row.account_id, "policy", row.path, row.name),
    name: row.name,
    path: row.path,
    id: row.policy_id,
    description: row.description ?? undefined,
    defaultVersionId: `v${row.default_version}`,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    tags: tagsFromJson(row.tags),
  };
}
