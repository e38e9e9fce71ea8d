/** Organizations answers every violated constraint with InvalidInputException and a reason. */
import type { Violation } from "#gateway/validate.ts";
import { type InvalidInputReason, invalidInputMessage } from "./errors.ts";

const REASONS: readonly (readonly [must: RegExp, reason: InvalidInputReason])[] = [
  [/^not be null/, "INPUT_REQUIRED"],
  [/^have length greater/, "MIN_LENGTH_EXCEEDED"],
  [/^have length less/, "MAX_LENGTH_EXCEEDED"],
  [/^have value greater/, "MIN_VALUE_EXCEEDED"],
  [/^have value less/, "MAX_VALUE_EXCEEDED"],
  [/^satisfy enum/, "INVALID_ENUM"],
];

/** Of the first violation. */
function reasonOf([first]: readonly Violation[]): InvalidInputReason {
  if (first?.must.startsWith("satisfy enum") && first.path === "policyType") return "INVALID_ENUM_POLICY_TYPE";
  if (first?.must.startsWith("satisfy regular expression") && first.path === "targetId") {
    return "INVALID_PATTERN_TARGET_ID";
  }
  if (first?.path.endsWith(".member")) return "INVALID_LIST_MEMBER";
  return REASONS.find(([must]) => must.test(first?.must ?? ""))?.[1] ?? "INVALID_PATTERN";
}

export const validation = {
  code: "InvalidInputException",
  message: (found: readonly Violation[]) => invalidInputMessage(reasonOf(found)),
  members: (found: readonly Violation[]) => ({ Reason: reasonOf(found) }),
};
