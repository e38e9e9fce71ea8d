/**
 * "Calculates whether the caller has sufficient permissions to cover the asks from this delegation request."
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetDelegationRequest.html
 */
import type { PermissionCheckResultType } from "@aws-sdk/client-iam";
import { decisionOn } from "#gateway/authorize.ts";
import { parsePolicy, type Statement } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";

/**
 * Each action on each resource as it is written, a wildcard for itself. DENIED where the caller cannot do something that is
 * asked for by name; UNSURE where it hangs on what a wildcard stands for or on a condition of the request.
 */
export async function permissionCheck(call: Call, policy: string): Promise<PermissionCheckResultType> {
  let result: PermissionCheckResultType = "ALLOWED";
  for (const statement of parsePolicy(policy, "session").statements) {
    if (statement.effect === "Deny") continue;
    const { actions, resources } = statement;
    if (!actions || !resources) {
      result = "UNSURE";
      continue;
    }
    for (const action of actions) {
      for (const resource of resources) {
        if ((await decisionOn(call, { action, resource })).allowed) continue;
        if (isExact(statement, action, resource)) return "DENIED";
        result = "UNSURE";
      }
    }
  }
  return result;
}

function isExact({ conditions }: Statement, action: string, resource: string): boolean {
  return conditions.length === 0 && !/[*?]/.test(action) && (resource === "*" || !/[*?]|\$\{/.test(resource));
}
