/** Instance profiles. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html */
import type * as sdk from "@aws-sdk/client-iam";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { alreadyExists, deleteConflict, noSuchEntity, overQuota } from "../errors.ts";
import { newId } from "../ids.ts";
import { arnOf as arnOfEntity, type InstanceProfile, iamArn, toRole, toTagList } from "../model.ts";
import { findEntities, keyOf } from "../store/entities.ts";
import {
  deleteInstanceProfile,
  findInstanceProfile,
  insertInstanceProfile,
  listInstanceProfiles,
  profilesOfRole,
  updateProfileRole,
} from "../store/instance-profiles.ts";
import { checkedTags } from "../tag-rules.ts";
import { about, atPath, changing, existing, madeAtPath, modifiable, page, pageOf, refOf } from "./support.ts";

async function required(db: Database, call: Call, name: string): Promise<InstanceProfile> {
  const profile = await findInstanceProfile(db, call.accountId, name);
  if (!profile) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
  return profile;
}

function arnOf(profile: InstanceProfile): string {
  return iamArn(profile.accountId, "instance-profile", profile.path, profile.name);
}

async function toInstanceProfile(call: Call, profile: InstanceProfile): Promise<sdk.InstanceProfile> {
  const roles = profile.roleName ? await findEntities(call.db, profile.accountId, "role", [profile.roleName]) : [];
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: arnOf(profile),
    CreateDate: profile.createdAt,
    Roles: roles.map((role) => toRole(role, "listed")),
    Tags: toTagList(profile.tags),
  };
}

function aboutProfile<I extends { InstanceProfileName: string | undefined }>(action: string): Authorization<I> {
  return {
    action: `iam:${action}`,
    async resources(input, call) {
      const name = input.InstanceProfileName!;
      const profile = await findInstanceProfile(call.db, call.accountId, name);
      return [profile ? arnOf(profile) : iamArn(call.accountId, "instance-profile", "/", name)];
    },
  };
}

export const CreateInstanceProfile: OperationOf<sdk.CreateInstanceProfileCommand> = {
  authorize: madeAtPath("instance-profile", "InstanceProfile", (input) => ({
    path: input.Path,
    name: input.InstanceProfileName!,
  })),
  async run(input, call) {
    const profile: InstanceProfile = {
      accountId: call.accountId,
      name: input.InstanceProfileName!,
      path: input.Path ?? "/",
      id: newId("instance profile"),
      createdAt: call.now,
      roleName: undefined,
      tags: checkedTags(input.Tags),
    };
    await changing(call, async (trx) => {
      if (await findInstanceProfile(trx, call.accountId, profile.name)) {
        throw alreadyExists(`Instance Profile ${profile.name} already exists.`);
      }
      await insertInstanceProfile(trx, profile);
    });
    return { InstanceProfile: await toInstanceProfile(call, profile) };
  },
};

export const GetInstanceProfile: OperationOf<sdk.GetInstanceProfileCommand> = {
  authorize: aboutProfile("GetInstanceProfile"),
  async run(input, call) {
    const profile = await required(call.db, call, input.InstanceProfileName!);
    return { InstanceProfile: await toInstanceProfile(call, profile) };
  },
};

export const ListInstanceProfiles: OperationOf<sdk.ListInstanceProfilesCommand> = {
  authorize: atPath("instance-profile", "ListInstanceProfiles", (input) => ({ path: input.PathPrefix, name: "" })),
  async run(input, call) {
    const { items, ...rest } = await page(
      input,
      (slice) => listInstanceProfiles(call.db, call.accountId, input.PathPrefix ?? "/", slice),
      ({ name }) => keyOf(name),
    );
    return { InstanceProfiles: await Promise.all(items.map((profile) => toInstanceProfile(call, profile))), ...rest };
  },
};

export const ListInstanceProfilesForRole: OperationOf<sdk.ListInstanceProfilesForRoleCommand> = {
  authorize: about("role", "ListInstanceProfilesForRole", (input) => input.RoleName!),
  async run(input, call) {
    const role = await existing(call.db, refOf(call, "role", input.RoleName!));
    const profiles = await profilesOfRole(call.db, call.accountId, role.name);
    const { items, ...rest } = await pageOf(input, profiles, ({ name }) => keyOf(name));
    return { InstanceProfiles: await Promise.all(items.map((profile) => toInstanceProfile(call, profile))), ...rest };
  },
};

export const DeleteInstanceProfile: OperationOf<sdk.DeleteInstanceProfileCommand> = {
  authorize: aboutProfile("DeleteInstanceProfile"),
  async run(input, call) {
    await changing(call, async (trx) => {
      const profile = await required(trx, call, input.InstanceProfileName!);
      if (profile.roleName !== undefined) {
        throw deleteConflict("Cannot delete entity, must remove roles from instance profile first.");
      }
      await deleteInstanceProfile(trx, profile);
    });
    return {};
  },
};

/** Whoever adds a role to a profile hands it to EC2. */
export const AddRoleToInstanceProfile: OperationOf<sdk.AddRoleToInstanceProfileCommand> = {
  authorize: aboutProfile("AddRoleToInstanceProfile"),
  async run(input, call) {
    const role = await modifiable(call.db, refOf(call, "role", input.RoleName!));
    await requireAccess(call, {
      action: "iam:PassRole",
      resource: arnOfEntity(role),
      context: { "iam:passedtoservice": "ec2.amazonaws.com" },
    });
    await changing(call, async (trx) => {
      const profile = await required(trx, call, input.InstanceProfileName!);
      if (profile.roleName !== undefined) throw overQuota("InstanceSessionsPerInstanceProfile", 1);
      await updateProfileRole(trx, profile, role.name);
    });
    return {};
  },
};

export const RemoveRoleFromInstanceProfile: OperationOf<sdk.RemoveRoleFromInstanceProfileCommand> = {
  authorize: aboutProfile("RemoveRoleFromInstanceProfile"),
  async run(input, call) {
    await changing(call, async (trx) => {
      const profile = await required(trx, call, input.InstanceProfileName!);
      const role = await existing(trx, refOf(call, "role", input.RoleName!));
      if (profile.roleName !== keyOf(role.name)) {
        throw noSuchEntity(`The role with name ${role.name} cannot be found.`);
      }
      await updateProfileRole(trx, profile, undefined);
    });
    return {};
  },
};
