/** Instance profiles. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html */
import type * as sdk from "@aws-sdk/client-iam";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys, OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { alreadyExists, deleteConflict, noSuchEntity, notFound, overQuota } from "../errors.ts";
import { newId } from "../ids.ts";
import { arnOf as arnOfEntity, type InstanceProfile, type Tags } from "../model.ts";
import { requireRoomForInstanceProfile } from "../quotas.ts";
import { keyOf } from "../store/entities.ts";
import {
  deleteInstanceProfile,
  findInstanceProfile,
  insertInstanceProfile,
  listInstanceProfiles,
  profilesOfRole,
  updateProfileRole,
  updateProfileTags,
} from "../store/instance-profiles.ts";
import { requestTags, resourceTags } from "../tag-rules.ts";
import { toInstanceProfile } from "./instance-profile-view.ts";
import {
  about,
  aboutNamed,
  atPath,
  changing,
  existing,
  madeAtPath,
  modifiable,
  page,
  pageOf,
  refOf,
  tagPage,
} from "./support.ts";

async function required(db: Database, call: Call, name: string): Promise<InstanceProfile> {
  const profile = await findInstanceProfile(db, call.accountId, name);
  if (!profile) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
  return profile;
}

function aboutProfile<I extends { InstanceProfileName: string | undefined }>(
  action: string,
  context?: (input: NoInfer<I>) => ContextKeys,
): Authorization<I> {
  const find = (call: Call, name: string) => findInstanceProfile(call.db, call.accountId, name);
  return aboutNamed("instance-profile", find, action, (input) => input.InstanceProfileName!, context);
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
      tags: resourceTags.checked(input.Tags),
    };
    await changing(call, async (trx) => {
      if (await findInstanceProfile(trx, call.accountId, profile.name)) {
        throw alreadyExists(`Instance Profile ${profile.name} already exists.`);
      }
      await requireRoomForInstanceProfile(trx, call.accountId);
      await insertInstanceProfile(trx, profile);
    });
    return { InstanceProfile: await toInstanceProfile(call, profile, "full") };
  },
};

export const GetInstanceProfile: OperationOf<sdk.GetInstanceProfileCommand> = {
  authorize: aboutProfile("GetInstanceProfile"),
  async run(input, call) {
    const profile = await required(call.db, call, input.InstanceProfileName!);
    return { InstanceProfile: await toInstanceProfile(call, profile, "full") };
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
    return {
      InstanceProfiles: await Promise.all(items.map((profile) => toInstanceProfile(call, profile, "listed"))),
      ...rest,
    };
  },
};

export const ListInstanceProfilesForRole: OperationOf<sdk.ListInstanceProfilesForRoleCommand> = {
  authorize: about("role", "ListInstanceProfilesForRole", (input) => input.RoleName!),
  async run(input, call) {
    const role = await existing(call.db, refOf(call, "role", input.RoleName!));
    const profiles = await profilesOfRole(call.db, call.accountId, role.name);
    const { items, ...rest } = await pageOf(input, profiles, ({ name }) => keyOf(name));
    return {
      InstanceProfiles: await Promise.all(items.map((profile) => toInstanceProfile(call, profile, "full"))),
      ...rest,
    };
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

/**
 * Whoever adds a role to a profile hands it to EC2. Which instances will have it is not known, so policies see all of the
 * account: "The ARN value must be arn:aws:ec2:*:CallerAccountId:instance/*".
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */
export const AddRoleToInstanceProfile: OperationOf<sdk.AddRoleToInstanceProfileCommand> = {
  authorize: aboutProfile("AddRoleToInstanceProfile"),
  async run(input, call) {
    const role = await modifiable(call.db, refOf(call, "role", input.RoleName!));
    await requireAccess(call, {
      action: "iam:PassRole",
      resource: arnOfEntity(role),
      context: {
        "iam:passedtoservice": "ec2.amazonaws.com",
        "iam:associatedresourcearn": `arn:aws:ec2:*:${call.accountId}:instance/*`,
      },
    });
    await changing(call, async (trx) => {
      const profile = await required(trx, call, input.InstanceProfileName!);
      // Another of the name by now is not the one that was allowed to be passed.
      if ((await existing(trx, role)).id !== role.id) throw notFound("role", role.name);
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

export const TagInstanceProfile: OperationOf<sdk.TagInstanceProfileCommand> = {
  authorize: aboutProfile("TagInstanceProfile", (input) => requestTags(input.Tags)),
  run: (input, call) => changeTags(call, input.InstanceProfileName!, (tags) => resourceTags.added(tags, input.Tags)),
};

export const UntagInstanceProfile: OperationOf<sdk.UntagInstanceProfileCommand> = {
  authorize: aboutProfile("UntagInstanceProfile", (input) => ({ "aws:tagkeys": input.TagKeys })),
  run: (input, call) =>
    changeTags(call, input.InstanceProfileName!, (tags) => resourceTags.without(tags, input.TagKeys!)),
};

export const ListInstanceProfileTags: OperationOf<sdk.ListInstanceProfileTagsCommand> = {
  authorize: aboutProfile("ListInstanceProfileTags"),
  run: async (input, call) => tagPage(input, (await required(call.db, call, input.InstanceProfileName!)).tags),
};

function changeTags(call: Call, name: string, change: (tags: Tags) => Tags): Promise<object> {
  return changing(call, async (trx) => {
    const profile = await required(trx, call, name);
    await updateProfileTags(trx, profile, change(profile.tags));
    return {};
  });
}
