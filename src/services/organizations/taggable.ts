/** What has tags in an organization: its root, OUs, accounts, policies, resource policy and transfers. */
import type { Call } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";
import type { ResourceTags } from "#gateway/service.ts";
import type { Scope } from "./administration.ts";
import { Hierarchy } from "./hierarchy.ts";
import { arnOf, entityArn, policyArn, type Tags } from "./model.ts";
import { typeContext } from "./policy-lookup.ts";
import { putAccount } from "./store/accounts.ts";
import { findOrganization, findResourcePolicy, putResourcePolicy, updateOrganization } from "./store/organizations.ts";
import { listOwnPolicies, updatePolicy } from "./store/policies.ts";
import { listTransfers, updateTransfer } from "./store/transfers.ts";
import { updateUnit } from "./store/units.ts";
import { directionOf, transferArn, transferContext } from "./transfers.ts";

export interface Taggable {
  readonly arn: string;
  readonly tags: Tags;
  /** What it adds to the condition keys of what is done with its tags. */
  readonly context?: ContextKeys;
  save(tags: Tags): Promise<void>;
}

type Place = Pick<Scope, "db" | "organization">;

/** undefined for what is not there, or has no tags. */
export async function taggable(id: string, { db, organization }: Place): Promise<Taggable | undefined> {
  if (id.startsWith("rp-")) {
    const policy = await findResourcePolicy(db, organization.id);
    if (policy?.id !== id) return undefined;
    return {
      arn: arnOf(organization, `resourcepolicy/${policy!.id}`),
      tags: policy!.tags,
      save: (tags) => putResourcePolicy(db, organization.id, { ...policy!, tags }),
    };
  }
  if (id.startsWith("rt-")) {
    const [transfer] = await listTransfers(db, { id });
    const direction = transfer && directionOf(transfer, organization);
    if (!direction) return undefined;
    return {
      arn: transferArn(organization, direction, id),
      tags: transfer.tags[direction],
      context: transferContext(direction),
      save: (tags) => updateTransfer(db, { ...transfer, tags: { ...transfer.tags, [direction]: tags } }),
    };
  }
  if (id.startsWith("p-")) {
    const [policy] = await listOwnPolicies(db, organization.id, { id: id });
    if (!policy) return undefined;
    const save = (tags: Tags) => updatePolicy(db, { ...policy, tags });
    return { arn: policyArn(organization, policy), tags: policy.tags, context: typeContext(policy.type), save };
  }
  const arn = entityArn(organization, id);
  if (id === organization.rootId) {
    const save = (tags: Tags) => updateOrganization(db, { ...organization, rootTags: tags });
    return { arn, tags: organization.rootTags, save };
  }
  const tree = await Hierarchy.of(db, organization);
  const unit = tree.units.get(id);
  if (unit) return { arn, tags: unit.tags, save: (tags) => updateUnit(db, { ...unit, tags }) };
  const account = tree.accounts.get(id);
  return account && { arn, tags: account.tags, save: (tags) => putAccount(db, { ...account, tags }) };
}

/** `aws:ResourceTag/…` */
export async function resourceTags(arn: string, { db }: Call): Promise<ResourceTags | undefined> {
  const [, organizationId, id] =
    /^arn:aws:organizations::\d{12}:[a-z]+\/(o-[a-z0-9]+)\/(?:.+\/)?([^/]+)$/.exec(arn) ?? [];
  const organization = organizationId && (await findOrganization(db, organizationId));
  const found = organization && (await taggable(id!, { db, organization }));
  return found ? Object.fromEntries(found.tags) : undefined;
}
