/** Roles. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { policyToStore } from "#gateway/policy-principals.ts";
import type { Database } from "#store/database.ts";
import { deleteConflict, malformedPolicyDocument, nameTaken, protectedRole } from "../errors.ts";
import { newId } from "../ids.ts";
import { refuseServiceLinked } from "../linked-roles.ts";
import { type Entity, type RoleDetails, roleDetails, toRole } from "../model.ts";
import { leaveUniqueId } from "../named-principals.ts";
import { checkedTrustPolicy } from "../policy-checks.ts";
import { requireRoomFor } from "../quotas.ts";
import { deleteAccesses, latestAccess } from "../store/accesses.ts";
import { deleteEntity, findEntity, insertEntity, keyOf, listEntities, updateEntity } from "../store/entities.ts";
import { profilesOfRole } from "../store/instance-profiles.ts";
import { entityTags } from "../tag-rules.ts";
import { requireBoundary } from "./boundary-check.ts";
import { requireNoPolicies } from "./deletion.ts";
import { about, atPath, changing, existing, madeAtPath, modifiable, page, refOf } from "./support.ts";

const DEFAULT_SESSION_SECONDS = 3600;

function roleName(input: { RoleName: string | undefined }): string {
  return input.RoleName!;
}

export const CreateRole: OperationOf<sdk.CreateRoleCommand> = {
  authorize: madeAtPath(
    "role",
    "Role",
    (input) => ({ path: input.Path, name: input.RoleName! }),
    (input) => ({ "iam:permissionsboundary": input.PermissionsBoundary }),
  ),
  async run(input, call) {
    checkedTrustPolicy(input.AssumeRolePolicyDocument!);
    refuseServiceLinked(input.RoleName!, input.Path);
    const role: Entity & { readonly role: RoleDetails } = {
      ...refOf(call, "role", input.RoleName!),
      path: input.Path ?? "/",
      id: newId("role"),
      createdAt: call.now,
      tags: entityTags.checked(input.Tags),
      boundaryArn: input.PermissionsBoundary,
      role: {
        trustPolicy: input.AssumeRolePolicyDocument!,
        description: input.Description,
        maxSessionDuration: input.MaxSessionDuration ?? DEFAULT_SESSION_SECONDS,
        linkedService: undefined,
      },
    };
    const made = await changing(call, async (trx) => {
      if (await findEntity(trx, role)) throw nameTaken("role", role.name);
      await requireBoundary(trx, call.accountId, role.boundaryArn);
      await requireRoomFor(trx, call.accountId, "role");
      const trustPolicy = await trustPolicyToStore(call, trx, role.role.trustPolicy);
      const checked = { ...role, role: { ...role.role, trustPolicy } };
      await insertEntity(trx, checked);
      return checked;
    });
    return { Role: toRole(made, "created") };
  },
};

export const GetRole: OperationOf<sdk.GetRoleCommand> = {
  authorize: about("role", "GetRole", roleName),
  async run(input, call) {
    const role = await existing(call.db, refOf(call, "role", input.RoleName!));
    return { Role: toRole(role, "full", await latestAccess(call.db, role.id, call.now)) };
  },
};

export const ListRoles: OperationOf<sdk.ListRolesCommand> = {
  authorize: atPath("role", "ListRoles", (input) => ({ path: input.PathPrefix, name: "" })),
  async run(input, call) {
    const { items, ...rest } = await page(
      input,
      (slice) => listEntities(call.db, call.accountId, "role", input.PathPrefix ?? "/", slice),
      (role) => keyOf(role.name),
    );
    return { Roles: items.map((role) => toRole(role, "listed")), ...rest };
  },
};

export const UpdateRole: OperationOf<sdk.UpdateRoleCommand> = {
  authorize: about("role", "UpdateRole", roleName),
  async run(input, call) {
    // "You can edit the description of any role", those of services too; nothing else of theirs.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html#edit-service-linked-role
    const find = input.MaxSessionDuration === undefined ? existing : modifiable;
    await changeRole(call, input.RoleName!, find, () => ({
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.MaxSessionDuration !== undefined && { maxSessionDuration: input.MaxSessionDuration }),
    }));
    return {};
  },
};

export const UpdateRoleDescription: OperationOf<sdk.UpdateRoleDescriptionCommand> = {
  authorize: about("role", "UpdateRoleDescription", roleName),
  async run(input, call) {
    const role = await changeRole(call, input.RoleName!, existing, () => ({ description: input.Description }));
    return { Role: toRole(role, "full", await latestAccess(call.db, role.id, call.now)) };
  },
};

export const UpdateAssumeRolePolicy: OperationOf<sdk.UpdateAssumeRolePolicyCommand> = {
  authorize: about("role", "UpdateAssumeRolePolicy", roleName),
  async run(input, call) {
    checkedTrustPolicy(input.PolicyDocument!);
    await changeRole(call, input.RoleName!, modifiable, async (trx) => ({
      trustPolicy: await trustPolicyToStore(call, trx, input.PolicyDocument!),
    }));
    return {};
  },
};

export const DeleteRole: OperationOf<sdk.DeleteRoleCommand> = {
  authorize: about("role", "DeleteRole", roleName),
  async run(input, call) {
    await changing(call, async (trx) => {
      const role = await existing(trx, refOf(call, "role", input.RoleName!));
      if (roleDetails(role).linkedService !== undefined) throw protectedRole(role.name);
      if ((await profilesOfRole(trx, call.accountId, role.name)).length > 0) {
        throw deleteConflict("Cannot delete entity, must remove roles from instance profile first.");
      }
      await requireNoPolicies(trx, role);
      await leaveUniqueId(call.system, trx, role);
      await deleteAccesses(trx, role.id);
      await deleteEntity(trx, role);
    });
    return {};
  },
};

function changeRole(
  call: Parameters<typeof changing>[0],
  name: string,
  find: typeof existing,
  change: (trx: Database) => Partial<RoleDetails> | Promise<Partial<RoleDetails>>,
): Promise<Entity> {
  return changing(call, async (trx) => {
    const role = await find(trx, refOf(call, "role", name));
    const changed = { ...role, role: { ...roleDetails(role), ...(await change(trx)) } };
    await updateEntity(trx, changed);
    return changed;
  });
}

/** Throws MalformedPolicyDocument for a user or role that there is not. */
function trustPolicyToStore(call: Call, trx: Database, document: string): Promise<string> {
  return policyToStore(call, trx, { accountId: call.accountId, document }, (principal) =>
    malformedPolicyDocument(`Invalid principal in policy: "AWS":"${principal}"`),
  );
}
