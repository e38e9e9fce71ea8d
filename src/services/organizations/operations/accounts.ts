/** Member accounts. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { depart } from "../acceptance.ts";
import { ACCOUNT_CLOSURE } from "../account-work.ts";
import { organizationOperation, type Scope } from "../administration.ts";
import {
  accountAlreadyClosed,
  accountNotFound,
  closureInProgress,
  constraintViolation,
  destinationParentNotFound,
  duplicateAccount,
  sourceParentNotFound,
} from "../errors.ts";
import { Hierarchy, requiredMember } from "../hierarchy.ts";
import { accountArn, entityArn, toAccount } from "../model.ts";
import { pageOf } from "../paging.ts";
import { listAccounts, putAccount } from "../store/accounts.ts";

const DAY_MS = 86_400_000;
type About = { AccountId: string | undefined };

const about = ({ AccountId }: About, { organization }: Scope) => [accountArn(organization, AccountId!)];

export const DescribeAccount = organizationOperation<sdk.DescribeAccountCommand>({
  action: "DescribeAccount",
  callers: "readers",
  resources: about,
  async run(input, { db, organization }) {
    const account = await requiredMember(db, organization, input.AccountId!);
    const path = (await Hierarchy.of(db, organization)).pathOf(account.parentId);
    return { Account: toAccount(organization, account, path) };
  },
});

export const ListAccounts = organizationOperation<sdk.ListAccountsCommand>({
  action: "ListAccounts",
  callers: "readers",
  async run(input, { db, organization }) {
    const tree = await Hierarchy.of(db, organization);
    const { items, ...rest } = pageOf(input, [...tree.accounts.values()], ({ id }) => id);
    return {
      Accounts: items.map((account) => toAccount(organization, account, tree.pathOf(account.parentId))),
      ...rest,
    };
  },
});

/** An account that is not where the caller says is answered as one that does not exist. */
export const MoveAccount = organizationOperation<sdk.MoveAccountCommand>({
  action: "MoveAccount",
  callers: "management",
  writes: true,
  resources: (input, { organization }) =>
    [input.AccountId!, input.SourceParentId!, input.DestinationParentId!].map((id) => entityArn(organization, id)),
  async run(input, { db, organization }) {
    const account = await requiredMember(db, organization, input.AccountId!);
    const tree = await Hierarchy.of(db, organization);
    if (!tree.isParent(input.SourceParentId!)) throw sourceParentNotFound();
    if (!tree.isParent(input.DestinationParentId!)) throw destinationParentNotFound();
    if (account.parentId !== input.SourceParentId) throw accountNotFound();
    if (account.parentId === input.DestinationParentId) throw duplicateAccount();
    await putAccount(db, { ...account, parentId: input.DestinationParentId! });
    return {};
  },
});

export const RemoveAccountFromOrganization = organizationOperation<sdk.RemoveAccountFromOrganizationCommand>({
  action: "RemoveAccountFromOrganization",
  callers: "management",
  writes: true,
  resources: about,
  async run(input, scope) {
    await depart(scope.db, scope.organization, input.AccountId!, scope.call.now);
    return {};
  },
});

export const LeaveOrganization = organizationOperation<sdk.LeaveOrganizationCommand>({
  action: "LeaveOrganization",
  callers: "everybody",
  writes: true,
  async run(_input, scope) {
    await depart(scope.db, scope.organization, scope.call.accountId, scope.call.now);
    return {};
  },
});

/** "You can close the higher of either 250 or 20% of the member accounts, up to a maximum of 1,000", within 30 days. */
function maxClosures(accounts: number): number {
  return Math.min(1_000, Math.max(250, Math.floor((accounts - 1) / 5)));
}

/** The account is PENDING_CLOSURE until the work has closed it. */
export const CloseAccount = organizationOperation<sdk.CloseAccountCommand>({
  action: "CloseAccount",
  callers: "management",
  writes: true,
  wakes: true,
  resources: about,
  async run(input, { call, db, organization }) {
    if (organization.featureSet !== "ALL") throw constraintViolation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
    if (input.AccountId === organization.managementAccountId) {
      throw constraintViolation("CANNOT_CLOSE_MANAGEMENT_ACCOUNT");
    }
    const account = await requiredMember(db, organization, input.AccountId!);
    if (account.state === "PENDING_CLOSURE") throw closureInProgress();
    if (account.state === "CLOSED") throw accountAlreadyClosed();
    const accounts = await listAccounts(db, organization.id);
    const since = call.now.getTime() - 30 * DAY_MS;
    const closed = accounts.filter(({ closedAt }) => closedAt !== undefined && closedAt.getTime() > since);
    if (closed.length >= maxClosures(accounts.length)) throw constraintViolation("CLOSE_ACCOUNT_QUOTA_EXCEEDED");
    await putAccount(db, { ...account, state: "PENDING_CLOSURE", closedAt: call.now });
    await call.system.work.schedule(db, ACCOUNT_CLOSURE, account.id);
    return {};
  },
});
