/** How much of everything an account may have: AWS's defaults, which nobody raises here. */
import type { Database } from "#store/database.ts";
import { overQuota } from "./errors.ts";
import type { EntityKind } from "./model.ts";
import { countEntities, EVERYTHING } from "./store/entities.ts";
import { listInstanceProfiles } from "./store/instance-profiles.ts";
import { listPolicies } from "./store/managed-policies.ts";

/** By their names in GetAccountSummary. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const QUOTAS = {
  AccessKeysPerUserQuota: 2,
  AssumeRolePolicySizeQuota: 2048,
  AttachedPoliciesPerGroupQuota: 10,
  AttachedPoliciesPerRoleQuota: 10,
  AttachedPoliciesPerUserQuota: 10,
  GroupPolicySizeQuota: 5120,
  GroupsPerUserQuota: 10,
  GroupsQuota: 300,
  InstanceProfilesQuota: 1000,
  PoliciesQuota: 1500,
  PolicySizeQuota: 6144,
  PolicyVersionsInUseQuota: 10_000,
  RolePolicySizeQuota: 10_240,
  RolesQuota: 1000,
  ServerCertificatesQuota: 20,
  SigningCertificatesPerUserQuota: 2,
  UserPolicySizeQuota: 2048,
  UsersQuota: 5000,
  VersionsPerPolicyQuota: 5,
};

const OF_ENTITIES: Readonly<Record<EntityKind, readonly [name: string, value: number]>> = {
  user: ["UsersPerAccount", QUOTAS.UsersQuota],
  group: ["GroupsPerAccount", QUOTAS.GroupsQuota],
  role: ["RolesPerAccount", QUOTAS.RolesQuota],
};

/**
 * Throws LimitExceeded. Not for service-linked roles: they "count toward your IAM roles in an AWS account limit, but if you have
 * reached your limit, you can still create service-linked roles".
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html#create-service-linked-role
 */
export async function requireRoomFor(trx: Database, accountId: string, kind: EntityKind): Promise<void> {
  const [name, value] = OF_ENTITIES[kind];
  if ((await countEntities(trx, accountId, kind)) >= value) throw overQuota(name, value);
}

/** Throws LimitExceeded. */
export async function requireRoomForPolicy(trx: Database, accountId: string): Promise<void> {
  const policies = await listPolicies(trx, accountId, "/", EVERYTHING);
  if (policies.length >= QUOTAS.PoliciesQuota) throw overQuota("PoliciesPerAccount", QUOTAS.PoliciesQuota);
}

/** Throws LimitExceeded. */
export async function requireRoomForInstanceProfile(trx: Database, accountId: string): Promise<void> {
  const profiles = await listInstanceProfiles(trx, accountId, "/", EVERYTHING);
  if (profiles.length >= QUOTAS.InstanceProfilesQuota) {
    throw overQuota("InstanceProfilesPerAccount", QUOTAS.InstanceProfilesQuota);
  }
}
