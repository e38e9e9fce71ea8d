/** The policy by which the management account delegates. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { policyToStore } from "#gateway/policy-principals.ts";
import { organizationOperation, requireTagging, type Scope } from "../administration.ts";
import { constraintViolation, invalidInput, resourcePolicyNotFound } from "../errors.ts";
import { newResourcePolicyId } from "../ids.ts";
import { arnOf, type ResourcePolicy } from "../model.ts";
import { checkResourcePolicy } from "../policy-content.ts";
import { deleteResourcePolicy, findResourcePolicy, putResourcePolicy } from "../store/organizations.ts";
import { checkedTags, requestTags } from "../tag-rules.ts";

function toResourcePolicy({ organization }: Scope, { id, content }: ResourcePolicy): sdk.ResourcePolicy {
  return {
    ResourcePolicySummary: { Id: id, Arn: arnOf(organization, `resourcepolicy/${id}`) },
    Content: content,
  };
}

/** Tags are taken when the policy is made, not when it is replaced. */
export const PutResourcePolicy = organizationOperation<sdk.PutResourcePolicyCommand>({
  action: "PutResourcePolicy",
  callers: "management",
  writes: true,
  async resources(_input, { db, organization }) {
    const policy = await findResourcePolicy(db, organization.id);
    return [arnOf(organization, `resourcepolicy/${policy?.id ?? "rp-*"}`)];
  },
  context: ({ Tags }) => requestTags(Tags),
  async run(input, scope) {
    const { db, organization } = scope;
    if (organization.featureSet !== "ALL") throw constraintViolation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
    const tags = checkedTags(input.Tags);
    checkResourcePolicy(input.Content!);
    const present = await findResourcePolicy(db, organization.id);
    if (present && tags.size > 0) {
      throw invalidInput("INVALID_PATTERN", "Tags can be given only when the resource policy is created.");
    }
    const id = present?.id ?? newResourcePolicyId();
    const about = { accountId: organization.managementAccountId, document: input.Content! };
    const content = await policyToStore(scope.call, db, about, () => invalidInput("INVALID_PRINCIPAL"));
    const policy: ResourcePolicy = { id, content, tags: present?.tags ?? tags };
    await requireTagging(scope, arnOf(organization, `resourcepolicy/${id}`), input.Tags);
    await putResourcePolicy(db, organization.id, policy);
    return { ResourcePolicy: toResourcePolicy(scope, policy) };
  },
});

export const DescribeResourcePolicy = organizationOperation<sdk.DescribeResourcePolicyCommand>({
  action: "DescribeResourcePolicy",
  callers: "readers",
  async run(_input, scope) {
    const policy = await findResourcePolicy(scope.db, scope.organization.id);
    if (!policy) throw resourcePolicyNotFound();
    return { ResourcePolicy: toResourcePolicy(scope, policy) };
  },
});

export const DeleteResourcePolicy = organizationOperation<sdk.DeleteResourcePolicyCommand>({
  action: "DeleteResourcePolicy",
  callers: "management",
  writes: true,
  async run(_input, { db, organization }) {
    if (!(await findResourcePolicy(db, organization.id))) throw resourcePolicyNotFound();
    await deleteResourcePolicy(db, organization.id);
    return {};
  },
});
