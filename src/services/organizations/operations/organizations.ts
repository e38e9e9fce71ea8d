/** The organization itself. https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html */
import type * as sdk from "@aws-sdk/client-organizations";
import type { OperationOf } from "#gateway/operation.ts";
import { changing, organizationOperation } from "../administration.ts";
import { alreadyInOrganization, constraintViolation, organizationNotEmpty } from "../errors.ts";
import { beginAllFeatures, cancelPending } from "../handshakes.ts";
import { newOrganizationId, newRootId } from "../ids.ts";
import { ensureLinkedRole } from "../linked-role.ts";
import { attachAwsPolicies, join, knownAccount, leave } from "../membership-changes.ts";
import { type Organization, toHandshake, toOrganization, toRoot } from "../model.ts";
import { pageOf } from "../paging.ts";
import { findAccount, listAccounts } from "../store/accounts.ts";
import { deleteOrganization, insertOrganization, organizationOf } from "../store/organizations.ts";
import { listTransfers } from "../store/transfers.ts";
import { directionOf, isActive } from "../transfers.ts";

/** The caller's account becomes the management account. */
export const CreateOrganization: OperationOf<sdk.CreateOrganizationCommand> = {
  authorize: { action: "organizations:CreateOrganization", resources: () => ["*"] },
  async run({ FeatureSet = "ALL" }, call) {
    return changing(call, async (trx) => {
      if (await organizationOf(trx, call.accountId)) throw alreadyInOrganization();
      if (FeatureSet === "ALL") await ensureLinkedRole({ ...call, db: trx });
      const organization: Organization = {
        id: newOrganizationId(),
        managementAccountId: call.accountId,
        featureSet: FeatureSet,
        rootId: newRootId(),
        rootTags: new Map(),
        policyTypes: FeatureSet === "ALL" ? ["SERVICE_CONTROL_POLICY"] : [],
      };
      const account = await knownAccount(trx, call.accountId);
      await insertOrganization(trx, organization);
      await attachAwsPolicies(trx, organization, [organization.rootId]);
      await join(trx, organization, { account, method: "INVITED", tags: new Map(), now: call.now });
      return { Organization: toOrganization(organization, (await findAccount(trx, call.accountId))!) };
    });
  },
};

export const DescribeOrganization = organizationOperation<sdk.DescribeOrganizationCommand>({
  action: "DescribeOrganization",
  callers: "everybody",
  async run(_input, { db, organization }) {
    const management = await findAccount(db, organization.managementAccountId);
    return { Organization: toOrganization(organization, management!) };
  },
});

/** OUs and policies go with it; member accounts must have gone before. */
export const DeleteOrganization = organizationOperation<sdk.DeleteOrganizationCommand>({
  action: "DeleteOrganization",
  callers: "management",
  writes: true,
  async run(_input, { call, db, organization }) {
    const accounts = await listAccounts(db, organization.id);
    if (accounts.some(({ id }) => id !== organization.managementAccountId)) throw organizationNotEmpty();
    const transfers = await listTransfers(db, { accountId: organization.managementAccountId });
    if (transfers.some((transfer) => directionOf(transfer, organization) && isActive(transfer, call.now))) {
      throw constraintViolation("ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS");
    }
    await cancelPending(db, organization, call.now, () => true);
    for (const management of accounts) await leave(db, organization, management);
    await deleteOrganization(db, organization.id);
    return {};
  },
});

export const EnableAllFeatures = organizationOperation<sdk.EnableAllFeaturesCommand>({
  action: "EnableAllFeatures",
  callers: "management",
  writes: true,
  async run(_input, { call, db, organization }) {
    return { Handshake: toHandshake(await beginAllFeatures(db, organization, call.now), call.now) };
  },
});

export const ListRoots = organizationOperation<sdk.ListRootsCommand>({
  action: "ListRoots",
  callers: "readers",
  run(input, { organization }) {
    const { items, ...rest } = pageOf(input, [toRoot(organization)], ({ Id }) => Id!);
    return { Roots: items, ...rest };
  },
});
