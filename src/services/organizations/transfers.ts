/**
 * Responsibility for an organization's bills, which its management account (the source) transfers to another organization's
 * (the target). The target sends the invitation, a handshake; who accepts it is the source.
 * https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/orgs_transfer_billing.html
 */
import type * as sdk from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import {
  accessDenied,
  alreadyInTransferStatus,
  constraintViolation,
  handshakeConstraintViolation,
  invalidInput,
  invalidTransferTransition,
  notInUse,
} from "./errors.ts";
import { knownAccount } from "./membership-changes.ts";
import { arnOf, type Handshake, type Organization, stateOf, type Tags } from "./model.ts";
import { organizationOf } from "./store/organizations.ts";
import { listTransfers, updateTransfer } from "./store/transfers.ts";

export interface Transfer {
  readonly id: string;
  /** From the target's management account to the source's. */
  readonly handshake: Handshake;
  readonly name: string;
  /** undefined until the source has accepted. */
  readonly sourceOrganizationId: string | undefined;
  readonly startsAt: Date;
  /** undefined: it has not been withdrawn. */
  readonly endsAt: Date | undefined;
  /** Each end has its own. */
  readonly tags: Readonly<Record<Direction, Tags>>;
}

/** As seen from an organization: inbound is what it manages for others. */
export type Direction = "inbound" | "outbound";

const DAY_MS = 86_400_000;
/** The most that AWS grants on request; there is no Service Quotas here to ask for it. */
const MAX_INBOUND = 1_000;
const MAX_CHAIN = 2;
/** "The maximum total number of inbound transfers allowed across all your bill-transfer chains." */
const MAX_IN_CHAINS = 1_000;

/** undefined for an organization that the transfer is none of. */
export function directionOf(
  { handshake, sourceOrganizationId }: Transfer,
  { id, managementAccountId }: Pick<Organization, "id" | "managementAccountId">,
): Direction | undefined {
  if (handshake.organizationId === id) return "inbound";
  const isSource = handshake.accountId === managementAccountId && (sourceOrganizationId ?? id) === id;
  return isSource ? "outbound" : undefined;
}

export function transferArn(organization: Organization, direction: Direction, id: string): string {
  return arnOf(organization, `transfer/billing/${direction}/${id}`);
}

/** The condition keys `organizations:TransferDirection` and `organizations:TransferType`. */
export function transferContext(direction: Direction) {
  return { "organizations:transferdirection": direction.toUpperCase(), "organizations:transfertype": "BILLING" };
}

export function statusOf({ handshake, endsAt }: Transfer, now: Date): sdk.ResponsibilityTransferStatus {
  if (endsAt) return "WITHDRAWN";
  const state = stateOf(handshake, now);
  return state === "OPEN" ? "REQUESTED" : state;
}

/** Whether it binds anybody, or yet may. */
export function isActive(transfer: Transfer, now: Date): boolean {
  const status = statusOf(transfer, now);
  return status === "REQUESTED" || status === "ACCEPTED" || (transfer.endsAt !== undefined && transfer.endsAt > now);
}

/**
 * "Invites must be accepted 24 hours before the billing transfer start date", which is "00:00:00 UTC on the first day of the
 * month". Gives until when; throws InvalidInputException.
 */
export function acceptableUntil(startsAt: Date, now: Date): Date {
  if (startsAt.getTime() % DAY_MS !== 0) throw invalidInput("START_DATE_NOT_BEGINNING_OF_DAY");
  if (startsAt.getUTCDate() !== 1) throw invalidInput("START_DATE_NOT_BEGINNING_OF_MONTH");
  const until = new Date(startsAt.getTime() - DAY_MS);
  if (until <= now) throw invalidInput("START_DATE_TOO_EARLY");
  return until;
}

/** The last millisecond of the month that is so many months after the one of `now`. */
function endOfMonth(now: Date, months = 0): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months + 1) - 1);
}

/** "The end date is 23:59:59 UTC on the last day of the current or next month." Throws InvalidInputException. */
function checkEnd(endsAt: Date, now: Date): void {
  if (endsAt.getTime() !== endOfMonth(endsAt).getTime()) throw invalidInput("END_DATE_NOT_END_OF_MONTH");
  if (endsAt <= now) throw invalidInput("END_DATE_TOO_EARLY");
  if (endsAt > endOfMonth(now, 1)) throw invalidInput("END_DATE_TOO_LATE");
}

/** Throws HandshakeConstraintViolationException or ConstraintViolationException where no further invitation may be sent. */
export async function requireInvitable(
  db: Database,
  organization: Organization,
  accountId: string,
  now: Date,
): Promise<void> {
  if (accountId === organization.managementAccountId) {
    throw handshakeConstraintViolation("SOURCE_AND_TARGET_CANNOT_MATCH");
  }
  const all = await listTransfers(db, { accountId: organization.managementAccountId });
  const inbound = all.filter((transfer) => {
    const counts = ["REQUESTED", "ACCEPTED"].includes(statusOf(transfer, now));
    return counts && directionOf(transfer, organization) === "inbound";
  });
  if (inbound.some((transfer) => transfer.handshake.accountId === accountId && transfer.sourceOrganizationId)) {
    throw handshakeConstraintViolation("RESPONSIBILITY_TRANSFER_ALREADY_EXISTS");
  }
  if (inbound.length >= MAX_INBOUND) throw constraintViolation("RESPONSIBILITY_TRANSFER_MAX_INBOUND_QUOTA_VIOLATION");
}

