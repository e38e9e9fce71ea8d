/** What policy documents must be when they are put. */
import {
  MalformedPolicyError,
  type PolicyDocument,
  type PolicyKind,
  parsePolicy,
} from "#gateway/authz/policy-document.ts";
import { invalidInput, malformedPolicyDocument, overQuota } from "./errors.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_MANAGED_POLICY = 6144;
const MAX_TRUST_POLICY = 2048;

/** Throws MalformedPolicyDocument in the words of the parser. */
export function checkedPolicy(document: string, kind: PolicyKind): PolicyDocument {
  try {
    return parsePolicy(document, kind);
  } catch (error) {
    if (error instanceof MalformedPolicyError) throw malformedPolicyDocument(error.message);
    throw error;
  }
}

/** A policy that is looked into, not put. Throws InvalidInput in the words of the parser. */
export function readPolicy(document: string, kind: PolicyKind): PolicyDocument {
  try {
    return parsePolicy(document, kind);
  } catch (error) {
    if (error instanceof MalformedPolicyError) throw invalidInput(error.message);
    throw error;
  }
}

/** The quotas for policies do not count white space. */
export function policySize(document: string): number {
  return document.replace(/\s/g, "").length;
}

/**
 * Managed policies came after the language's newer version and are all of it:
 * https://github.com/Meteor-Community-Packages/Meteor-CollectionFS/issues/630
 * Throws MalformedPolicyDocument or LimitExceeded.
 */
export function checkedManagedPolicy(document: string): void {
  const { version } = checkedPolicy(document, "identity");
  if (version !== "2012-10-17") {
    throw malformedPolicyDocument("Policy document must be version 2012-10-17 or greater.");
  }
  if (policySize(document) > MAX_MANAGED_POLICY) throw overQuota("PolicySize", MAX_MANAGED_POLICY);
}

/** Throws MalformedPolicyDocument or LimitExceeded. */
export function checkedTrustPolicy(document: string): void {
  checkedPolicy(document, "trust");
  if (policySize(document) > MAX_TRUST_POLICY) throw overQuota("ACLSizePerRole", MAX_TRUST_POLICY);
}
