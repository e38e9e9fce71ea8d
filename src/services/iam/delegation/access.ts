/**
 * Who may do what with a delegation request. "By default, IAM principals who initiate a delegation request are automatically
 * granted permissions to manage that specific request"; whoever else is in the account needs policies for it, and so does
 * everybody to accept.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html#temporary-delegation-managing-permissions
 */
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import { noSuchEntity } from "../errors.ts";
import { findDelegationRequest } from "../store/delegation-requests.ts";
import { arnsOfIdentities } from "./identities.ts";
import { type DelegationRequest, delegationRequestArn } from "./model.ts";

/** Of a request that nobody has taken yet, for everybody who may see it. */
const UNOWNED: ReadonlySet<string> = new Set([
  "AssociateDelegationRequest",
  "GetDelegationRequest",
  "GetHumanReadableSummary",
]);
/** For the owner. */
const OWNED: ReadonlySet<string> = new Set([
  "GetDelegationRequest",
  "GetHumanReadableSummary",
  "RejectDelegationRequest",
  "SendDelegationToken",
  "UpdateDelegationRequest",
]);

/** Those of other accounts are as if they were not there. Throws NoSuchEntity. */
export async function existingRequest(call: Call, id: string): Promise<DelegationRequest> {
  const request = await visibleRequest(call, id);
  if (!request) throw noSuchEntity(`The delegation request with id ${id} cannot be found.`);
  return request;
}

async function visibleRequest(call: Call, id: string): Promise<DelegationRequest | undefined> {
  const request = await findDelegationRequest(call.db, id);
  const accountId = request?.ownerAccountId;
  return accountId === undefined || accountId === call.accountId ? request : undefined;
}

/** The authorization of an operation about one request. */
export function aboutRequest<I>(action: string, idOf: (input: NoInfer<I>) => string): Authorization<I> {
  return {
    action: `iam:${action}`,
    resources: (input, call) => [delegationRequestArn(call.accountId, idOf(input))],
    context: async (input, call) => {
      const ownerId = (await visibleRequest(call, idOf(input)))?.ownerId;
      return ownerId === undefined ? {} : ownerKey(call, ownerId);
    },
    async resourcePolicy(_resource, input, call) {
      const request = await visibleRequest(call, idOf(input));
      if (!request) return undefined;
      const isOwner = request.ownerId === call.principal.userId;
      const isGranted = request.ownerId === undefined ? UNOWNED.has(action) : isOwner && OWNED.has(action);
      return isGranted ? grantToCaller(call, action) : undefined;
    },
  };
}

/** The condition key; policies name owners by the ARNs that they have. */
export async function ownerKey({ db, accountId }: Call, ownerId: string): Promise<ContextKeys> {
  const arnOf = await arnsOfIdentities(db, accountId, [ownerId]);
  return { "iam:delegationrequestowner": arnOf(ownerId) };
}

/** A session with policies of its own, such as a partner's, has nothing beyond them: it goes by the ARN of somebody else. */
export function grantToCaller({ principal }: Call, action: string): CompiledPolicy | undefined {
  if (principal.sessionPolicies) return undefined;
  const statement = {
    Effect: "Allow",
    Principal: { AWS: principal.arn },
    Action: `iam:${action}`,
    Resource: "*",
  };
  return compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement: statement }), "resource"));
}
