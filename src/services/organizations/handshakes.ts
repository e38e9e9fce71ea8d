/**
 * Handshakes: invitations to join, the approval that all features are enabled, and invitations to transfer responsibility.
 * https://docs.aws.amazon.com/organizations/latest/APIReference/API_Handshake.html
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html
 */
import type { ActionType, HandshakeParty, HandshakeResource, HandshakeState } from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import {
  constraintViolation,
  duplicateHandshake,
  handshakeAlreadyInState,
  handshakeConstraintViolation,
  invalidHandshakeTransition,
  invalidInput,
} from "./errors.ts";
import { newHandshakeId } from "./ids.ts";
import { accountOfUnnamedEmail, type Handshake, isPending, type Organization, stateOf, type Tags } from "./model.ts";
import { findAccount, findAccountByEmail, listAccounts, listRequests } from "./store/accounts.ts";
import { findHandshake, insertHandshake, listHandshakes, updateHandshake } from "./store/handshakes.ts";
import { organizationOf } from "./store/organizations.ts";

const DAY_MS = 86_400_000;
/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html#min-max-handshakes */
const INVITATION_DAYS = 15;
const ALL_FEATURES_DAYS = 90;
/** "Handshakes that are CANCELED, ACCEPTED, DECLINED, or EXPIRED show up in lists for only 30 days." */
const SHOWN_DAYS = 30;
/** The most that AWS grants on request; there is no Service Quotas here to ask for it. */
const MAX_ACCOUNTS = 10_000;

/** "Your organization has more than 5000 accounts, and you can only use the standard migration process" with fewer. */
const MAX_ACCOUNTS_TO_MIGRATE = 5_000;

/** Throws ConstraintViolationException where no further account may be made or invited. */
export async function requireRoom(db: Database, organization: Organization, now: Date): Promise<void> {
  const accounts = await listAccounts(db, organization.id);
  const requests = (await listRequests(db, organization.id)).filter(({ state }) => state === "IN_PROGRESS");
  const invitations = await pendingOf(db, organization, "INVITE", now);
  if (accounts.length + requests.length + invitations.length >= MAX_ACCOUNTS) {
    throw constraintViolation("ACCOUNT_NUMBER_LIMIT_EXCEEDED");
  }
}

export function isShown(handshake: Handshake, now: Date): boolean {
  const ended = stateOf(handshake, now) === "EXPIRED" ? handshake.expiresAt : handshake.endedAt;
  return ended === undefined || now.getTime() < ended.getTime() + SHOWN_DAYS * DAY_MS;
}

function inDays(now: Date, days: number): Date {
  return new Date(now.getTime() + days * DAY_MS);
}

interface NewHandshake {
  readonly action: ActionType;
  readonly state: HandshakeState;
  readonly expiresAt: Date;
  readonly account?: { readonly id: string; readonly party: HandshakeParty };
  readonly parentId?: string;
  readonly resources: readonly HandshakeResource[];
  readonly tags?: Tags;
}

async function send(db: Database, organization: Organization, now: Date, sent: NewHandshake): Promise<Handshake> {
  const handshake: Handshake = {
    id: newHandshakeId(),
    organizationId: organization.id,
    managementAccountId: organization.managementAccountId,
    action: sent.action,
    state: sent.state,
    accountId: sent.account?.id,
    // The party has the id without its prefix, the resource has it whole.
    parties: [{ Id: organization.id.slice(2), Type: "ORGANIZATION" }, ...(sent.account ? [sent.account.party] : [])],
    parentId: sent.parentId,
    resources: sent.resources,
    tags: sent.tags ?? new Map(),
    requestedAt: now,
    expiresAt: sent.expiresAt,
    endedAt: undefined,
  };
  await insertHandshake(db, handshake);
  return handshake;
}

async function pendingOf(
  db: Database,
  organization: Organization,
  action: ActionType,
  now: Date,
): Promise<readonly Handshake[]> {
  const all = await listHandshakes(db, { organizationId: organization.id });
  return all.filter((handshake) => handshake.action === action && isPending({ state: stateOf(handshake, now) }));
}

/** The request that gathers the approvals, where one is under way. */
async function allFeaturesRequest(db: Database, organization: Organization, now: Date): Promise<Handshake | undefined> {
  const pending = await pendingOf(db, organization, "ENABLE_ALL_FEATURES", now);
  return pending.find(({ parentId }) => parentId === undefined);
}

