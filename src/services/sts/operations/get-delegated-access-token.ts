/**
 * Credentials of the identity that accepted a partner's delegation request, limited by the request's policy.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetDelegatedAccessToken.html
 */
import type * as sdk from "@aws-sdk/client-sts";
import { openExchange } from "#gateway/exchange-token.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { expiredTradeInToken, validationError } from "../errors.ts";
import { issued } from "../issue.ts";

/**
 * "All credentials obtained from the same exchange token expire at the same time." PackedPolicySize "is not populated for
 * GetDelegatedAccessToken".
 */
export const GetDelegatedAccessToken: OperationOf<sdk.GetDelegatedAccessTokenCommand> = {
  authorize: { action: "sts:GetDelegatedAccessToken", resources: () => ["*"] },
  run({ TradeInToken }, call) {
    const exchange = openExchange(call.system.cipher, TradeInToken!);
    if (exchange?.requestorAccountId !== call.accountId) throw validationError("Invalid trade-in token");
    const { delegate, policy, issuedAt, expiration, requestorAccountId } = exchange;
    if (expiration <= call.now.getTime()) throw expiredTradeInToken();
    const principal = { ...delegate.principal, delegateAccountId: requestorAccountId };
    const seconds = expiration / 1000 - Math.floor(call.now.getTime() / 1000);
    // "The delegation period starts when customer releases the exchange token": a policy that revokes what was issued before
    // some time revokes what would be exchanged for the same token later, too.
    const start = issuedAt === undefined ? {} : { issuedAt };
    return {
      Credentials: issued(call, seconds, { ...delegate, principal, policies: [policy], ...start }),
      AssumedPrincipal: principal.arn,
    };
  },
};
