/** Managed policies. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { awsManagedPolicies } from "../aws-managed-policies.ts";
import { alreadyExists, deleteConflict } from "../errors.ts";
import { newId } from "../ids.ts";
import { iamArn, type ManagedPolicy } from "../model.ts";
import { checkedManagedPolicy } from "../policy-checks.ts";
import { requireRoomForPolicy } from "../quotas.ts";
import {
  deletePolicy,
  findPolicyByName,
  insertPolicy,
  listBoundaryUses,
  listPolicies,
  listPolicyUses,
  listPolicyVersions,
} from "../store/managed-policies.ts";
import { resourceTags } from "../tag-rules.ts";
import { aboutPolicy, customerPolicy, requiredPolicy } from "./policy-lookup.ts";
import { toPolicy, usesOf } from "./policy-view.ts";
import { atPath, changing, madeAtPath, pageOf } from "./support.ts";

export const CreatePolicy: OperationOf<sdk.CreatePolicyCommand> = {
  authorize: madeAtPath("policy", "Policy", (input) => ({ path: input.Path, name: input.PolicyName! })),
  async run(input, call) {
    checkedManagedPolicy(input.PolicyDocument!);
    const name = input.PolicyName!;
    const path = input.Path ?? "/";
    const policy: ManagedPolicy = {
      arn: iamArn(call.accountId, "policy", path, name),
      name,
      path,
      id: newId("policy"),
      description: input.Description,
      defaultVersionId: "v1",
      createdAt: call.now,
      updatedAt: call.now,
      tags: resourceTags.checked(input.Tags),
    };
    await changing(call, async (trx) => {
      if (await findPolicyByName(trx, call.accountId, name)) {
        throw alreadyExists(`A policy called ${name} already exists. Duplicate names are not allowed.`);
      }
      await requireRoomForPolicy(trx, call.accountId);
      await insertPolicy(trx, call.accountId, policy, input.PolicyDocument!);
    });
    return { Policy: toPolicy(policy, { attached: [], boundaries: [] }, "created") };
  },
};

export const GetPolicy: OperationOf<sdk.GetPolicyCommand> = {
  authorize: aboutPolicy("GetPolicy"),
  async run(input, call) {
    const policy = await requiredPolicy(call.db, call.accountId, input.PolicyArn!);
    return { Policy: toPolicy(policy, await usesOf(call, policy.arn), "full") };
  },
};

export const ListPolicies: OperationOf<sdk.ListPoliciesCommand> = {
  authorize: atPath("policy", "ListPolicies", (input) => ({ path: input.PathPrefix, name: "" })),
  async run(input, call) {
    const { Scope = "All", PathPrefix = "/" } = input;
    const uses = await usesOf(call);
    const all = { after: undefined, limit: Number.MAX_SAFE_INTEGER };
    const policies = [
      ...(Scope === "AWS" ? [] : await listPolicies(call.db, call.accountId, PathPrefix, all)),
      ...(Scope === "Local" ? [] : awsManagedPolicies().filter(({ path }) => path.startsWith(PathPrefix))),
    ];
    const used = new Set(uses.attached.map(({ arn }) => arn));
    const boundaries = new Set(uses.boundaries.map(({ arn }) => arn));
    const wanted = policies.filter(({ arn }) => {
      if (input.OnlyAttached && !used.has(arn)) return false;
      if (input.PolicyUsageFilter === "PermissionsPolicy") return used.has(arn);
      return input.PolicyUsageFilter !== "PermissionsBoundary" || boundaries.has(arn);
    });
    const { items, ...rest } = await pageOf(input, wanted, ({ arn }) => arn);
    return { Policies: items.map((policy) => toPolicy(policy, uses, "listed")), ...rest };
  },
};

export const DeletePolicy: OperationOf<sdk.DeletePolicyCommand> = {
  authorize: aboutPolicy("DeletePolicy"),
  async run(input, call) {
    await changing(call, async (trx) => {
      const policy = await customerPolicy(trx, call.accountId, input.PolicyArn!);
      const attached = await listPolicyUses(trx, call.accountId, policy.arn);
      const boundaries = await listBoundaryUses(trx, call.accountId, policy.arn);
      if (attached.length + boundaries.length > 0) {
        throw deleteConflict("Cannot delete a policy attached to entities.");
      }
      if ((await listPolicyVersions(trx, call.accountId, policy)).length > 1) {
        throw deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
      }
      await deletePolicy(trx, call.accountId, policy.name);
    });
    return {};
  },
};
