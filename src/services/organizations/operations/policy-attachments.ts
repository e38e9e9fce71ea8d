/** What policies are attached to. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_policies_attach.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, type Scope } from "../administration.ts";
import {
  constraintViolation,
  duplicateAttachment,
  invalidInput,
  policyNotAttached,
  policyTypeNotEnabled,
  targetNotFound,
} from "../errors.ts";
import { Hierarchy } from "../hierarchy.ts";
import { entityArn, type Policy, toPolicySummary } from "../model.ts";
import { pageOf } from "../paging.ts";
import { findPolicy, policyArns, policyContext, requiredPolicy, typeContext } from "../policy-lookup.ts";
import { POLICY_TYPES } from "../policy-types.ts";
import { deleteAttachments, insertAttachment, listAttachments } from "../store/policies.ts";

type About = { PolicyId: string | undefined; TargetId: string | undefined };

const policyAndTarget = async (input: About, scope: Scope) => [
  ...(await policyArns(input, scope)),
  entityArn(scope.organization, input.TargetId!),
];

const changesAttachment = {
  callers: "delegates",
  writes: true,
  resources: policyAndTarget,
  context: policyContext,
} as const;

interface Attachable {
  readonly policy: Policy;
  readonly targetId: string;
  /** Of the policy's type, at the target. */
  readonly attached: readonly { readonly policyId: string }[];
}

/** Throws PolicyNotFoundException, TargetNotFoundException or PolicyTypeNotEnabledException. */
async function attachable({ PolicyId, TargetId }: About, scope: Scope): Promise<Attachable> {
  const { db, organization } = scope;
  const policy = await requiredPolicy(scope, PolicyId!);
  const target = (await Hierarchy.of(db, organization)).entity(TargetId!);
  if (!target) throw targetNotFound();
  if (!organization.policyTypes.includes(policy.type)) throw policyTypeNotEnabled();
  const attached = await listAttachments(db, organization.id, { targetId: target.id, type: policy.type });
  return { policy, targetId: target.id, attached };
}

export const AttachPolicy = organizationOperation<sdk.AttachPolicyCommand>({
  action: "AttachPolicy",
  ...changesAttachment,
  async run(input, scope) {
    const { policy, targetId, attached } = await attachable(input, scope);
    if (attached.some(({ policyId }) => policyId === policy.id)) throw duplicateAttachment();
    if (attached.length >= POLICY_TYPES[policy.type].maxAttached) {
      throw constraintViolation("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    }
    await insertAttachment(scope.db, scope.organization.id, { targetId, policyId: policy.id, type: policy.type });
    return {};
  },
});

export const DetachPolicy = organizationOperation<sdk.DetachPolicyCommand>({
  action: "DetachPolicy",
  ...changesAttachment,
  async run(input, scope) {
    const { policy, targetId, attached } = await attachable(input, scope);
    if (!attached.some(({ policyId }) => policyId === policy.id)) throw policyNotAttached();
    // "You cannot detach this policy."
    if (policy.organizationId === undefined && policy.type === "RESOURCE_CONTROL_POLICY") {
      throw invalidInput("NON_DETACHABLE_POLICY");
    }
    if (attached.length <= POLICY_TYPES[policy.type].minAttached) {
      throw constraintViolation("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED");
    }
    await deleteAttachments(scope.db, scope.organization.id, { targetId, policyId: policy.id });
    return {};
  },
});

/** Those attached to the target itself; it inherits more. */
export const ListPoliciesForTarget = organizationOperation<sdk.ListPoliciesForTargetCommand>({
  action: "ListPoliciesForTarget",
  callers: "readers",
  resources: ({ TargetId }, { organization }) => [entityArn(organization, TargetId!)],
  context: ({ Filter }) => typeContext(Filter),
  async run(input, { db, organization }) {
    const target = (await Hierarchy.of(db, organization)).entity(input.TargetId!);
    if (!target) throw targetNotFound();
    const attached = await listAttachments(db, organization.id, { targetId: target.id, type: input.Filter! });
    const { items, ...rest } = pageOf(input, attached, ({ policyId }) => policyId);
    const policies = await Promise.all(items.map(({ policyId }) => findPolicy(db, organization, policyId)));
    return { Policies: policies.map((policy) => toPolicySummary(organization, policy!)), ...rest };
  },
});

export const ListTargetsForPolicy = organizationOperation<sdk.ListTargetsForPolicyCommand>({
  action: "ListTargetsForPolicy",
  callers: "readers",
  resources: policyArns,
  context: policyContext,
  async run(input, scope) {
    const { db, organization } = scope;
    const { id } = await requiredPolicy(scope, input.PolicyId!);
    const attached = await listAttachments(db, organization.id, { policyId: id });
    const { items, ...rest } = pageOf(input, attached, ({ targetId }) => targetId);
    const tree = await Hierarchy.of(db, organization);
    const Targets = items.map(({ targetId }) => {
      const { name: Name, type: Type } = tree.entity(targetId)!;
      return { TargetId: targetId, Arn: entityArn(organization, targetId), Name, Type };
    });
    return { Targets, ...rest };
  },
});
