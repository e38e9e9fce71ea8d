/** Tags of roots, OUs, accounts and policies. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, type Scope } from "../administration.ts";
import { targetNotFound } from "../errors.ts";
import { toTagList } from "../model.ts";
import { pageOf } from "../paging.ts";
import { awsPolicy } from "../policy-types.ts";
import { checkedTags, merged, requestTags, withoutKeys } from "../tag-rules.ts";
import { type Taggable, taggable } from "../taggable.ts";

type About = { ResourceId: string | undefined };

/** Throws TargetNotFoundException. */
async function required(about: About, scope: Scope): Promise<Taggable> {
  const found = await taggable(about.ResourceId!, scope);
  if (!found) throw targetNotFound();
  return found;
}

async function arns(about: About, scope: Scope): Promise<readonly string[]> {
  return [(await taggable(about.ResourceId!, scope))?.arn ?? "*"];
}

async function contextOf(about: About, scope: Scope) {
  return (await taggable(about.ResourceId!, scope))?.context ?? {};
}

export const TagResource = organizationOperation<sdk.TagResourceCommand>({
  action: "TagResource",
  callers: "delegates",
  writes: true,
  resources: arns,
  context: async (input, scope) => ({ ...(await contextOf(input, scope)), ...requestTags(input.Tags) }),
  async run(input, scope) {
    const tags = checkedTags(input.Tags);
    const found = await required(input, scope);
    await found.save(merged(found.tags, tags));
    return {};
  },
});

export const UntagResource = organizationOperation<sdk.UntagResourceCommand>({
  action: "UntagResource",
  callers: "delegates",
  writes: true,
  resources: arns,
  context: async (input, scope) => ({ ...(await contextOf(input, scope)), "aws:tagkeys": input.TagKeys }),
  async run(input, scope) {
    const found = await required(input, scope);
    await found.save(withoutKeys(found.tags, input.TagKeys!));
    return {};
  },
});

export const ListTagsForResource = organizationOperation<sdk.ListTagsForResourceCommand>({
  action: "ListTagsForResource",
  callers: "readers",
  resources: arns,
  context: contextOf,
  async run(input, scope) {
    if (awsPolicy(input.ResourceId!)) return { Tags: [] };
    const { items, ...rest } = pageOf(input, toTagList((await required(input, scope)).tags), ({ Key }) => Key!);
    return { Tags: items, ...rest };
  },
});
