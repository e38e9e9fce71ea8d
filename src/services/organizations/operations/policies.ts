/** Policies. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, requireTagging, type Scope } from "../administration.ts";
import { constraintViolation, duplicatePolicy, policyInUse } from "../errors.ts";
import { newPolicyId } from "../ids.ts";
import { arnOf, policyArn, toPolicySummary } from "../model.ts";
import { pageOf } from "../paging.ts";
import { checkPolicyContent } from "../policy-content.ts";
import {
  changeablePolicy,
  policyArns,
  policyContext,
  requireAllFeatures,
  requiredPolicy,
  typeContext,
} from "../policy-lookup.ts";
import { awsPolicies, POLICY_TYPES } from "../policy-types.ts";
import {
  deletePolicy,
  insertPolicy,
  listAttachments,
  listOwnPolicies,
  type OwnPolicy,
  updatePolicy,
} from "../store/policies.ts";
import { checkedTags, requestTags } from "../tag-rules.ts";

const changesPolicy = { callers: "delegates", writes: true, resources: policyArns, context: policyContext } as const;

async function policiesOfType({ db, organization }: Scope, type: sdk.PolicyType) {
  return [...awsPolicies(type), ...(await listOwnPolicies(db, organization.id, { type }))];
}

async function requireFreeName(scope: Scope, { id, type, name }: OwnPolicy): Promise<void> {
  const others = await policiesOfType(scope, type);
  if (others.some((other) => other.name === name && other.id !== id)) throw duplicatePolicy();
}

export const CreatePolicy = organizationOperation<sdk.CreatePolicyCommand>({
  action: "CreatePolicy",
  callers: "delegates",
  writes: true,
  resources: ({ Type }, { organization }) => [arnOf(organization, `policy/${Type!.toLowerCase()}/p-*`)],
  context: ({ Type, Tags }) => ({ ...typeContext(Type), ...requestTags(Tags) }),
  async run(input, scope) {
    const { call, db, organization } = scope;
    const tags = checkedTags(input.Tags);
    requireAllFeatures(organization);
    const policy: OwnPolicy = {
      id: newPolicyId(),
      organizationId: organization.id,
      type: input.Type!,
      name: input.Name!,
      description: input.Description!,
      content: input.Content!,
      updatedAt: call.now,
      tags,
    };
    checkPolicyContent(policy.type, policy.content);
    await requireFreeName(scope, policy);
    const ofType = await listOwnPolicies(db, organization.id, { type: policy.type });
    if (ofType.length >= POLICY_TYPES[policy.type].maxPolicies) {
      throw constraintViolation("POLICY_NUMBER_LIMIT_EXCEEDED");
    }
    await requireTagging(scope, policyArn(organization, policy), input.Tags, {
      "organizations:policytype": policy.type,
    });
    await insertPolicy(db, policy);
    return { Policy: { PolicySummary: toPolicySummary(organization, policy), Content: policy.content } };
  },
});

export const UpdatePolicy = organizationOperation<sdk.UpdatePolicyCommand>({
  action: "UpdatePolicy",
  ...changesPolicy,
  async run(input, scope) {
    const policy = await changeablePolicy(scope, input.PolicyId!);
    const changed: OwnPolicy = {
      ...policy,
      name: input.Name ?? policy.name,
      description: input.Description ?? policy.description,
      content: input.Content ?? policy.content,
      updatedAt: scope.call.now,
    };
    checkPolicyContent(changed.type, changed.content);
    await requireFreeName(scope, changed);
    await updatePolicy(scope.db, changed);
    return { Policy: { PolicySummary: toPolicySummary(scope.organization, changed), Content: changed.content } };
  },
});

export const DescribePolicy = organizationOperation<sdk.DescribePolicyCommand>({
  action: "DescribePolicy",
  callers: "readers",
  resources: policyArns,
  context: policyContext,
  async run(input, scope) {
    const policy = await requiredPolicy(scope, input.PolicyId!);
    return { Policy: { PolicySummary: toPolicySummary(scope.organization, policy), Content: policy.content } };
  },
});

export const DeletePolicy = organizationOperation<sdk.DeletePolicyCommand>({
  action: "DeletePolicy",
  ...changesPolicy,
  async run(input, scope) {
    const { db, organization } = scope;
    const { id } = await changeablePolicy(scope, input.PolicyId!);
    if ((await listAttachments(db, organization.id, { policyId: id })).length > 0) throw policyInUse();
    await deletePolicy(db, organization.id, id);
    return {};
  },
});

export const ListPolicies = organizationOperation<sdk.ListPoliciesCommand>({
  action: "ListPolicies",
  callers: "readers",
  context: ({ Filter }) => typeContext(Filter),
  async run(input, scope) {
    const policies = scope.organization.featureSet === "ALL" ? await policiesOfType(scope, input.Filter!) : [];
    const { items, ...rest } = pageOf(input, policies, ({ id }) => id);
    return { Policies: items.map((policy) => toPolicySummary(scope.organization, policy)), ...rest };
  },
});
