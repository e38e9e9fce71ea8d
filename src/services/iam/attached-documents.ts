/** All policy documents that hang on a user, group or role. */
import type { Database } from "#store/database.ts";
import { awsManagedPolicy } from "./aws-managed-policies.ts";
import { type Entity, type EntityRef, nameOfArn } from "./model.ts";
import { findEntities, findEntity, groupsOfUser } from "./store/entities.ts";
import { listInlinePolicies } from "./store/inline-policies.ts";
import { defaultDocuments, listAttachments } from "./store/managed-policies.ts";

export interface AttachedPolicy {
  readonly name: string;
  /** JSON */
  readonly document: string;
  /** Of a managed policy. */
  readonly arn: string | undefined;
  /** What the policy hangs on: the user, group or role itself, or a group of the user's. */
  readonly holder: EntityRef;
}

export interface AttachedDocuments {
  readonly entity: Entity;
  /** Inline and managed, of a user's groups too. A managed policy that hangs on several of them is there once. */
  readonly identity: readonly AttachedPolicy[];
  /** JSON */
  readonly boundary: string | undefined;
}

/** What a boundary allows that is not there: who is bounded must not be free for want of the bounds. */
const NOTHING = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

/** undefined where the user, group or role does not exist. */
export async function attachedDocuments(db: Database, ref: EntityRef): Promise<AttachedDocuments | undefined> {
  const { accountId, kind, name } = ref;
  const entity = await findEntity(db, ref);
  if (!entity) return undefined;
  const groups = kind === "user" ? await groupsOfUser(db, accountId, name) : [];
  const holders: EntityRef[] = [entity, ...(await findEntities(db, accountId, "group", groups))];

  const inline: AttachedPolicy[] = [];
  const attached = new Map<string, EntityRef>();
  for (const holder of holders) {
    for (const policy of await listInlinePolicies(db, holder)) inline.push({ ...policy, arn: undefined, holder });
    for (const arn of await listAttachments(db, holder)) if (!attached.has(arn)) attached.set(arn, holder);
  }
  const boundaries = entity.boundaryArn === undefined ? [] : [entity.boundaryArn];
  const documents = await managedDocuments(db, accountId, [...attached.keys(), ...boundaries]);
  const managed = Array.from(attached, ([arn, holder]) => {
    const document = documents.get(arn);
    return document === undefined ? [] : [{ name: nameOfArn(arn), document, arn, holder }];
  });
  return {
    entity,
    identity: [...inline, ...managed.flat()],
    boundary: entity.boundaryArn === undefined ? undefined : (documents.get(entity.boundaryArn) ?? NOTHING),
  };
}

/** The documents in force by ARN; policies that do not exist are left out. */
async function managedDocuments(
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
