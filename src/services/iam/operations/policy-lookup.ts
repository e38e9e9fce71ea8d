/** Managed policies by their ARNs, AWS's and the account's own. */
import type { Call } from "#gateway/context.ts";
import type { Authorization } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { type AwsManagedPolicy, awsManagedPolicy, isAwsManaged } from "../aws-managed-policies.ts";
import { accessDenied, policyNotFound, validationError } from "../errors.ts";
import type { ManagedPolicy } from "../model.ts";
import { findPolicy } from "../store/managed-policies.ts";

export function findAnyPolicy(
  db: Database,
  accountId: string,
  arn: string,
): Promise<ManagedPolicy | undefined> | AwsManagedPolicy | undefined {
  if (/^arn:(?!aws:)/.test(arn)) throw validationError("Invalid ARN partition");
  if (!/^arn:aws:iam::(\d{12}|aws):policy\/.+$/.test(arn)) {
    throw validationError(`ARN ${arn} is not valid.`);
  }
  return isAwsManaged(arn) ? awsManagedPolicy(arn) : findPolicy(db, accountId, arn);
}

/** "AWS service role policies can only be attached to the service-linked role for that service." */
export function isOfServiceRole({ arn, path }: ManagedPolicy): boolean {
  return isAwsManaged(arn) && path.startsWith("/aws-service-role/");
}

/** Throws NoSuchEntity, or ValidationError for what is not a policy's ARN. */
export async function requiredPolicy(db: Database, accountId: string, arn: string): Promise<ManagedPolicy> {
  const policy = await findAnyPolicy(db, accountId, arn);
  if (!policy) throw policyNotFound(arn);
  return policy;
}

/** Throws NoSuchEntity, or AccessDenied for a policy of AWS's, which nobody can change. */
export function customerPolicy(db: Database, accountId: string, arn: string): Promise<ManagedPolicy> {
  if (isAwsManaged(arn)) throw accessDenied("Policy is outside your own account.");
  return requiredPolicy(db, accountId, arn);
}

/** The authorization of an operation about one managed policy. */
export function aboutPolicy<I extends { PolicyArn: string | undefined }>(
  action: string,
  context?: (input: I, call: Call) => ReturnType<NonNullable<Authorization<I>["context"]>>,
): Authorization<I> {
  return { action: `iam:${action}`, resources: (input) => [input.PolicyArn!], ...(context && { context }) };
}
