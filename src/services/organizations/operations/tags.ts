/** Tags of roots, OUs, accounts and policies. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, type Scope } from "../administration.ts";
import { targetNotFound } from "../errors.ts";
import { Hierarchy } from "../hierarchy.ts";
import { arnOf, entityArn, policyArn, type Tags, toTagList } from "../model.ts";
import { pageOf } from "../paging.ts";
import { awsPolicy } from "../policy-types.ts";
import { putAccount } from "../store/accounts.ts";
import { findResourcePolicy, putResourcePolicy, updateOrganization } from "../store/organizations.ts";
import { listOwnPolicies, updatePolicy } from "../store/policies.ts";
import { updateUnit } from "../store/units.ts";
import { checkedTags, merged, requestTags, resourceTags, withoutKeys } from "../tag-rules.ts";

interface Taggable {
  readonly arn: string;
  readonly tags: Tags;
  readonly policyType?: sdk.PolicyType;
  save(tags: Tags): Promise<void>;
}

type About = { ResourceId: string | undefined };

async function taggable({ ResourceId: id }: About, { db, organization }: Scope): Promise<Taggable | undefined> {
  if (id!.startsWith("rp-")) {
    const policy = await findResourcePolicy(db, organization.id);
    if (policy?.id !== id) return undefined;
    return {
      arn: arnOf(organization, `resourcepolicy/${policy!.id}`),
      tags: policy!.tags,
      save: (tags) => putResourcePolicy(db, organization.id, { ...policy!, tags }),
    };
  }
  if (id!.startsWith("p-")) {
    const [policy] = await listOwnPolicies(db, organization.id, { id: id! });
    if (!policy) return undefined;
    const save = (tags: Tags) => updatePolicy(db, { ...policy, tags });
    return { arn: policyArn(organization, policy), tags: policy.tags, policyType: policy.type, save };
  }
  const arn = entityArn(organization, id!);
  if (id === organization.rootId) {
    const save = (tags: Tags) => updateOrganization(db, { ...organization, rootTags: tags });
    return { arn, tags: organization.rootTags, save };
  }
  const tree = await Hierarchy.of(db, organization);
  const unit = tree.units.get(id!);
  if (unit) return { arn, tags: unit.tags, save: (tags) => updateUnit(db, { ...unit, tags }) };
  const account = tree.accounts.get(id!);
  return account && { arn, tags: account.tags, save: (tags) => putAccount(db, { ...account, tags }) };
}

/** Throws TargetNotFoundException. */
async function required(about: About, scope: Scope): Promise<Taggable> {
  const found = await taggable(about, scope);
  if (!found) throw targetNotFound();
  return found;
}

async function arns(about: About, scope: Scope): Promise<readonly string[]> {
  return [(await taggable(about, scope))?.arn ?? "*"];
}

async function contextOf(about: About, scope: Scope) {
  const found = await taggable(about, scope);
  return found ? { ...resourceTags(found.tags), "organizations:policytype": found.policyType } : {};
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
