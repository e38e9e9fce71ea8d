/** Managed policies attached to users, groups and roles. */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { overQuota, policyNotAttachable, policyNotFound, serviceRolePolicy } from "../errors.ts";
import { type EntityKind, nameOfArn } from "../model.ts";
import { deleteAttachment, insertAttachment, listAttachments } from "../store/managed-policies.ts";
import { findAnyPolicy } from "./policy-lookup.ts";
import { about, changing, existing, modifiable, type PageRequest, pageOf, refOf } from "./support.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_ATTACHED = 10;
const QUOTAS = {
  user: "PoliciesPerUser",
  group: "PoliciesPerGroup",
  role: "PoliciesPerRole",
} as const satisfies Record<EntityKind, string>;

async function attach(call: Call, kind: EntityKind, holder: string, policyArn: string): Promise<object> {
  return changing(call, async (trx) => {
    const entity = await modifiable(trx, refOf(call, kind, holder));
    const policy = await findAnyPolicy(trx, call.accountId, policyArn);
    if (!policy) throw policyNotAttachable(policyArn);
    if (policy.path.startsWith("/aws-service-role/")) throw serviceRolePolicy();
    const attached = await listAttachments(trx, entity);
    if (!attached.includes(policyArn) && attached.length >= MAX_ATTACHED) throw overQuota(QUOTAS[kind], MAX_ATTACHED);
    await insertAttachment(trx, entity, policyArn);
    return {};
  });
}

async function detach(call: Call, kind: EntityKind, holder: string, policyArn: string): Promise<object> {
  return changing(call, async (trx) => {
    const entity = await modifiable(trx, refOf(call, kind, holder));
    if (!(await deleteAttachment(trx, entity, policyArn))) throw policyNotFound(policyArn);
    return {};
  });
}

async function list(
  call: Call,
  kind: EntityKind,
  holder: string,
  request: PageRequest & { PathPrefix?: string | undefined },
) {
  const entity = await existing(call.db, refOf(call, kind, holder));
  const arns = (await listAttachments(call.db, entity)).filter((arn) =>
    arn.slice(arn.indexOf("/")).startsWith(request.PathPrefix ?? "/"),
  );
  const { items, ...rest } = await pageOf(request, arns, (arn) => arn);
  return { AttachedPolicies: items.map((arn) => ({ PolicyName: nameOfArn(arn), PolicyArn: arn })), ...rest };
}

const role = (input: { RoleName: string | undefined }) => input.RoleName!;
const user = (input: { UserName: string | undefined }) => input.UserName!;
const group = (input: { GroupName: string | undefined }) => input.GroupName!;
const policyArn = (input: { PolicyArn: string | undefined }) => ({ "iam:policyarn": input.PolicyArn });

export const AttachRolePolicy: OperationOf<sdk.AttachRolePolicyCommand> = {
  authorize: about("role", "AttachRolePolicy", role, policyArn),
  run: (input, call) => attach(call, "role", role(input), input.PolicyArn!),
};

export const DetachRolePolicy: OperationOf<sdk.DetachRolePolicyCommand> = {
  authorize: about("role", "DetachRolePolicy", role, policyArn),
  run: (input, call) => detach(call, "role", role(input), input.PolicyArn!),
};

export const ListAttachedRolePolicies: OperationOf<sdk.ListAttachedRolePoliciesCommand> = {
  authorize: about("role", "ListAttachedRolePolicies", role),
  run: (input, call) => list(call, "role", role(input), input),
};

export const AttachUserPolicy: OperationOf<sdk.AttachUserPolicyCommand> = {
  authorize: about("user", "AttachUserPolicy", user, policyArn),
  run: (input, call) => attach(call, "user", user(input), input.PolicyArn!),
};

export const DetachUserPolicy: OperationOf<sdk.DetachUserPolicyCommand> = {
  authorize: about("user", "DetachUserPolicy", user, policyArn),
  run: (input, call) => detach(call, "user", user(input), input.PolicyArn!),
};

export const ListAttachedUserPolicies: OperationOf<sdk.ListAttachedUserPoliciesCommand> = {
  authorize: about("user", "ListAttachedUserPolicies", user),
  run: (input, call) => list(call, "user", user(input), input),
};

export const AttachGroupPolicy: OperationOf<sdk.AttachGroupPolicyCommand> = {
  authorize: about("group", "AttachGroupPolicy", group, policyArn),
  run: (input, call) => attach(call, "group", group(input), input.PolicyArn!),
};

export const DetachGroupPolicy: OperationOf<sdk.DetachGroupPolicyCommand> = {
  authorize: about("group", "DetachGroupPolicy", group, policyArn),
  run: (input, call) => detach(call, "group", group(input), input.PolicyArn!),
};

export const ListAttachedGroupPolicies: OperationOf<sdk.ListAttachedGroupPoliciesCommand> = {
  authorize: about("group", "ListAttachedGroupPolicies", group),
  run: (input, call) => list(call, "group", group(input), input),
};
