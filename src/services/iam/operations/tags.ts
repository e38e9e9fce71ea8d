/** Tags of users, roles and customer managed policies. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import type { EntityKind, ManagedPolicy, Tags } from "../model.ts";
import { updateEntity } from "../store/entities.ts";
import { updatePolicyTags } from "../store/managed-policies.ts";
import { entityTags, requestTags, resourceTags } from "../tag-rules.ts";
import { aboutPolicy, customerPolicy, requiredPolicy } from "./policy-lookup.ts";
import { about, changing, existing, refOf, tagPage } from "./support.ts";

/** Of service-linked roles too, which cannot have any "during creation". */
async function changeTags(call: Call, kind: EntityKind, name: string, change: (tags: Tags) => Tags): Promise<object> {
  return changing(call, async (trx) => {
    const entity = await existing(trx, refOf(call, kind, name));
    await updateEntity(trx, { ...entity, tags: change(entity.tags) });
    return {};
  });
}

async function changePolicyTags(call: Call, arn: string, change: (tags: Tags) => Tags): Promise<object> {
  return changing(call, async (trx) => {
    const policy = await customerPolicy(trx, call.accountId, arn);
    const changed: ManagedPolicy = { ...policy, tags: change(policy.tags) };
    await updatePolicyTags(trx, call.accountId, changed);
    return {};
  });
}

export const TagRole: OperationOf<sdk.TagRoleCommand> = {
  authorize: about(
    "role",
    "TagRole",
    (input) => input.RoleName!,
    (input) => requestTags(input.Tags),
  ),
  run: (input, call) => changeTags(call, "role", input.RoleName!, (tags) => entityTags.added(tags, input.Tags)),
};

export const UntagRole: OperationOf<sdk.UntagRoleCommand> = {
  authorize: about(
    "role",
    "UntagRole",
    (input) => input.RoleName!,
    (input) => ({ "aws:tagkeys": input.TagKeys }),
  ),
  run: (input, call) => changeTags(call, "role", input.RoleName!, (tags) => entityTags.without(tags, input.TagKeys!)),
};

export const ListRoleTags: OperationOf<sdk.ListRoleTagsCommand> = {
  authorize: about("role", "ListRoleTags", (input) => input.RoleName!),
  run: async (input, call) => tagPage(input, (await existing(call.db, refOf(call, "role", input.RoleName!))).tags),
};

export const TagUser: OperationOf<sdk.TagUserCommand> = {
  authorize: about(
    "user",
    "TagUser",
    (input) => input.UserName!,
    (input) => requestTags(input.Tags),
  ),
  run: (input, call) => changeTags(call, "user", input.UserName!, (tags) => entityTags.added(tags, input.Tags)),
};

export const UntagUser: OperationOf<sdk.UntagUserCommand> = {
  authorize: about(
    "user",
    "UntagUser",
    (input) => input.UserName!,
    (input) => ({ "aws:tagkeys": input.TagKeys }),
  ),
  run: (input, call) => changeTags(call, "user", input.UserName!, (tags) => entityTags.without(tags, input.TagKeys!)),
};

export const ListUserTags: OperationOf<sdk.ListUserTagsCommand> = {
  authorize: about("user", "ListUserTags", (input) => input.UserName!),
  run: async (input, call) => tagPage(input, (await existing(call.db, refOf(call, "user", input.UserName!))).tags),
};

export const TagPolicy: OperationOf<sdk.TagPolicyCommand> = {
  authorize: aboutPolicy("TagPolicy", (input) => requestTags(input.Tags)),
  run: (input, call) => changePolicyTags(call, input.PolicyArn!, (tags) => resourceTags.added(tags, input.Tags)),
};

export const UntagPolicy: OperationOf<sdk.UntagPolicyCommand> = {
  authorize: aboutPolicy("UntagPolicy", (input) => ({ "aws:tagkeys": input.TagKeys })),
  run: (input, call) => changePolicyTags(call, input.PolicyArn!, (tags) => resourceTags.without(tags, input.TagKeys!)),
};

export const ListPolicyTags: OperationOf<sdk.ListPolicyTagsCommand> = {
  authorize: aboutPolicy("ListPolicyTags"),
  run: async (input, call) => tagPage(input, (await requiredPolicy(call.db, call.accountId, input.PolicyArn!)).tags),
};
