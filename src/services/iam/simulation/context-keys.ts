/** The context keys that a policy asks about, in conditions and as policy variables. */
import type { Condition, PolicyDocument, Statement } from "#gateway/authz/policy-document.ts";

/** Each key once, whatever its case, as it is first written. */
export function contextKeysOf(policies: readonly PolicyDocument[]): string[] {
  return distinctKeys(
    policies.flatMap(({ version, statements }) =>
      statements.flatMap((statement) => [
        ...resourceKeys(statement, version),
        ...statement.conditions.flatMap((condition) => conditionKeys(condition, version)),
      ]),
    ),
  );
}

export function resourceKeys(statement: Statement, version: PolicyDocument["version"]): string[] {
  return [...(statement.resources ?? []), ...(statement.notResources ?? [])].flatMap((text) =>
    variables(text, version),
  );
}

export function conditionKeys({ key, values }: Condition, version: PolicyDocument["version"]): string[] {
  return [key, ...values.flatMap((text) => variables(text, version))];
}

export function distinctKeys(keys: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const key of keys) if (!byKey.has(key.toLowerCase())) byKey.set(key.toLowerCase(), key);
  return [...byKey.values()];
}

/** `${*}`, `${?}` and `${$}` are characters, not variables; older policies have no variables. */
function variables(text: string, version: PolicyDocument["version"]): string[] {
  if (version !== "2012-10-17") return [];
  return Array.from(text.matchAll(/\$\{([^}*?$,]+)(?:,[^}]*)?\}/g), ([, name]) => name!.trim());
}
