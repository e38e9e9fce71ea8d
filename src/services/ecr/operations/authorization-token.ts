/** GetAuthorizationToken. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { OperationOf } from "#gateway/operation.ts";
import { sealedPassword } from "../credentials.ts";
import { registryHost } from "../model.ts";

/** The token says who asks, not for which registry: it is good wherever the principal has access. */
export const GetAuthorizationToken: OperationOf<sdk.GetAuthorizationTokenCommand> = {
  authorize: { action: "ecr:GetAuthorizationToken", resources: () => ["*"] },
  run(input, call) {
    const { password, expiresAt } = sealedPassword(call);
    const authorizationToken = Buffer.from(`AWS:${password}`).toString("base64");
    const accounts = input.registryIds ?? [call.accountId];
    return {
      authorizationData: accounts.map((accountId) => ({
        authorizationToken,
        expiresAt,
        proxyEndpoint: `https://${registryHost({ accountId, region: call.region })}`,
      })),
    };
  },
};
