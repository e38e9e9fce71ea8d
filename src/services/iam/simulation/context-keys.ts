/** The context keys that a policy asks about, in conditions and as policy variables. */
import { conditionKeys, resourceKeys } from "#gateway/authz/mentioned-keys.ts";
import { hasVariables, type PolicyDocument } from "#gateway/authz/policy-document.ts";

/** Each key once, whatever its case, as it is first written. */
export function contextKeysOf(policies: readonly PolicyDocument[]): string[] {
  return distinctKeys(
    policies.flatMap((policy) =>
      policy.statements.flatMap((statement) => [
        ...resourceKeys(statement, hasVariables(policy)),
        ...statement.conditions.flatMap((condition) => conditionKeys(condition, hasVariables(policy))),
      ]),
    ),
  );
}

export function distinctKeys(keys: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const key of keys) if (!byKey.has(key.toLowerCase())) byKey.set(key.toLowerCase(), key);
  return [...byKey.values()];
}