/**
 * The caller's account becomes the source. Throws what AcceptHandshake answers an account that manages no organization, one
 * that has transferred already, and where too many transfers would hang together.
 */
export async function acceptTransfer(db: Database, handshake: Handshake): Promise<void> {
  const accountId = handshake.accountId!;
  const organization = await organizationOf(db, accountId);
  if (!organization) throw notInUse();
  if (organization.managementAccountId !== accountId) throw accessDenied();
  const all = await listTransfers(db);
  const transfer = all.find((each) => each.handshake.id === handshake.id)!;
  const accepted = all.filter(({ sourceOrganizationId }) => sourceOrganizationId !== undefined);
  const earlier = accepted.filter(({ sourceOrganizationId }) => sourceOrganizationId === organization.id);
  if (earlier.some(({ endsAt }) => endsAt === undefined)) {
    throw constraintViolation("RESPONSIBILITY_TRANSFER_MAX_OUTBOUND_QUOTA_VIOLATION");
  }
  if (earlier.some(({ endsAt }) => endsAt! > transfer.startsAt)) {
    throw handshakeConstraintViolation("RESPONSIBILITY_TRANSFER_ALREADY_EXISTS");
  }
  const chains = new Chains(accepted.filter(({ endsAt }) => endsAt === undefined));
  const targets = chains.targetsOf(handshake.organizationId);
  if (chains.depthOf(organization.id) + 1 + targets.length > MAX_CHAIN) {
    throw constraintViolation("RESPONSIBILITY_TRANSFER_MAX_LEVEL_VIOLATION");
  }
  const last = targets.at(-1) ?? handshake.organizationId;
  if (chains.sizeOf(last) + 1 + chains.sizeOf(organization.id) > MAX_IN_CHAINS) {
    throw constraintViolation("RESPONSIBILITY_TRANSFER_MAX_TRANSFERS_QUOTA_VIOLATION");
  }
  await updateTransfer(db, { ...transfer, sourceOrganizationId: organization.id });
}

/** How transfers hang together, by the ids of the organizations. There are no circles: they would be longer than chains may be. */
class Chains {
  readonly #transfers: readonly Transfer[];

  constructor(transfers: readonly Transfer[]) {
    this.#transfers = transfers;
  }

  #sourcesOf(id: string): string[] {
    return this.#transfers
      .filter(({ handshake }) => handshake.organizationId === id)
      .map(({ sourceOrganizationId }) => sourceOrganizationId!);
  }

  /** Who manages it, who manages that, and so on. */
  targetsOf(id: string): string[] {
    const next = this.#transfers.find(({ sourceOrganizationId }) => sourceOrganizationId === id);
    return next ? [next.handshake.organizationId, ...this.targetsOf(next.handshake.organizationId)] : [];
  }

  /** Of the longest chain that ends here. */
  depthOf(id: string): number {
    return Math.max(0, ...this.#sourcesOf(id).map((source) => 1 + this.depthOf(source)));
  }

  /** All transfers that end here, directly or further on. */
  sizeOf(id: string): number {
    return this.#sourcesOf(id).reduce((sum, source) => sum + 1 + this.sizeOf(source), 0);
  }
}

/** Throws InvalidInputException, or what TerminateResponsibilityTransfer answers about one that is not under way. */
export async function withdraw(
  db: Database,
  transfer: Transfer,
  endsAt: Date | undefined,
  now: Date,
): Promise<Transfer> {
  if (endsAt) checkEnd(endsAt, now);
  const status = statusOf(transfer, now);
  if (status === "WITHDRAWN") throw alreadyInTransferStatus();
  if (status !== "ACCEPTED") throw invalidTransferTransition();
  const withdrawn = { ...transfer, endsAt: endsAt ?? endOfMonth(now) };
  await updateTransfer(db, withdrawn);
  return withdrawn;
}

/** Of an invited account no more is shown than the invitation names, until it has accepted. */
export async function toResponsibilityTransfer(
  db: Database,
  transfer: Transfer,
  organization: Organization,
  now: Date,
): Promise<sdk.ResponsibilityTransfer> {
  const { handshake } = transfer;
  const participant = async (accountId: string): Promise<sdk.TransferParticipant> => ({
    ManagementAccountId: accountId,
    ManagementAccountEmail: (await knownAccount(db, accountId)).email,
  });
  const direction = directionOf(transfer, organization)!;
  const invited = handshake.parties[1]!;
  const named =
    invited.Type === "ACCOUNT" ? { ManagementAccountId: invited.Id } : { ManagementAccountEmail: invited.Id };
  const isHidden = direction === "inbound" && transfer.sourceOrganizationId === undefined;
  return {
    Arn: transferArn(organization, direction, transfer.id),
    Name: transfer.name,
    Id: transfer.id,
    Type: "BILLING",
    Status: statusOf(transfer, now),
    Source: isHidden ? named : await participant(handshake.accountId!),
    Target: await participant(handshake.managementAccountId),
    StartTimestamp: transfer.startsAt,
    ...(transfer.endsAt && { EndTimestamp: transfer.endsAt }),
    ActiveHandshakeId: handshake.id,
  };
}
