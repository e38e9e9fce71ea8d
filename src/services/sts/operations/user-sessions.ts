/** Sessions of users themselves: GetSessionToken and GetFederationToken. */
import type * as sdk from "@aws-sdk/client-sts";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { accessDenied } from "../errors.ts";
import { issued, tokenSize } from "../issue.ts";
import { provesMfa } from "../mfa.ts";
import { packedSize } from "../packed-size.ts";
import { sessionPolicies } from "../session-policies.ts";
import { requestedTags, sessionTags, withOwnTags } from "../session-tags.ts";

const DEFAULT_SECONDS = 43_200;
/** "If the duration is longer than one hour, the session for AWS account owners defaults to one hour." */
const MAX_ROOT_SECONDS = 3600;

/**
 * "No permissions are required for users to perform this operation."
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export const GetSessionToken: OperationOf<sdk.GetSessionTokenCommand> = {
  authorize: "always",
  async run(input, call) {
    requireLongTermCredentials(call, "GetSessionToken");
    const mfa = await provesMfa(input, call);
    const { type, arn, accountId, userId, tags } = call.principal;
    const principal = { type, arn, accountId, userId, ...(tags && { tags }) };
    const session = { principal, ...(mfa && { mfaAuthenticatedAt: call.now.getTime() }) };
    const seconds = sessionSeconds(input.DurationSeconds, call);
    const credentials = issued(call, seconds, session, input.MinimumSessionTokenSize);
    return { Credentials: credentials, ...tokenSize(credentials) };
  },
};

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html */
export const GetFederationToken: OperationOf<sdk.GetFederationTokenCommand> = {
  authorize: {
    action: "sts:GetFederationToken",
    resources: (input, call) => [federatedArn(input, call)],
    context: requestedTags,
  },
  async run(input, call) {
    requireLongTermCredentials(call, "GetFederationToken");
    const { accountId, arn, userId, type } = call.principal;
    const federated = { FederatedUserId: `${accountId}:${input.Name}`, Arn: federatedArn(input, call) };
    if (input.Tags?.length) {
      await requireAccess(call, { action: "sts:TagSession", resource: federated.Arn, context: requestedTags(input) });
    }
    const policies = await sessionPolicies(call, accountId, input);
    const packed = packedSize(input);
    const tags = withOwnTags(call.principal.tags ?? {}, sessionTags(input, call.principal).tags);
    const session = {
      principal: {
        type: "FederatedUser",
        arn: federated.Arn,
        accountId,
        userId: federated.FederatedUserId,
        ...(Object.keys(tags).length > 0 && { tags }),
      },
      ...(policies && { policies }),
      ...(type === "User" && { issuer: { arn, userId } }),
    } as const;
    const seconds = sessionSeconds(input.DurationSeconds, call);
    const credentials = issued(call, seconds, session, input.MinimumSessionTokenSize);
    return {
      Credentials: credentials,
      FederatedUser: federated,
      PackedPolicySize: packed,
      ...tokenSize(credentials),
    };
  },
};

function federatedArn(input: { Name?: string | undefined }, call: Call): string {
  return `arn:aws:sts::${call.principal.accountId}:federated-user/${input.Name}`;
}

function requireLongTermCredentials(call: Call, operation: string): void {
  if (call.principal.sessionExpiration !== undefined) {
    throw accessDenied(`Cannot call ${operation} with session credentials`);
  }
}

function sessionSeconds(requested: number | undefined, call: Call): number {
  const seconds = requested ?? DEFAULT_SECONDS;
  return call.principal.type === "Root" ? Math.min(seconds, MAX_ROOT_SECONDS) : seconds;
}
