/** Making accounts. https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { ACCOUNT_CREATION } from "../account-work.ts";
import { organizationOperation, requireTagging, type Scope } from "../administration.ts";
import { constraintViolation, invalidInput, requestNotFound } from "../errors.ts";
import { requireRoom } from "../handshakes.ts";
import { newRequestId } from "../ids.ts";
import { type AccountRequest, arnOf, toAccountStatus } from "../model.ts";
import { pageOf } from "../paging.ts";
import { findRequest, insertRequest, listRequests } from "../store/accounts.ts";
import { checkedTags, requestTags } from "../tag-rules.ts";

const DEFAULT_ROLE = "OrganizationAccountAccessRole";
/** "Only five can be in progress at a time." */
const MAX_IN_PROGRESS = 5;

/** Throws InvalidInputException, or AccessDeniedException where tags need a permission that the caller lacks. */
async function checkedRequest(input: sdk.CreateAccountCommandInput, scope: Scope) {
  const roleName = input.RoleName ?? DEFAULT_ROLE;
  if (roleName.startsWith("AWSServiceRoleFor")) throw invalidInput("INVALID_ROLE_NAME");
  const tags = checkedTags(input.Tags);
  await requireTagging(scope, arnOf(scope.organization, "account/*"), input.Tags);
  return { roleName, tags };
}

/** Answers at once; the account is made by the work that this schedules. */
export const CreateAccount = organizationOperation<sdk.CreateAccountCommand>({
  action: "CreateAccount",
  callers: "management",
  writes: true,
  wakes: true,
  context: ({ Tags }) => requestTags(Tags),
  async run(input, scope) {
    const { call, db, organization } = scope;
    const { roleName, tags } = await checkedRequest(input, scope);
    const requests = await listRequests(db, organization.id);
    if (requests.filter(({ state }) => state === "IN_PROGRESS").length >= MAX_IN_PROGRESS) {
      throw constraintViolation("ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED");
    }
    await requireRoom(db, organization, call.now);
    const request: AccountRequest = {
      id: newRequestId(),
      organizationId: organization.id,
      accountName: input.AccountName!,
      email: input.Email!,
      roleName,
      tags,
      state: "IN_PROGRESS",
      failureReason: undefined,
      accountId: undefined,
      requestedAt: call.now,
      completedAt: undefined,
    };
    await insertRequest(db, request);
    await call.system.work.schedule(db, ACCOUNT_CREATION, request.id);
    return { CreateAccountStatus: toAccountStatus(request) };
  },
});

/**
 * "You already have an account in the AWS GovCloud (US) Region that is paired with a management account": there is no second
 * partition here, so nobody has, and the answer is the one to who has not.
 */
export const CreateGovCloudAccount = organizationOperation<sdk.CreateGovCloudAccountCommand>({
  action: "CreateGovCloudAccount",
  callers: "management",
  context: ({ Tags }) => requestTags(Tags),
  async run(input, scope) {
    await checkedRequest(input, scope);
    throw constraintViolation("MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED");
  },
});

export const DescribeCreateAccountStatus = organizationOperation<sdk.DescribeCreateAccountStatusCommand>({
  action: "DescribeCreateAccountStatus",
  callers: "readers",
  async run(input, { db, organization }) {
    const request = await findRequest(db, input.CreateAccountRequestId!);
    if (request?.organizationId !== organization.id) throw requestNotFound();
    return { CreateAccountStatus: toAccountStatus(request) };
  },
});

export const ListCreateAccountStatus = organizationOperation<sdk.ListCreateAccountStatusCommand>({
  action: "ListCreateAccountStatus",
  callers: "readers",
  async run(input, { db, organization }) {
    const all = await listRequests(db, organization.id);
    const wanted = all.filter(({ state }) => !input.States?.length || input.States.includes(state));
    const { items, ...rest } = pageOf(input, wanted, ({ id }) => id);
    return { CreateAccountStatuses: items.map(toAccountStatus), ...rest };
  },
});
