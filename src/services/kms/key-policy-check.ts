import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { evaluate } from "#gateway/authz/evaluate.ts";
import { MalformedPolicyError, parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import { policyToStore } from "#gateway/policy-principals.ts";
import type { Database } from "#store/database.ts";
import { malformedPolicy } from "./errors.ts";
import { type Key, keyArn } from "./model.ts";

/**
 * The policy as the key keeps it. Throws MalformedPolicyDocument for what is no policy, names somebody who does not exist or,
 * unless `bypass`, would lock the caller out.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#allow-iam-policies
 * https://repost.aws/knowledge-center/kms-policy-error-invalid-principals
 */
export async function checkedKeyPolicy(
  call: Call,
  trx: Database,
  key: Key,
  policy: string,
  bypass: boolean,
): Promise<string> {
  const about = { accountId: key.accountId, document: checked(policy) };
  const kept = await policyToStore(call, trx, about, () =>
    malformedPolicy("Policy contains a statement with one or more invalid principals."),
  );
  if (!bypass) await requireNotLockedOut(call, trx, key, compilePolicy(parsePolicy(kept, "resource")));
  return kept;
}

async function requireNotLockedOut(call: Call, trx: Database, key: Key, policy: CompiledPolicy): Promise<void> {
  const { identity, boundary } = await call.system.identities.policiesOf(call.principal, trx);
  const decision = evaluate(
    {
      action: "kms:PutKeyPolicy",
      resource: keyArn(key),
      resourceAccountId: key.accountId,
      principal: call.principal,
      context: { "kms:calleraccount": call.principal.accountId },
    },
    { identity, ...(boundary && { boundary }), resource: policy, resourcePolicyRequired: true },
  );
  if (!decision.allowed) {
    throw malformedPolicy("The new key policy will not allow you to update the key policy in the future.");
  }
}

function checked(policy: string): string {
  try {
    parsePolicy(policy, "resource");
    return policy;
  } catch (error) {
    if (error instanceof MalformedPolicyError) throw malformedPolicy(error.message);
    throw error;
  }
}