/** The account that a party is. Throws InvalidInputException. */
export async function partyAccount(db: Database, { Id, Type }: HandshakeParty): Promise<string> {
  if (Type === "ACCOUNT") {
    if (!/^\d{12}$/.test(Id!)) throw invalidInput("INVALID_PATTERN");
    return Id!;
  }
  if (Type !== "EMAIL") throw invalidInput("INVALID_PARTY_TYPE_TARGET");
  const accountId = (await findAccountByEmail(db, Id!))?.id ?? accountOfUnnamedEmail(Id!);
  if (accountId === undefined) throw invalidInput("INVALID_EMAIL_ADDRESS_TARGET");
  return accountId;
}

export interface Invitation {
  readonly accountId: string;
  readonly party: HandshakeParty;
  readonly notes: string | undefined;
  readonly tags: Tags;
}

export interface TransferInvitation extends Omit<Invitation, "tags"> {
  readonly transferId: string;
  readonly startsAt: Date;
  readonly expiresAt: Date;
}

/** Throws DuplicateHandshakeException. */
export async function inviteToTransfer(
  db: Database,
  organization: Organization,
  now: Date,
  { accountId, party, notes, transferId, startsAt, expiresAt }: TransferInvitation,
): Promise<Handshake> {
  const invited = await pendingOf(db, organization, "TRANSFER_RESPONSIBILITY", now);
  if (invited.some((handshake) => handshake.accountId === accountId)) throw duplicateHandshake();
  const management = (await findAccount(db, organization.managementAccountId))!;
  return send(db, organization, now, {
    action: "TRANSFER_RESPONSIBILITY",
    state: "OPEN",
    expiresAt,
    account: { id: accountId, party },
    resources: [
      {
        Type: "ORGANIZATION",
        Value: organization.id,
        Resources: [
          { Type: "MANAGEMENT_ACCOUNT", Value: management.id },
          { Type: "MANAGEMENT_EMAIL", Value: management.email },
          { Type: "MANAGEMENT_NAME", Value: management.name },
        ],
      },
      partyResource(party),
      { Type: "RESPONSIBILITY_TRANSFER", Value: transferId },
      { Type: "TRANSFER_TYPE", Value: "BILLING" },
      { Type: "TRANSFER_START_TIMESTAMP", Value: startsAt.toISOString() },
      ...notesResource(notes),
    ],
  });
}

function partyResource({ Type, Id }: HandshakeParty): HandshakeResource {
  return { Type: Type as "ACCOUNT" | "EMAIL", Value: Id };
}

function notesResource(notes: string | undefined): HandshakeResource[] {
  return notes === undefined ? [] : [{ Type: "NOTES", Value: notes }];
}

/** Throws HandshakeConstraintViolationException or DuplicateHandshakeException. */
export async function invite(
  db: Database,
  organization: Organization,
  now: Date,
  { accountId, party, notes, tags }: Invitation,
): Promise<Handshake> {
  if ((await organizationOf(db, accountId))?.id === organization.id) {
    throw handshakeConstraintViolation("ALREADY_IN_AN_ORGANIZATION");
  }
  if (await allFeaturesRequest(db, organization, now)) {
    throw handshakeConstraintViolation("INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES");
  }
  const invited = await pendingOf(db, organization, "INVITE", now);
  if (invited.some((handshake) => handshake.accountId === accountId)) throw duplicateHandshake();
  await requireRoom(db, organization, now);
  const management = (await findAccount(db, organization.managementAccountId))!;
  return send(db, organization, now, {
    action: "INVITE",
    state: "OPEN",
    expiresAt: inDays(now, INVITATION_DAYS),
    account: { id: accountId, party },
    tags,
    resources: [
      {
        Type: "ORGANIZATION",
        Value: organization.id,
        Resources: [
          { Type: "MASTER_EMAIL", Value: management.email },
          { Type: "MASTER_NAME", Value: management.name },
          { Type: "ORGANIZATION_FEATURE_SET", Value: organization.featureSet },
        ],
      },
      partyResource(party),
      ...notesResource(notes),
    ],
  });
}

