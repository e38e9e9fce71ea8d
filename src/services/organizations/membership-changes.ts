/** Joining and leaving an organization. */
import type { Database } from "#store/database.ts";
import { type Account, type Organization, type Tags, unnamedAccount } from "./model.ts";
import { policiesOfNewEntity } from "./policy-types.ts";
import { findAccount, putAccount } from "./store/accounts.ts";
import { deleteAttachments, insertAttachment } from "./store/policies.ts";

interface Joining {
  readonly account: Pick<Account, "id" | "name" | "email">;
  readonly method: Account["joinedMethod"];
  readonly tags: Tags;
  readonly now: Date;
}

/** Puts the account under the root, with AWS's own policies attached. */
export async function join(db: Database, organization: Organization, joining: Joining): Promise<void> {
  await putAccount(db, {
    ...joining.account,
    organizationId: organization.id,
    parentId: organization.rootId,
    state: "ACTIVE",
    joinedMethod: joining.method,
    joinedAt: joining.now,
    closedAt: undefined,
    tags: joining.tags,
  });
  await attachAwsPolicies(db, organization, [joining.account.id]);
}

/** AWS's own policies of every enabled type. */
export async function attachAwsPolicies(
  db: Database,
  organization: Organization,
  targetIds: readonly string[],
): Promise<void> {
  for (const targetId of targetIds) {
    for (const { id, type } of policiesOfNewEntity(organization)) {
      await insertAttachment(db, organization.id, { targetId, policyId: id, type });
    }
  }
}

/** "After the account leaves the organization, all tags that were attached to the account object are deleted." */
export async function leave(db: Database, organization: Organization, account: Account): Promise<void> {
  await putAccount(db, { ...account, organizationId: undefined, parentId: undefined, tags: new Map() });
  await deleteAttachments(db, organization.id, { targetId: account.id });
}

/** The account's name and address as far as they are known. */
export async function knownAccount(db: Database, id: string): Promise<Pick<Account, "id" | "name" | "email">> {
  return (await findAccount(db, id)) ?? unnamedAccount(id);
}
