/** What comes of handshakes that are accepted, and what it takes to leave an organization. */
import type { Database } from "#store/database.ts";
import { constraintViolation, handshakeConstraintViolation, masterCannotLeave } from "./errors.ts";
import { advanceAllFeatures, end } from "./handshakes.ts";
import { requiredMember } from "./hierarchy.ts";
import { join, knownAccount, leave } from "./membership-changes.ts";
import type { Handshake, Organization } from "./model.ts";
import { findHandshake } from "./store/handshakes.ts";
import { findOrganization, organizationOf, updateOrganization } from "./store/organizations.ts";
import { listDelegations } from "./store/services.ts";
import { acceptTransfer } from "./transfers.ts";

/** "You must wait until at least four days after the account was created. Invited accounts aren't subject to this waiting period." */
const WAIT_MS = 4 * 86_400_000;

/** The account joins, all features are enabled, or responsibility is transferred. */
export async function accept(db: Database, handshake: Handshake, now: Date): Promise<Handshake> {
  const accepted = await end(db, handshake, "ACCEPTED", now);
  const organization = (await findOrganization(db, handshake.organizationId))!;
  if (handshake.action === "TRANSFER_RESPONSIBILITY") {
    await acceptTransfer(db, accepted);
  } else if (handshake.action === "INVITE") {
    await joinInvited(db, organization, handshake, now);
  } else if (handshake.action === "ENABLE_ALL_FEATURES") {
    await advanceAllFeatures(db, organization, now);
  } else if (handshake.action === "APPROVE_ALL_FEATURES") {
    await updateOrganization(db, { ...organization, featureSet: "ALL" });
    const parent = await findHandshake(db, handshake.parentId!);
    if (parent) await end(db, parent, "ACCEPTED", now);
  }
  return accepted;
}

/** Straight from the organization that it is in, where it may leave that. */
async function joinInvited(
  db: Database,
  organization: Organization,
  { accountId, tags }: Handshake,
  now: Date,
): Promise<void> {
  const present = await organizationOf(db, accountId!);
  if (present?.id === organization.id) throw handshakeConstraintViolation("ALREADY_IN_AN_ORGANIZATION");
  if (present) await depart(db, present, accountId!, now);
  await join(db, organization, { account: await knownAccount(db, accountId!), method: "INVITED", tags, now });
}

/** Throws MasterCannotLeaveOrganizationException, AccountNotFoundException or ConstraintViolationException. */
export async function depart(db: Database, organization: Organization, accountId: string, now: Date): Promise<void> {
  if (accountId === organization.managementAccountId) throw masterCannotLeave();
  const account = await requiredMember(db, organization, accountId);
  if ((await listDelegations(db, organization.id, { accountId })).length > 0) {
    throw constraintViolation("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG");
  }
  const young = account.joinedMethod === "CREATED" && now.getTime() < account.joinedAt.getTime() + WAIT_MS;
  // A closed account stays "until it is finally closed".
  if (young || account.state !== "ACTIVE") throw constraintViolation("WAIT_PERIOD_ACTIVE");
  await leave(db, organization, account);
  await advanceAllFeatures(db, organization, now);
}
