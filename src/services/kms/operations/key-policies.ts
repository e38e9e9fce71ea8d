/** Key policies. https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html */
import type * as sdk from "@aws-sdk/client-kms";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { unusable } from "../errors.ts";
import { onKey, requiredKey } from "../key-access.ts";
import { checkedKeyPolicy } from "../key-policy-check.ts";
import { keyArn } from "../model.ts";
import { updateKey } from "../store.ts";

/** "The only valid value is default." */
const POLICY_NAME = "default";

const keyId = (input: { KeyId: string | undefined }) => input.KeyId!;

export const GetKeyPolicy: OperationOf<sdk.GetKeyPolicyCommand> = {
  authorize: onKey("GetKeyPolicy", keyId),
  run: async (input, call) => ({ Policy: (await requiredKey(call, keyId(input))).policy, PolicyName: POLICY_NAME }),
};

export const PutKeyPolicy: OperationOf<sdk.PutKeyPolicyCommand> = {
  authorize: onKey("PutKeyPolicy", keyId, (input) => ({
    "kms:bypasspolicylockoutsafetycheck": String(input.BypassPolicyLockoutSafetyCheck ?? false),
  })),
  async run(input, call) {
    const bypass = input.BypassPolicyLockoutSafetyCheck ?? false;
    await inTransaction(call.db, async (trx) => {
      const key = await requiredKey({ ...call, db: trx }, keyId(input));
      if (key.state === "PendingDeletion") throw unusable(keyArn(key), key.state);
      await updateKey(trx, key, { policy: await checkedKeyPolicy(call, trx, key, input.Policy!, bypass) });
    });
    return {};
  },
};

export const ListKeyPolicies: OperationOf<sdk.ListKeyPoliciesCommand> = {
  authorize: onKey("ListKeyPolicies", keyId),
  async run(input, call) {
    await requiredKey(call, keyId(input));
    return { PolicyNames: [POLICY_NAME], Truncated: false };
  },
};
