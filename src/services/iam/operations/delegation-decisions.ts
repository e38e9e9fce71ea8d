/** What an account decides about a delegation request. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html */
import type * as sdk from "@aws-sdk/client-iam";
import { AccessDeniedError } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import { type Delegate, sealExchange } from "#gateway/exchange-token.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { aboutRequest, existingRequest } from "../delegation/access.ts";
import { arnsOfIdentities } from "../delegation/identities.ts";
import type { DelegationRequest, RequestDetails } from "../delegation/model.ts";
import { notify } from "../delegation/notifications.ts";
import { type StepAction, stateAfter, stateAt } from "../delegation/states.ts";
import { invalidInput } from "../errors.ts";
import { updateDelegationRequest } from "../store/delegation-requests.ts";

/** "Root users can only approve delegation requests with a duration of 4 hours or less." */
const MAX_ROOT_SECONDS = 4 * 3600;

interface AboutRequest {
  readonly DelegationRequestId: string | undefined;
}

const idOf = ({ DelegationRequestId }: AboutRequest) => DelegationRequestId!;

export const AssociateDelegationRequest: OperationOf<sdk.AssociateDelegationRequestCommand> = {
  authorize: aboutRequest("AssociateDelegationRequest", idOf),
  async run(input, call) {
    const { accountId, userId } = call.principal;
    await take(call, input, "AssociateDelegationRequest", () => ({ ownerAccountId: accountId, ownerId: userId }));
    return {};
  },
};

/** Forwards the request to an administrator. */
export const UpdateDelegationRequest: OperationOf<sdk.UpdateDelegationRequestCommand> = {
  authorize: aboutRequest("UpdateDelegationRequest", idOf),
  async run(input, call) {
    const details = input.Notes === undefined ? {} : { notes: input.Notes };
    await take(call, input, "UpdateDelegationRequest", () => ({ details }));
    return {};
  },
};

export const AcceptDelegationRequest: OperationOf<sdk.AcceptDelegationRequestCommand> = {
  authorize: aboutRequest("AcceptDelegationRequest", idOf),
  async run(input, call) {
    const approver = approverOf(call);
    await take(call, input, "AcceptDelegationRequest", ({ details }) => {
      if (call.principal.type === "Root" && details.sessionSeconds > MAX_ROOT_SECONDS) {
        throw invalidInput("Root users can only approve delegation requests with a duration of 4 hours or less.");
      }
      return { details: { approver } };
    });
    return {};
  },
};

export const RejectDelegationRequest: OperationOf<sdk.RejectDelegationRequestCommand> = {
  authorize: aboutRequest("RejectDelegationRequest", idOf),
  async run(input, call) {
    const details = input.Notes === undefined ? {} : { rejectionReason: input.Notes };
    await take(call, input, "RejectDelegationRequest", () => ({ details }));
    return {};
  },
};

/** "The delegation period starts when customer releases the exchange token." */
export const SendDelegationToken: OperationOf<sdk.SendDelegationTokenCommand> = {
  authorize: aboutRequest("SendDelegationToken", idOf),
  async run(input, call) {
    await take(
      call,
      input,
      "SendDelegationToken",
      ({ ownerId, details }) => {
        if (details.onlySendByOwner && ownerId !== call.principal.userId) {
          throw new AccessDeniedError("Only the owner of the delegation request can send its token.");
        }
        return {};
      },
      exchangeOf,
    );
    return {};
  },
};

type Change = Partial<Pick<DelegationRequest, "ownerAccountId" | "ownerId">> & {
  readonly details?: Partial<RequestDetails>;
};

/** The step, and the word of it to the partner, are one transaction. Throws NoSuchEntity, or InvalidInput in the wrong state. */
function take(
  call: Call,
  { DelegationRequestId }: AboutRequest,
  action: StepAction,
  change: (request: DelegationRequest) => Change,
  exchange?: (call: Call, request: DelegationRequest) => Promise<Parameters<typeof notify>[2]>,
): Promise<void> {
  return inTransaction(call.db, async (trx) => {
    const inside = { ...call, db: trx };
    const request = await existingRequest(inside, DelegationRequestId!);
    const current = stateAt(request, call.now);
    const state = stateAfter(action, current);
    if (!state) throw invalidInput(`${action} is not possible: the delegation request ${request.id} is ${current}.`);
    const { details, ...fields } = change(request);
    const changed: DelegationRequest = {
      ...request,
      ...fields,
      details: { ...request.details, ...details },
      state,
      stateSince: state === current ? request.stateSince : call.now,
      updatedAt: call.now,
    };
    await updateDelegationRequest(trx, changed);
    if (state !== current) await notify(inside, changed, await exchange?.(inside, changed));
  });
}

/**
 * "At the time of acceptance, IAM records the details and the state of the identity that called this API." What AWS does with
 * a session's tags it does not say; here they are part of that state, and those that are transitive stay so: otherwise a partner
 * who assumes a further role would leave the approver's tags behind, or choose others in their place. A session whose
 * own policies limit it cannot hand on less than those, for a session's policies add up. Throws AccessDenied.
 */
function approverOf({ principal }: Call): Delegate {
  const { type, arn, accountId, userId, mfaAuthenticatedAt } = principal;
  if (principal.sessionPolicies || (type !== "User" && type !== "AssumedRole" && type !== "Root")) {
    throw new AccessDeniedError("A session with policies of its own cannot accept a delegation request.");
  }
  const { roleArn, sessionName, sourceIdentity, tags, transitiveTagKeys, federation, sessionKeys } = principal;
  return {
    principal: {
      type,
      arn,
      accountId,
      userId,
      ...(roleArn !== undefined && { roleArn }),
      ...(sessionName !== undefined && { sessionName }),
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(tags && { tags }),
      ...(federation && { federation }),
      ...(sessionKeys && { sessionKeys }),
    },
    ...(transitiveTagKeys && { transitiveTagKeys }),
    ...(mfaAuthenticatedAt && { mfaAuthenticatedAt: mfaAuthenticatedAt.getTime() }),
  };
}

async function exchangeOf({ now, system, db }: Call, request: DelegationRequest) {
  const { id, requestorAccountId, details } = request;
  const { policy, sessionSeconds } = details;
  const approver = details.approver!;
  const { accountId, userId } = approver.principal;
  // Who has been renamed since is found by the ARN of today only.
  const arn = (await arnsOfIdentities(db, accountId, [userId]))(userId);
  const delegate = { ...approver, principal: { ...approver.principal, arn } };
  const expiration = (Math.floor(now.getTime() / 1000) + sessionSeconds) * 1000;
  const exchange = { requestId: id, requestorAccountId, delegate, policy, issuedAt: now.getTime(), expiration };
  return { token: sealExchange(system.cipher, exchange), expiresAt: new Date(expiration) };
}
