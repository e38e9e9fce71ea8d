/** Types of policies, and what policies of a type come to. https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, type Scope } from "../administration.ts";
import { effectivePolicy } from "../effective-policy.ts";
import {
  accessDenied,
  effectivePolicyNotFound,
  invalidInput,
  policyTypeAlreadyEnabled,
  policyTypeNotEnabled,
  rootNotFound,
  targetNotFound,
} from "../errors.ts";
import { Hierarchy } from "../hierarchy.ts";
import { attachAwsPolicies } from "../membership-changes.ts";
import { accountArn, entityArn, type Organization, toRoot } from "../model.ts";
import { requireAllFeatures, typeContext } from "../policy-lookup.ts";
import { updateOrganization } from "../store/organizations.ts";
import { deleteAttachments, listAttachments, listOwnPolicies } from "../store/policies.ts";
import { listDelegations } from "../store/services.ts";

type About = { RootId: string | undefined; PolicyType: sdk.PolicyType | undefined };

const changesTypes = {
  callers: "delegates",
  writes: true,
  resources: ({ RootId }: About, { organization }: Scope) => [entityArn(organization, RootId!)],
  context: ({ PolicyType }: About) => typeContext(PolicyType),
} as const;

/** AWS's own policies of the type are attached to everything. */
export const EnablePolicyType = organizationOperation<sdk.EnablePolicyTypeCommand>({
  action: "EnablePolicyType",
  ...changesTypes,
  async run(input, { db, organization }) {
    const type = input.PolicyType!;
    if (input.RootId !== organization.rootId) throw rootNotFound();
    requireAllFeatures(organization);
    if (organization.policyTypes.includes(type)) throw policyTypeAlreadyEnabled();
    const changed: Organization = { ...organization, policyTypes: [...organization.policyTypes, type] };
    await updateOrganization(db, changed);
    const added = { ...organization, policyTypes: [type] };
    await attachAwsPolicies(db, added, (await Hierarchy.of(db, organization)).entityIds());
    return { Root: toRoot(changed) };
  },
});

/** "All policies of the specified type are automatically detached from all entities. The policies are not deleted." */
export const DisablePolicyType = organizationOperation<sdk.DisablePolicyTypeCommand>({
  action: "DisablePolicyType",
  ...changesTypes,
  async run(input, { db, organization }) {
    const type = input.PolicyType!;
    if (input.RootId !== organization.rootId) throw rootNotFound();
    if (!organization.policyTypes.includes(type)) throw policyTypeNotEnabled();
    const policyTypes = organization.policyTypes.filter((enabled) => enabled !== type);
    await deleteAttachments(db, organization.id, { type });
    await updateOrganization(db, { ...organization, policyTypes });
    return { Root: toRoot({ ...organization, policyTypes }) };
  },
});

/** Of the caller's account, or of any where the caller may read the organization. */
export const DescribeEffectivePolicy = organizationOperation<sdk.DescribeEffectivePolicyCommand>({
  action: "DescribeEffectivePolicy",
  callers: "everybody",
  resources: ({ TargetId }, { call, organization }) => [accountArn(organization, TargetId ?? call.accountId)],
  context: ({ PolicyType }) => typeContext(PolicyType),
  async run(input, scope) {
    const { call, db, organization } = scope;
    const type = input.PolicyType!;
    const targetId = input.TargetId ?? call.accountId;
    if (targetId !== call.accountId && !(await isReader(scope))) throw accessDenied();
    if (!/^\d{12}$/.test(targetId)) throw invalidInput("TARGET_NOT_SUPPORTED");
    const tree = await Hierarchy.of(db, organization);
    if (!tree.accounts.has(targetId)) throw targetNotFound();
    if (!organization.policyTypes.includes(type)) throw effectivePolicyNotFound();
    const lineage = tree.lineageOf(targetId);
    const attachments = await listAttachments(db, organization.id, { targetIds: lineage, type });
    const policies = new Map(
      (await listOwnPolicies(db, organization.id, { type })).map((policy) => [policy.id, policy]),
    );
    const content = effectivePolicy(
      lineage.map((level) =>
        attachments.filter((item) => item.targetId === level).map(({ policyId }) => policies.get(policyId)!.content),
      ),
    );
    if (content === undefined) throw effectivePolicyNotFound();
    const updates = attachments.map(({ policyId }) => policies.get(policyId)!.updatedAt.getTime());
    return {
      EffectivePolicy: {
        PolicyContent: content,
        LastUpdatedTimestamp: new Date(Math.max(...updates)),
        TargetId: targetId,
        PolicyType: type,
      },
    };
  },
});

async function isReader({ call, db, organization }: Scope): Promise<boolean> {
  if (call.accountId === organization.managementAccountId) return true;
  return (await listDelegations(db, organization.id, { accountId: call.accountId })).length > 0;
}
