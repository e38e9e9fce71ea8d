import { compilePolicy } from "#gateway/authz/compile.ts";
import { evaluate } from "#gateway/authz/evaluate.ts";
import { MalformedPolicyError, parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import { malformedPolicy } from "./errors.ts";
import { type Key, keyArn } from "./model.ts";

/**
 * Throws MalformedPolicyDocument for what is no policy and, unless `bypass`, for one that would lock the caller out.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#allow-iam-policies
 */
export async function checkKeyPolicy(call: Call, key: Key, policy: string, bypass: boolean): Promise<void> {
  const compiled = parsed(policy);
  if (bypass) return;
  const { identity, boundary } = await call.system.identities.policiesOf(call.principal, call.db);
  const decision = evaluate(
    {
      action: "kms:PutKeyPolicy",
      resource: keyArn(key),
      resourceAccountId: key.accountId,
      principal: call.principal,
      context: { "kms:calleraccount": call.principal.accountId },
    },
    { identity, ...(boundary && { boundary }), resource: compiled, resourcePolicyRequired: true },
  );
  if (!decision.allowed) {
    throw malformedPolicy("The new key policy will not allow you to update the key policy in the future.");
  }
}

function parsed(policy: string) {
  try {
    return compilePolicy(parsePolicy(policy, "resource"));
  } catch (error) {
    if (error instanceof MalformedPolicyError) throw malformedPolicy(error.message);
    throw error;
  }
}