/** Asks every invited account; created ones need not approve. Invitations that are under way are cancelled. */
export async function beginAllFeatures(db: Database, organization: Organization, now: Date): Promise<Handshake> {
  if (organization.featureSet === "ALL") throw handshakeConstraintViolation("ORGANIZATION_ALREADY_HAS_ALL_FEATURES");
  if (await allFeaturesRequest(db, organization, now)) {
    throw handshakeConstraintViolation("ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION");
  }
  if ((await listAccounts(db, organization.id)).length > MAX_ACCOUNTS_TO_MIGRATE) {
    throw constraintViolation("ALL_FEATURES_MIGRATION_ORGANIZATION_SIZE_LIMIT_EXCEEDED");
  }
  await cancelPending(db, organization, now, ({ action }) => action === "INVITE");
  const resource: HandshakeResource = { Type: "ORGANIZATION", Value: organization.id };
  const expiresAt = inDays(now, ALL_FEATURES_DAYS);
  const request = { action: "ENABLE_ALL_FEATURES", state: "REQUESTED", expiresAt } as const;
  const parent = await send(db, organization, now, { ...request, resources: [resource] });
  for (const { id } of await invitedMembers(db, organization)) {
    await send(db, organization, now, {
      ...request,
      state: "OPEN",
      parentId: parent.id,
      account: { id, party: { Id: id, Type: "ACCOUNT" } },
      resources: [parentResource(parent), resource, { Type: "ACCOUNT", Value: id }],
    });
  }
  await advanceAllFeatures(db, organization, now);
  return (await findHandshake(db, parent.id))!;
}

function parentResource(parent: Handshake): HandshakeResource {
  return { Type: "PARENT_HANDSHAKE", Value: parent.id.slice(2) };
}

async function invitedMembers(db: Database, organization: Organization) {
  const accounts = await listAccounts(db, organization.id);
  return accounts.filter(
    ({ id, joinedMethod }) => joinedMethod === "INVITED" && id !== organization.managementAccountId,
  );
}

/** When every invited account has approved or left, the management account is asked to finish. */
export async function advanceAllFeatures(db: Database, organization: Organization, now: Date): Promise<void> {
  const parent = await allFeaturesRequest(db, organization, now);
  if (!parent || parent.state === "OPEN") return;
  const all = await listHandshakes(db, { organizationId: organization.id });
  const approved = new Set(
    all
      .filter(({ parentId, state }) => parentId === parent.id && state === "ACCEPTED")
      .map(({ accountId }) => accountId),
  );
  const members = await invitedMembers(db, organization);
  if (!members.every(({ id }) => approved.has(id))) return;
  await updateHandshake(db, { ...parent, state: "OPEN" });
  const id = organization.managementAccountId;
  await send(db, organization, now, {
    action: "APPROVE_ALL_FEATURES",
    state: "OPEN",
    expiresAt: inDays(now, ALL_FEATURES_DAYS),
    parentId: parent.id,
    account: { id, party: { Id: id, Type: "ACCOUNT" } },
    resources: [
      parentResource(parent),
      { Type: "ORGANIZATION", Value: organization.id },
      { Type: "ACCOUNT", Value: id },
    ],
  });
}

/** Throws HandshakeAlreadyInStateException or InvalidHandshakeTransitionException. */
export async function end(
  db: Database,
  handshake: Handshake,
  state: "ACCEPTED" | "DECLINED" | "CANCELED",
  now: Date,
): Promise<Handshake> {
  const present = stateOf(handshake, now);
  if (present === state) throw handshakeAlreadyInState();
  if (!isPending({ state: present })) throw invalidHandshakeTransition();
  const ended: Handshake = { ...handshake, state, endedAt: now };
  await updateHandshake(db, ended);
  return ended;
}

/** A request that is cancelled takes the approvals with it that it gathered. */
export async function cancel(
  db: Database,
  organization: Organization,
  handshake: Handshake,
  now: Date,
): Promise<Handshake> {
  const cancelled = await end(db, handshake, "CANCELED", now);
  await cancelPending(db, organization, now, ({ parentId }) => parentId === handshake.id);
  return cancelled;
}

export async function cancelPending(
  db: Database,
  organization: Organization,
  now: Date,
  which: (handshake: Handshake) => boolean,
): Promise<void> {
  for (const handshake of await listHandshakes(db, { organizationId: organization.id })) {
    if (isPending({ state: stateOf(handshake, now) }) && which(handshake)) await end(db, handshake, "CANCELED", now);
  }
}
