/**
 * ECR's own way with constraints: its code, its words, and patterns for the whole value, which its model leaves unanchored.
 * "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '…''"
 */
import type { Limit, Limits, Violation } from "#gateway/validate.ts";
import generated from "./limits.generated.json" with { type: "json" };

/** As the service prints it (boto/boto3#3191); its model has a longer one that also takes `__` and repeated dashes. */
const PRINTED_NAME_PATTERN = "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*";

function anchored(limit: Limit): Limit {
  const { pattern, item } = limit;
  return {
    ...limit,
    ...(pattern !== undefined && !pattern.startsWith("^") && { pattern: `^(?:${pattern})$` }),
    ...(item && { item: anchored(item) }),
  };
}

export const limits: Limits = Object.fromEntries(
  Object.entries(generated as Limits).map(([structure, members]) => [
    structure,
    Object.fromEntries(Object.entries(members).map(([member, limit]) => [member, anchored(limit)])),
  ]),
);

export const validation = {
  code: "InvalidParameterException",
  message: (violations: readonly Violation[]): string =>
    violations
      .map(
        (violation) =>
          `Invalid parameter at '${violation.path}' failed to satisfy constraint: '${constraint(violation)}'`,
      )
      .join("; "),
};

function constraint({ path, must, pattern }: Violation): string {
  if (pattern === undefined) return `must ${must}`;
  const isName = path === "repositoryName" || path.startsWith("repositoryNames.");
  return `must satisfy regular expression '${isName ? PRINTED_NAME_PATTERN : pattern}'`;
}
