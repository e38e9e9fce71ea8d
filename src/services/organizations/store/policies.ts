/** Policies of organizations and what they are attached to. */
import type { PolicyType } from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import type { Attachment, Policy } from "../model.ts";
import { type Tables, tables, tagsFromJson, tagsToJson } from "./tables.ts";

export type OwnPolicy = Policy & { readonly organizationId: string };

export async function insertPolicy(db: Database, policy: OwnPolicy): Promise<void> {
  await tables(db).insertInto("organizations_policies").values(toRow(policy)).execute();
}

/** Those that the organization made, by their ids. */
export async function listOwnPolicies(
  db: Database,
  organizationId: string,
  filter: { readonly type?: PolicyType; readonly id?: string } = {},
): Promise<OwnPolicy[]> {
  const rows = await tables(db)
    .selectFrom("organizations_policies")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .$if(filter.type !== undefined, (query) => query.where("type", "=", filter.type!))
    .$if(filter.id !== undefined, (query) => query.where("policy_id", "=", filter.id!))
    .orderBy("policy_id")
    .execute();
  return rows.map(toPolicy);
}

export async function updatePolicy(db: Database, policy: OwnPolicy): Promise<void> {
  await tables(db)
    .updateTable("organizations_policies")
    .set(toRow(policy))
    .where("organization_id", "=", policy.organizationId)
    .where("policy_id", "=", policy.id)
    .execute();
}

export async function deletePolicy(db: Database, organizationId: string, policyId: string): Promise<void> {
  await tables(db)
    .deleteFrom("organizations_policies")
    .where("organization_id", "=", organizationId)
    .where("policy_id", "=", policyId)
    .execute();
}

/** Nothing happens where it is attached already. */
export async function insertAttachment(db: Database, organizationId: string, attachment: Attachment): Promise<void> {
  const { last_attachment } = await tables(db)
    .updateTable("organizations")
    .set((eb) => ({ last_attachment: eb("last_attachment", "+", 1) }))
    .where("organization_id", "=", organizationId)
    .returning("last_attachment")
    .executeTakeFirstOrThrow();
  await tables(db)
    .insertInto("organizations_attachments")
    .values({
      organization_id: organizationId,
      target_id: attachment.targetId,
      policy_id: attachment.policyId,
      type: attachment.type,
      place: last_attachment,
    })
    .onConflict((conflict) => conflict.columns(["organization_id", "target_id", "policy_id"]).doNothing())
    .execute();
}

export interface AttachmentFilter {
  readonly targetId?: string;
  readonly targetIds?: readonly string[];
  readonly policyId?: string;
  readonly type?: PolicyType;
}

/** In the order in which they were made. */
export async function listAttachments(
  db: Database,
  organizationId: string,
  { targetId, targetIds, policyId, type }: AttachmentFilter,
): Promise<Attachment[]> {
  const rows = await tables(db)
    .selectFrom("organizations_attachments")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .$if(targetId !== undefined, (query) => query.where("target_id", "=", targetId!))
    .$if(targetIds !== undefined, (query) => query.where("target_id", "in", targetIds!))
    .$if(policyId !== undefined, (query) => query.where("policy_id", "=", policyId!))
    .$if(type !== undefined, (query) => query.where("type", "=", type!))
    .orderBy("place")
    .execute();
  return rows.map((row) => ({ targetId: row.target_id, policyId: row.policy_id, type: row.type }));
}

export async function deleteAttachments(
  db: Database,
  organizationId: string,
  { targetId, policyId, type }: Omit<AttachmentFilter, "targetIds">,
): Promise<void> {
  await tables(db)
    .deleteFrom("organizations_attachments")
    .where("organization_id", "=", organizationId)
    .$if(targetId !== undefined, (query) => query.where("target_id", "=", targetId!))
    .$if(policyId !== undefined, (query) => query.where("policy_id", "=", policyId!))
    .$if(type !== undefined, (query) => query.where("type", "=", type!))
    .execute();
}

function toRow(policy: OwnPolicy): Tables["organizations_policies"] {
  return {
    organization_id: policy.organizationId,
    policy_id: policy.id,
    type: policy.type,
    name: policy.name,
    description: policy.description,
    content: policy.content,
    updated_at: policy.updatedAt.getTime(),
    tags: tagsToJson(policy.tags),
  };
}

function toPolicy(row: Tables["organizations_policies"]): OwnPolicy {
  return {
    id: row.policy_id,
    organizationId: row.organization_id,
    type: row.type,
    name: row.name,
    description: row.description,
    content: row.content,
    updatedAt: new Date(row.updated_at),
    tags: tagsFromJson(row.tags),
  };
}
