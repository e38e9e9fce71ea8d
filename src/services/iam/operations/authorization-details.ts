/** The account's users, groups, roles and policies at once. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { awsManagedPolicy, isAwsManaged } from "../aws-managed-policies.ts";
import {
  type Entity,
  encodedDocument,
  type ManagedPolicy,
  nameOfArn,
  toGroup,
  toRole,
  toRoleLastUsed,
  toUser,
} from "../model.ts";
import { latestAccess } from "../store/accesses.ts";
import { findEntities, groupsOfUser, keyOf, listEntities } from "../store/entities.ts";
import { listInlinePolicies } from "../store/inline-policies.ts";
import { profilesOfRole } from "../store/instance-profiles.ts";
import { listAttachments, listPolicies } from "../store/managed-policies.ts";
import { toInstanceProfile } from "./instance-profile-view.ts";
import { toPolicy, toVersion, type Uses, usesOf, versionsOf } from "./policy-view.ts";
import { pageOf } from "./support.ts";

const EVERYTHING = { after: undefined, limit: Number.MAX_SAFE_INTEGER };

type Item =
  | { readonly type: "User" | "Group" | "Role"; readonly entity: Entity }
  | { readonly type: "LocalManagedPolicy" | "AWSManagedPolicy"; readonly policy: ManagedPolicy };

/** A page holds items of all types together. Of AWS's policies those are listed that the account uses. */
export const GetAccountAuthorizationDetails: OperationOf<sdk.GetAccountAuthorizationDetailsCommand> = {
  authorize: { action: "iam:GetAccountAuthorizationDetails", resources: () => ["*"] },
  async run(input, call) {
    const uses = await usesOf(call);
    const all = await itemsOf(call, uses);
    const wanted = all.filter(({ type }) => input.Filter === undefined || input.Filter.includes(type));
    const { items, ...rest } = await pageOf(input, wanted, placeOf);
    const details = {
      UserDetailList: [] as sdk.UserDetail[],
      GroupDetailList: [] as sdk.GroupDetail[],
      RoleDetailList: [] as sdk.RoleDetail[],
      Policies: [] as sdk.ManagedPolicyDetail[],
    };
    for (const item of items) {
      if ("policy" in item) details.Policies.push(await policyDetail(call, item.policy, uses));
      else if (item.type === "User") details.UserDetailList.push(await userDetail(call, item.entity));
      else if (item.type === "Group") details.GroupDetailList.push(await groupDetail(call, item.entity));
      else details.RoleDetailList.push(await roleDetail(call, item.entity));
    }
    return { ...details, ...rest };
  },
};

async function itemsOf({ db, accountId }: Call, { attached, boundaries }: Uses): Promise<Item[]> {
  const used = new Set([...attached, ...boundaries].map(({ arn }) => arn).filter(isAwsManaged));
  const ofAws = Array.from(used, awsManagedPolicy).filter((policy) => policy !== undefined);
  const entities = async (type: "User" | "Group" | "Role", kind: Entity["kind"]): Promise<Item[]> =>
    (await listEntities(db, accountId, kind, "/", EVERYTHING)).map((entity) => ({ type, entity }));
  return [
    ...(await entities("User", "user")),
    ...(await entities("Group", "group")),
    ...(await entities("Role", "role")),
    ...(await listPolicies(db, accountId, "/", EVERYTHING)).map((policy) => ({
      type: "LocalManagedPolicy" as const,
      policy,
    })),
    ...ofAws.map((policy) => ({ type: "AWSManagedPolicy" as const, policy })),
  ];
}

/** Users, groups, roles, then policies, each in the order of their names. */
function placeOf(item: Item): string {
  const order = ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"].indexOf(item.type);
  return `${order}${"policy" in item ? item.policy.arn : keyOf(item.entity.name)}`;
}

/** What users, groups and roles have in common; a list of policies has each kind's own name. */
async function policiesOf({ db }: Call, entity: Entity) {
  const inline = await listInlinePolicies(db, entity);
  const attached = await listAttachments(db, entity);
  return {
    inline: inline.map(({ name, document }) => ({ PolicyName: name, PolicyDocument: encodedDocument(document) })),
    managed: attached.map((arn) => ({ PolicyName: nameOfArn(arn), PolicyArn: arn })),
  };
}

async function userDetail(call: Call, user: Entity): Promise<sdk.UserDetail> {
  const { inline, managed } = await policiesOf(call, user);
  const groups = await findEntities(
    call.db,
    call.accountId,
    "group",
    await groupsOfUser(call.db, call.accountId, user.name),
  );
  const { PasswordLastUsed, ...shown } = toUser(user, "full");
  return {
    ...shown,
    UserPolicyList: inline,
    GroupList: groups.map(({ name }) => name),
    AttachedManagedPolicies: managed,
  };
}

async function groupDetail(call: Call, group: Entity): Promise<sdk.GroupDetail> {
  const { inline, managed } = await policiesOf(call, group);
  return { ...toGroup(group), GroupPolicyList: inline, AttachedManagedPolicies: managed };
}

async function roleDetail(call: Call, role: Entity): Promise<sdk.RoleDetail> {
  const { inline, managed } = await policiesOf(call, role);
  const { Description, MaxSessionDuration, ...shown } = toRole(role, "full");
  const profiles: sdk.InstanceProfile[] = [];
  for (const profile of await profilesOfRole(call.db, call.accountId, role.name)) {
    profiles.push(await toInstanceProfile(call, profile, "full"));
  }
  return {
    ...shown,
    InstanceProfileList: profiles,
    RolePolicyList: inline,
    AttachedManagedPolicies: managed,
    RoleLastUsed: toRoleLastUsed(await latestAccess(call.db, role.id, call.now)),
  };
}

async function policyDetail(call: Call, policy: ManagedPolicy, uses: Uses): Promise<sdk.ManagedPolicyDetail> {
  const { Tags, ...shown } = toPolicy(policy, uses, "full");
  const versions = await versionsOf(call.db, call.accountId, policy);
  return {
    ...shown,
    PolicyVersionList: versions.map((version) => ({
      Document: encodedDocument(version.document),
      ...toVersion(version),
    })),
  };
}
