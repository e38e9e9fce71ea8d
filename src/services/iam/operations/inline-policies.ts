/** Inline policies. https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { limitExceeded, notFound } from "../errors.ts";
import { type EntityKind, encodedDocument } from "../model.ts";
import { checkedPolicy, policySize } from "../policy-checks.ts";
import { deleteInlinePolicy, findInlinePolicy, listInlinePolicies, putInlinePolicy } from "../store/inline-policies.ts";
import { about, changing, existing, modifiable, type PageRequest, page, refOf } from "./support.ts";

/** All inline policies of one together. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_SIZES = { user: 2048, group: 5120, role: 10_240 } as const satisfies Record<EntityKind, number>;

async function put(call: Call, kind: EntityKind, holder: string, name: string, document: string): Promise<object> {
  checkedPolicy(document, "identity");
  return changing(call, async (trx) => {
    const entity = await modifiable(trx, refOf(call, kind, holder));
    const others = (await listInlinePolicies(trx, entity)).filter((policy) => policy.name !== name);
    const size = [document, ...others.map((policy) => policy.document)].reduce(
      (sum, text) => sum + policySize(text),
      0,
    );
    if (size > MAX_SIZES[kind]) {
      throw limitExceeded(`Maximum policy size of ${MAX_SIZES[kind]} bytes exceeded for ${kind} ${entity.name}`);
    }
    await putInlinePolicy(trx, entity, { name, document });
    return {};
  });
}

async function get(call: Call, kind: EntityKind, holder: string, name: string) {
  const entity = await existing(call.db, refOf(call, kind, holder));
  const policy = await findInlinePolicy(call.db, entity, name);
  if (!policy) throw notFound(`${kind} policy`, name);
  return { name: entity.name, policy: { PolicyName: policy.name, PolicyDocument: encodedDocument(policy.document) } };
}

async function list(call: Call, kind: EntityKind, holder: string, request: PageRequest) {
  const entity = await existing(call.db, refOf(call, kind, holder));
  const { items, ...rest } = await page(
    request,
    (slice) => listInlinePolicies(call.db, entity, slice),
    ({ name }) => name,
  );
  return { PolicyNames: items.map(({ name }) => name), ...rest };
}

async function remove(call: Call, kind: EntityKind, holder: string, name: string): Promise<object> {
  return changing(call, async (trx) => {
    const entity = await modifiable(trx, refOf(call, kind, holder));
    if (!(await deleteInlinePolicy(trx, entity, name))) throw notFound(`${kind} policy`, name);
    return {};
  });
}

const role = (input: { RoleName: string | undefined }) => input.RoleName!;
const user = (input: { UserName: string | undefined }) => input.UserName!;
const group = (input: { GroupName: string | undefined }) => input.GroupName!;

export const PutRolePolicy: OperationOf<sdk.PutRolePolicyCommand> = {
  authorize: about("role", "PutRolePolicy", role),
  run: (input, call) => put(call, "role", role(input), input.PolicyName!, input.PolicyDocument!),
};

export const GetRolePolicy: OperationOf<sdk.GetRolePolicyCommand> = {
  authorize: about("role", "GetRolePolicy", role),
  async run(input, call) {
    const { name, policy } = await get(call, "role", role(input), input.PolicyName!);
    return { RoleName: name, ...policy };
  },
};

export const ListRolePolicies: OperationOf<sdk.ListRolePoliciesCommand> = {
  authorize: about("role", "ListRolePolicies", role),
  run: (input, call) => list(call, "role", role(input), input),
};

export const DeleteRolePolicy: OperationOf<sdk.DeleteRolePolicyCommand> = {
  authorize: about("role", "DeleteRolePolicy", role),
  run: (input, call) => remove(call, "role", role(input), input.PolicyName!),
};

export const PutUserPolicy: OperationOf<sdk.PutUserPolicyCommand> = {
  authorize: about("user", "PutUserPolicy", user),
  run: (input, call) => put(call, "user", user(input), input.PolicyName!, input.PolicyDocument!),
};

export const GetUserPolicy: OperationOf<sdk.GetUserPolicyCommand> = {
  authorize: about("user", "GetUserPolicy", user),
  async run(input, call) {
    const { name, policy } = await get(call, "user", user(input), input.PolicyName!);
    return { UserName: name, ...policy };
  },
};

export const ListUserPolicies: OperationOf<sdk.ListUserPoliciesCommand> = {
  authorize: about("user", "ListUserPolicies", user),
  run: (input, call) => list(call, "user", user(input), input),
};

export const DeleteUserPolicy: OperationOf<sdk.DeleteUserPolicyCommand> = {
  authorize: about("user", "DeleteUserPolicy", user),
  run: (input, call) => remove(call, "user", user(input), input.PolicyName!),
};

export const PutGroupPolicy: OperationOf<sdk.PutGroupPolicyCommand> = {
  authorize: about("group", "PutGroupPolicy", group),
  run: (input, call) => put(call, "group", group(input), input.PolicyName!, input.PolicyDocument!),
};

export const GetGroupPolicy: OperationOf<sdk.GetGroupPolicyCommand> = {
  authorize: about("group", "GetGroupPolicy", group),
  async run(input, call) {
    const { name, policy } = await get(call, "group", group(input), input.PolicyName!);
    return { GroupName: name, ...policy };
  },
};

export const ListGroupPolicies: OperationOf<sdk.ListGroupPoliciesCommand> = {
  authorize: about("group", "ListGroupPolicies", group),
  run: (input, call) => list(call, "group", group(input), input),
};

export const DeleteGroupPolicy: OperationOf<sdk.DeleteGroupPolicyCommand> = {
  authorize: about("group", "DeleteGroupPolicy", group),
  run: (input, call) => remove(call, "group", group(input), input.PolicyName!),
};
