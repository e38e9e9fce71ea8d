/** Invitations and other handshakes. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_invites.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { accept } from "../acceptance.ts";
import { changing, organizationOperation, requireTagging } from "../administration.ts";
import { handshakeNotFound, invalidInput } from "../errors.ts";
import { cancel, end, invite, isShown, partyAccount } from "../handshakes.ts";
import { ensureLinkedRole } from "../linked-role.ts";
import { accountArn, arnOf, type Handshake, handshakeArn, toHandshake } from "../model.ts";
import { pageOf } from "../paging.ts";
import { findHandshake, listHandshakes } from "../store/handshakes.ts";
import { findOrganization, organizationOf } from "../store/organizations.ts";
import { checkedTags, requestTags } from "../tag-rules.ts";

export const InviteAccountToOrganization = organizationOperation<sdk.InviteAccountToOrganizationCommand>({
  action: "InviteAccountToOrganization",
  callers: "management",
  writes: true,
  resources: ({ Target }, { organization }) => [
    Target?.Type === "ACCOUNT" ? accountArn(organization, Target.Id!) : "*",
  ],
  context: ({ Tags }) => requestTags(Tags),
  async run(input, scope) {
    const { call, db, organization } = scope;
    const tags = checkedTags(input.Tags);
    const party = input.Target!;
    const accountId = await partyAccount(db, party);
    await requireTagging(scope, arnOf(organization, `account/${accountId}`), input.Tags);
    const handshake = await invite(db, organization, call.now, { accountId, party, notes: input.Notes, tags });
    return { Handshake: toHandshake(handshake, call.now) };
  },
});

type About = { HandshakeId: string | undefined };

/** Also accounts without an organization have handshakes, and see none but their own. */
function aboutHandshake(action: string): Authorization<About> {
  return {
    action: `organizations:${action}`,
    async resources({ HandshakeId }, call) {
      const handshake = await findHandshake(call.db, HandshakeId!);
      return [handshake ? handshakeArn(handshake) : "*"];
    },
    resourceAccountId: (_resource, _input, call) => call.accountId,
  };
}

/** Throws HandshakeNotFoundException, also to whom the handshake is none of. */
async function handshakeOf(
  db: Database,
  { HandshakeId }: About,
  { accountId, now }: Call,
  ...roles: readonly ("sender" | "recipient")[]
): Promise<Handshake> {
  const handshake = await findHandshake(db, HandshakeId!);
  const concerned =
    (roles.includes("sender") && handshake?.managementAccountId === accountId) ||
    (roles.includes("recipient") && handshake?.accountId === accountId);
  if (!handshake || !concerned || !isShown(handshake, now)) throw handshakeNotFound();
  return handshake;
}

/** Whoever joins an organization with all features, or agrees to their being enabled. */
async function needsLinkedRole(db: Database, handshake: Handshake): Promise<boolean> {
  if (handshake.action === "TRANSFER_RESPONSIBILITY") return false;
  if (handshake.action !== "INVITE") return true;
  return (await findOrganization(db, handshake.organizationId))?.featureSet === "ALL";
}

export const AcceptHandshake: OperationOf<sdk.AcceptHandshakeCommand> = {
  authorize: aboutHandshake("AcceptHandshake"),
  run: (input, call) =>
    changing(call, async (trx) => {
      const handshake = await handshakeOf(trx, input, call, "recipient");
      if (handshake.action === "INVITE" && (await organizationOf(trx, call.accountId))) {
        // Who must not leave does not get away by joining another organization.
        await requireAccess({ ...call, db: trx }, { action: "organizations:LeaveOrganization", resource: "*" });
      }
      // Before the account joins: its administrators decide, not yet the organization's policies.
      if (await needsLinkedRole(trx, handshake)) await ensureLinkedRole({ ...call, db: trx });
      return { Handshake: toHandshake(await accept(trx, handshake, call.now), call.now) };
    }),
};

export const DeclineHandshake: OperationOf<sdk.DeclineHandshakeCommand> = {
  authorize: aboutHandshake("DeclineHandshake"),
  run: (input, call) =>
    changing(call, async (trx) => {
      const handshake = await handshakeOf(trx, input, call, "recipient");
      return { Handshake: toHandshake(await end(trx, handshake, "DECLINED", call.now), call.now) };
    }),
};

export const CancelHandshake: OperationOf<sdk.CancelHandshakeCommand> = {
  authorize: aboutHandshake("CancelHandshake"),
  run: (input, call) =>
    changing(call, async (trx) => {
      const handshake = await handshakeOf(trx, input, call, "sender");
      const organization = await findOrganization(trx, handshake.organizationId);
      if (!organization) return { Handshake: toHandshake(await end(trx, handshake, "CANCELED", call.now), call.now) };
      return { Handshake: toHandshake(await cancel(trx, organization, handshake, call.now), call.now) };
    }),
};

export const DescribeHandshake: OperationOf<sdk.DescribeHandshakeCommand> = {
  authorize: aboutHandshake("DescribeHandshake"),
  async run(input, call) {
    const handshake = await handshakeOf(call.db, input, call, "sender", "recipient");
    return { Handshake: toHandshake(handshake, call.now) };
  },
};

interface ListRequest {
  readonly Filter?: sdk.HandshakeFilter | undefined;
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

function listed(request: ListRequest, all: readonly Handshake[], now: Date) {
  const { ActionType, ParentHandshakeId } = request.Filter ?? {};
  if (ActionType !== undefined && ParentHandshakeId !== undefined) throw invalidInput("MAX_LIMIT_EXCEEDED_FILTER");
  const wanted = all.filter(
    (handshake) =>
      isShown(handshake, now) &&
      (ActionType === undefined || handshake.action === ActionType) &&
      (ParentHandshakeId === undefined || handshake.parentId === ParentHandshakeId),
  );
  const { items, ...rest } = pageOf(request, wanted, ({ id }) => id);
  return { Handshakes: items.map((handshake) => toHandshake(handshake, now)), ...rest };
}

export const ListHandshakesForAccount: OperationOf<sdk.ListHandshakesForAccountCommand> = {
  authorize: { action: "organizations:ListHandshakesForAccount", resources: () => ["*"] },
  run: async (input, call) => listed(input, await listHandshakes(call.db, { accountId: call.accountId }), call.now),
};

export const ListHandshakesForOrganization = organizationOperation<sdk.ListHandshakesForOrganizationCommand>({
  action: "ListHandshakesForOrganization",
  callers: "readers",
  run: async (input, { call, db, organization }) =>
    listed(input, await listHandshakes(db, { organizationId: organization.id }), call.now),
});
