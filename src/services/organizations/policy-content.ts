/** What the documents of policies must be when they are put. */
import type { PolicyType } from "@aws-sdk/client-organizations";
import { MalformedPolicyError, parsePolicy } from "#gateway/authz/policy-document.ts";
import { parseManagementPolicy } from "./effective-policy.ts";
import { constraintViolation, invalidInput, malformedPolicy } from "./errors.ts";
import { POLICY_TYPES } from "./policy-types.ts";

/** Throws MalformedPolicyDocumentException, or ConstraintViolationException for one that is too long. */
export function checkPolicyContent(type: PolicyType, content: string): void {
  if (content.length > POLICY_TYPES[type].maxSize) throw constraintViolation("POLICY_CONTENT_LIMIT_EXCEEDED");
  try {
    if (type === "SERVICE_CONTROL_POLICY") parsePolicy(content, "scp");
    else if (type === "RESOURCE_CONTROL_POLICY") checkResourceControl(content);
    else parseManagementPolicy(content);
  } catch (error) {
    if (error instanceof MalformedPolicyError) throw malformedPolicy(error.message);
    throw error;
  }
}

/**
 * "The effect of Allow is only supported for the RCPFullAWSAccess policy", and "you can only specify * in the Principal
 * element". https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
 */
function checkResourceControl(content: string): void {
  for (const [index, statement] of parsePolicy(content, "resource").statements.entries()) {
    const place = `Statement[${index}]`;
    if (statement.effect !== "Deny") throw new MalformedPolicyError(`${place}.Effect: Only Deny is supported`);
    if (statement.principal !== "*") throw new MalformedPolicyError(`${place}.Principal: Only "*" is supported`);
    if (statement.notActions) throw new MalformedPolicyError(`${place}.NotAction: NotAction is not supported`);
    if (!statement.resources && !statement.notResources) {
      throw new MalformedPolicyError(`${place}: Missing required field Resource`);
    }
  }
}

/** https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
const MAX_RESOURCE_POLICY = 40_000;

/** Throws InvalidInputException, or ConstraintViolationException for one that is too long. */
export function checkResourcePolicy(content: string): void {
  if (content.length > MAX_RESOURCE_POLICY) throw constraintViolation("POLICY_CONTENT_LIMIT_EXCEEDED");
  try {
    parsePolicy(content, "resource");
  } catch (error) {
    if (error instanceof MalformedPolicyError) throw invalidInput("INVALID_PATTERN", error.message);
    throw error;
  }
}
