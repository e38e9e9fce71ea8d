/** All policy documents that hang on a user or role. */
import type { Database } from "#store/database.ts";
import { awsManagedPolicy } from "./aws-managed-policies.ts";
import type { Entity, EntityRef } from "./model.ts";
import { findEntity, groupsOfUser } from "./store/entities.ts";
import { listInlinePolicies } from "./store/inline-policies.ts";
import { defaultDocuments, listAttachments } from "./store/managed-policies.ts";

export interface AttachedDocuments {
  readonly entity: Entity;
  /** Inline and managed, of a user's groups too. JSON texts. */
  readonly identity: readonly string[];
  readonly boundary: string | undefined;
}

/** undefined where the user or role does not exist. */
export async function attachedDocuments(db: Database, ref: EntityRef): Promise<AttachedDocuments | undefined> {
  const { accountId, kind, name } = ref;
  const entity = await findEntity(db, ref);
  if (!entity) return undefined;
  const groups = kind === "user" ? await groupsOfUser(db, accountId, name) : [];
  const holders: EntityRef[] = [ref, ...groups.map((group) => ({ accountId, kind: "group" as const, name: group }))];

  const inline: string[] = [];
  const attached = new Set<string>();
  for (const holder of holders) {
    for (const { document } of await listInlinePolicies(db, holder)) inline.push(document);
    for (const arn of await listAttachments(db, holder)) attached.add(arn);
  }
  const managed = await managedDocuments(db, accountId, [
    ...attached,
    ...(entity.boundaryArn ? [entity.boundaryArn] : []),
  ]);
  return {
    entity,
    identity: [
      ...inline,
      ...Array.from(attached, (arn) => managed.get(arn)).filter((document) => document !== undefined),
    ],
    boundary: entity.boundaryArn && managed.get(entity.boundaryArn),
  };
}

/** The documents in force by ARN; policies that do not exist are left out. */
export async function managedDocuments(
  db: Database,
  accountId: string,
  arns: readonly string[],
): Promise<Map<string, string>> {
  const documents = await defaultDocuments(db, accountId, arns);
  for (const arn of arns) {
    const policy = awsManagedPolicy(arn);
    if (policy) documents.set(arn, policy.document);
  }
  return documents;
}
