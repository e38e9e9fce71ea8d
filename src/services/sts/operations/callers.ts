/** Who calls, and whose a key is. */
import type * as sdk from "@aws-sdk/client-sts";
import { accountOfAccessKey } from "#gateway/access-key-id.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { validationError } from "../errors.ts";

/** "No permissions are required to perform this operation." */
export const GetCallerIdentity: OperationOf<sdk.GetCallerIdentityCommand> = {
  authorize: "always",
  run: (_input, { principal }) => ({
    UserId: principal.userId,
    Account: principal.accountId,
    Arn: principal.arn,
  }),
};

/** Says nothing about whether the key is active. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html */
export const GetAccessKeyInfo: OperationOf<sdk.GetAccessKeyInfoCommand> = {
  authorize: { action: "sts:GetAccessKeyInfo", resources: () => ["*"] },
  run(input) {
    const account = accountOfAccessKey(input.AccessKeyId!);
    if (account === undefined) throw validationError(`Invalid AccessKeyId: ${input.AccessKeyId}`);
    return { Account: account };
  },
};
