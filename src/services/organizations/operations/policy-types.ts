/** Types of policies, and what policies of a type come to. https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, type Scope } from "../administration.ts";
import { EffectivePolicies } from "../effective-policies.ts";
import { toPolicyContent } from "../effective-policy.ts";
import {
  accessDenied,
  constraintViolation,
  effectivePolicyNotFound,
  invalidInput,
  policyTypeAlreadyEnabled,
  policyTypeNotEnabled,
  rootNotFound,
  targetNotFound,
} from "../errors.ts";
import { Hierarchy, requiredMember } from "../hierarchy.ts";
import { attachAwsPolicies } from "../membership-changes.ts";
import { accountArn, entityArn, type Organization, toAccount, toRoot } from "../model.ts";
import { pageOf } from "../paging.ts";
import { requireAllFeatures, typeContext } from "../policy-lookup.ts";
import { POLICY_TYPES } from "../policy-types.ts";
import { updateOrganization } from "../store/organizations.ts";
import { deleteAttachments } from "../store/policies.ts";
import { listDelegations, listServices } from "../store/services.ts";

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
    const { servicePrincipal } = POLICY_TYPES[type];
    const trusted = await listServices(db, organization.id);
    if (servicePrincipal && !trusted.some((service) => service.servicePrincipal === servicePrincipal)) {
      throw constraintViolation(
        "SERVICE_ACCESS_NOT_ENABLED",
        "You attempted to enable a policy type before you enabled service access. Call the EnableAWSServiceAccess API first.",
      );
    }
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
    const policies = await EffectivePolicies.of(db, organization, type);
    if (!policies.tree.accounts.has(targetId)) throw targetNotFound();
    const found = organization.policyTypes.includes(type) ? policies.of(targetId) : undefined;
    if (!found) throw effectivePolicyNotFound();
    return {
      EffectivePolicy: {
        PolicyContent: toPolicyContent(found.effective),
        LastUpdatedTimestamp: found.updatedAt,
        TargetId: targetId,
        PolicyType: type,
      },
    };
  },
});

/** Throws EffectivePolicyNotFoundException: "If you ran this action on the management account, this policy type is not enabled." */
async function effectivePolicies({ db, organization }: Scope, type: sdk.EffectivePolicyType) {
  if (!organization.policyTypes.includes(type)) throw effectivePolicyNotFound();
  return EffectivePolicies.of(db, organization, type);
}

export const ListAccountsWithInvalidEffectivePolicy =
  organizationOperation<sdk.ListAccountsWithInvalidEffectivePolicyCommand>({
    action: "ListAccountsWithInvalidEffectivePolicy",
    callers: "readers",
    context: ({ PolicyType }) => typeContext(PolicyType),
    async run(input, scope) {
      const policies = await effectivePolicies(scope, input.PolicyType!);
      const { tree } = policies;
      const invalid = [...tree.accounts.values()].filter((account) => policies.errorsOf(account)?.length);
      const { items, ...rest } = pageOf(input, invalid, ({ id }) => id);
      const Accounts = items.map((each) => toAccount(scope.organization, each, tree.pathOf(each.parentId)));
      return { Accounts, PolicyType: input.PolicyType, ...rest };
    },
  });

export const ListEffectivePolicyValidationErrors =
  organizationOperation<sdk.ListEffectivePolicyValidationErrorsCommand>({
    action: "ListEffectivePolicyValidationErrors",
    callers: "readers",
    resources: ({ AccountId }, { organization }) => [accountArn(organization, AccountId!)],
    context: ({ PolicyType }) => typeContext(PolicyType),
    async run(input, scope) {
      const account = await requiredMember(scope.db, scope.organization, input.AccountId!);
      const policies = await effectivePolicies(scope, input.PolicyType!);
      const errors = policies.errorsOf(account);
      if (!errors) throw effectivePolicyNotFound();
      const { items, ...rest } = pageOf(input, errors, ({ ErrorMessage, PathToError }) => PathToError + ErrorMessage);
      return {
        AccountId: account.id,
        PolicyType: input.PolicyType,
        Path: `${policies.tree.pathOf(account.parentId)}${account.id}/`,
        // Policies are merged when they are asked for.
        EvaluationTimestamp: scope.call.now,
        EffectivePolicyValidationErrors: items.map((error) => ({
          ...error,
          ContributingPolicies: [...error.ContributingPolicies],
        })),
        ...rest,
      };
    },
  });

async function isReader({ call, db, organization }: Scope): Promise<boolean> {
  if (call.accountId === organization.managementAccountId) return true;
  return (await listDelegations(db, organization.id, { accountId: call.accountId })).length > 0;
}
