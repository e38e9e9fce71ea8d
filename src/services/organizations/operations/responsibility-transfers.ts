/**
 * Transfers of the responsibility for bills between management accounts.
 * https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/orgs_transfer_billing.html
 */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, requireTagging, type Scope } from "../administration.ts";
import { constraintViolation, transferNotFound } from "../errors.ts";
import { inviteToTransfer, partyAccount } from "../handshakes.ts";
import { newTransferId } from "../ids.ts";
import { accountArn, toHandshake } from "../model.ts";
import { pageOf } from "../paging.ts";
import { insertTransfer, listTransfers, updateTransfer } from "../store/transfers.ts";
import { checkedTags } from "../tag-rules.ts";
import {
  acceptableUntil,
  type Direction,
  directionOf,
  isActive,
  requireInvitable,
  type Transfer,
  toResponsibilityTransfer,
  transferArn,
  transferContext,
  withdraw,
} from "../transfers.ts";

type About = { Id?: string | undefined };

async function findTransfer({ Id }: About, { db, organization }: Scope): Promise<Transfer | undefined> {
  const [transfer] = await listTransfers(db, { id: Id! });
  return transfer && directionOf(transfer, organization) ? transfer : undefined;
}

/** Throws ResponsibilityTransferNotFoundException. */
async function requiredTransfer(about: About, scope: Scope): Promise<Transfer> {
  const transfer = await findTransfer(about, scope);
  if (!transfer) throw transferNotFound();
  return transfer;
}

const aboutTransfer = {
  callers: "management",
  async resources(about: About, scope: Scope) {
    const transfer = await findTransfer(about, scope);
    if (!transfer) return ["*"];
    return [transferArn(scope.organization, directionOf(transfer, scope.organization)!, transfer.id)];
  },
  async context(about: About, scope: Scope) {
    const transfer = await findTransfer(about, scope);
    return transfer ? transferContext(directionOf(transfer, scope.organization)!) : {};
  },
} as const;

const shown = async (transfer: Transfer, { call, db, organization }: Scope) => ({
  ResponsibilityTransfer: await toResponsibilityTransfer(db, transfer, organization, call.now),
});

export const InviteOrganizationToTransferResponsibility =
  organizationOperation<sdk.InviteOrganizationToTransferResponsibilityCommand>({
    action: "InviteOrganizationToTransferResponsibility",
    callers: "management",
    writes: true,
    resources: ({ Target }, { organization }) => [
      Target?.Type === "ACCOUNT" ? accountArn(organization, Target.Id!) : "*",
    ],
    context: () => transferContext("inbound"),
    async run(input, scope) {
      const { call, db, organization } = scope;
      const tags = checkedTags(input.Tags);
      const startsAt = input.StartTimestamp!;
      const expiresAt = acceptableUntil(startsAt, call.now);
      const party = input.Target!;
      const accountId = await partyAccount(db, party);
      const id = newTransferId();
      await requireTagging(scope, transferArn(organization, "inbound", id), input.Tags, transferContext("inbound"));
      await requireInvitable(db, organization, accountId, call.now);
      const invitation = { accountId, party, notes: input.Notes, transferId: id, startsAt, expiresAt };
      const handshake = await inviteToTransfer(db, organization, call.now, invitation);
      const name = input.SourceName!;
      const bare = { sourceOrganizationId: undefined, endsAt: undefined };
      await insertTransfer(db, {
        id,
        handshake,
        name,
        startsAt,
        ...bare,
        tags: { inbound: tags, outbound: new Map() },
      });
      return { Handshake: toHandshake(handshake, call.now) };
    },
  });

export const DescribeResponsibilityTransfer = organizationOperation<sdk.DescribeResponsibilityTransferCommand>({
  action: "DescribeResponsibilityTransfer",
  ...aboutTransfer,
  run: async (input, scope) => shown(await requiredTransfer(input, scope), scope),
});

export const UpdateResponsibilityTransfer = organizationOperation<sdk.UpdateResponsibilityTransferCommand>({
  action: "UpdateResponsibilityTransfer",
  ...aboutTransfer,
  writes: true,
  async run(input, scope) {
    const transfer = await requiredTransfer(input, scope);
    // "Transfers that have been withdrawn, declined, expired, or cancelled cannot be modified."
    if (transfer.endsAt || !isActive(transfer, scope.call.now)) {
      throw constraintViolation("TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED");
    }
    const renamed = { ...transfer, name: input.Name! };
    await updateTransfer(scope.db, renamed);
    return shown(renamed, scope);
  },
});

/** "Either management account involved in a transfer can withdraw the transfer at any time." */
export const TerminateResponsibilityTransfer = organizationOperation<sdk.TerminateResponsibilityTransferCommand>({
  action: "TerminateResponsibilityTransfer",
  ...aboutTransfer,
  writes: true,
  async run(input, scope) {
    const transfer = await requiredTransfer(input, scope);
    return shown(await withdraw(scope.db, transfer, input.EndTimestamp, scope.call.now), scope);
  },
});

interface ListRequest extends About {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

async function listed(request: ListRequest, scope: Scope, direction: Direction) {
  const { call, db, organization } = scope;
  if (request.Id !== undefined) await requiredTransfer(request, scope);
  const all = await listTransfers(db, { accountId: organization.managementAccountId });
  const wanted = all.filter(
    (transfer) =>
      directionOf(transfer, organization) === direction && (request.Id === undefined || transfer.id === request.Id),
  );
  const { items, ...rest } = pageOf(request, wanted, ({ id }) => id);
  const ResponsibilityTransfers = await Promise.all(
    items.map((transfer) => toResponsibilityTransfer(db, transfer, organization, call.now)),
  );
  return { ResponsibilityTransfers, ...rest };
}

export const ListInboundResponsibilityTransfers = organizationOperation<sdk.ListInboundResponsibilityTransfersCommand>({
  action: "ListInboundResponsibilityTransfers",
  callers: "management",
  context: () => transferContext("inbound"),
  run: (input, scope) => listed(input, scope, "inbound"),
});

export const ListOutboundResponsibilityTransfers =
  organizationOperation<sdk.ListOutboundResponsibilityTransfersCommand>({
    action: "ListOutboundResponsibilityTransfers",
    callers: "management",
    context: () => transferContext("outbound"),
    run: (input, scope) => listed(input, scope, "outbound"),
  });
