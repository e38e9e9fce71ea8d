/** How the API shows instance profiles. */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import { type InstanceProfile, iamArn, toRole, toTagList } from "../model.ts";
import { findEntities } from "../store/entities.ts";

export function arnOf(profile: InstanceProfile): string {
  return iamArn(profile.accountId, "instance-profile", profile.path, profile.name);
}

/** Lists leave tags out, as AWS's do. */
export async function toInstanceProfile(
  call: Call,
  profile: InstanceProfile,
  detail: "listed" | "full",
): Promise<sdk.InstanceProfile> {
  const roles = profile.roleName ? await findEntities(call.db, profile.accountId, "role", [profile.roleName]) : [];
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: arnOf(profile),
    CreateDate: profile.createdAt,
    Roles: roles.map((role) => toRole(role, "listed")),
    ...(detail === "full" && { Tags: toTagList(profile.tags) }),
  };
}
