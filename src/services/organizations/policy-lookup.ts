/** Policies by their ids, AWS's and the organization's own, and how operations about them are authorized. */
import type * as sdk from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import type { Scope } from "./administration.ts";
import { invalidInput, policyNotFound, policyTypeNotAvailable } from "./errors.ts";
import { type Organization, type Policy, policyArn } from "./model.ts";
import { awsPolicy } from "./policy-types.ts";
import { listOwnPolicies, type OwnPolicy } from "./store/policies.ts";

export async function findPolicy(db: Database, organization: Organization, id: string): Promise<Policy | undefined> {
  return awsPolicy(id) ?? (await listOwnPolicies(db, organization.id, { id }))[0];
}

/** Throws PolicyNotFoundException. */
export async function requiredPolicy({ db, organization }: Scope, id: string): Promise<Policy> {
  const policy = await findPolicy(db, organization, id);
  if (!policy) throw policyNotFound();
  return policy;
}

/** Throws PolicyNotFoundException, or InvalidInputException for AWS's own. */
export async function changeablePolicy(scope: Scope, id: string): Promise<OwnPolicy> {
  const { organizationId, ...policy } = await requiredPolicy(scope, id);
  if (organizationId === undefined) throw invalidInput("IMMUTABLE_POLICY");
  return { ...policy, organizationId };
}

/** Throws PolicyTypeNotAvailableForOrganizationException. */
export function requireAllFeatures({ featureSet }: Organization): void {
  if (featureSet !== "ALL") throw policyTypeNotAvailable();
}

type About = { PolicyId: string | undefined };

export async function policyArns({ PolicyId }: About, { db, organization }: Scope): Promise<readonly string[]> {
  const policy = await findPolicy(db, organization, PolicyId!);
  return [policy ? policyArn(organization, policy) : "*"];
}

export async function policyContext({ PolicyId }: About, { db, organization }: Scope) {
  return typeContext((await findPolicy(db, organization, PolicyId!))?.type);
}

/** The condition key `organizations:PolicyType`. */
export function typeContext(type: sdk.PolicyType | sdk.EffectivePolicyType | undefined) {
  return { "organizations:policytype": type };
}
