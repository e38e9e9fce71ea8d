/** Roles that belong to a service. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { invalidInput, noSuchEntity } from "../errors.ts";
import { newId } from "../ids.ts";
import { linkedRoleUsage } from "../linked-role-usage.ts";
import { type LinkedRole, linkedRoleOf, servicesWithLinkedRole } from "../linked-roles.ts";
import { type Entity, iamArn, roleDetails, toRole } from "../model.ts";
import { leaveUniqueId } from "../named-principals.ts";
import { deleteAccesses } from "../store/accesses.ts";
import { deleteEntity, findEntity, insertEntity } from "../store/entities.ts";
import { deleteAttachment, insertAttachment, listAttachments } from "../store/managed-policies.ts";
import { findRoleDeletion, insertRoleDeletion, type RoleDeletion } from "../store/role-deletions.ts";
import { about, changing, existing, refOf } from "./support.ts";

const IN_USE = "The role is used by resources of its service. Delete them first.";
const SESSION_SECONDS = 3600;

/** "task/aws-service-role/SERVICE/ROLE/UUID" */
const TASK = /^task(\/aws-service-role\/[^/]+\/)([^/]+)\/[0-9a-f-]{36}$/;

export const CreateServiceLinkedRole: OperationOf<sdk.CreateServiceLinkedRoleCommand> = {
  authorize: {
    action: "iam:CreateServiceLinkedRole",
    resources: ({ AWSServiceName = "", CustomSuffix }, call) => {
      const linked = linkedRoleOf(AWSServiceName);
      const name = linked ? nameOf(linked, CustomSuffix) : "*";
      return [iamArn(call.accountId, "role", pathOf(AWSServiceName), name)];
    },
    context: (input) => ({ "iam:awsservicename": input.AWSServiceName }),
  },
  async run(input, call) {
    const service = input.AWSServiceName!;
    const linked = linkedRoleOf(service);
    if (!linked) {
      const known = servicesWithLinkedRole().join(", ");
      throw invalidInput(`${service} has no service-linked role here; these have one: ${known}`);
    }
    if (input.CustomSuffix !== undefined && !linked.suffix) {
      throw invalidInput(`Custom suffix is not allowed for ${service}`);
    }
    const role: Entity = {
      ...refOf(call, "role", nameOf(linked, input.CustomSuffix)),
      path: pathOf(service),
      id: newId("role"),
      createdAt: call.now,
      tags: new Map(),
      boundaryArn: undefined,
      role: {
        trustPolicy: trustOf(service),
        description: input.Description,
        maxSessionDuration: SESSION_SECONDS,
        linkedService: service,
      },
    };
    await changing(call, async (trx) => {
      if (await findEntity(trx, role)) {
        throw invalidInput(
          `Service role name ${role.name} has been taken in this account, please try a different suffix.`,
        );
      }
      await insertEntity(trx, role);
      await insertAttachment(trx, role, `arn:aws:iam::aws:policy/aws-service-role/${linked.policy}`);
    });
    return { Role: toRole(role, "created") };
  },
};

/** The task is over when its id is answered: the role is deleted, or the service still uses it. */
export const DeleteServiceLinkedRole: OperationOf<sdk.DeleteServiceLinkedRoleCommand> = {
  authorize: about("role", "DeleteServiceLinkedRole", (input) => input.RoleName!),
  async run(input, call) {
    const role = await linkedRole(call.db, call, input.RoleName!);
    const usage = await linkedRoleUsage(call, roleDetails(role).linkedService!);
    const deletion: RoleDeletion = {
      taskId: `task${role.path}${role.name}/${randomUUID()}`,
      accountId: call.accountId,
      createdAt: call.now,
      failure: usage.length > 0 ? { Reason: IN_USE, RoleUsageList: usage } : undefined,
    };
    await changing(call, async (trx) => {
      if (!deletion.failure) {
        const found = await linkedRole(trx, call, input.RoleName!);
        for (const arn of await listAttachments(trx, found)) await deleteAttachment(trx, found, arn);
        await leaveUniqueId(call.system, trx, found);
        await deleteAccesses(trx, found.id);
        await deleteEntity(trx, found);
      }
      await insertRoleDeletion(trx, deletion);
    });
    return { DeletionTaskId: deletion.taskId };
  },
};

export const GetServiceLinkedRoleDeletionStatus: OperationOf<sdk.GetServiceLinkedRoleDeletionStatusCommand> = {
  authorize: {
    action: "iam:GetServiceLinkedRoleDeletionStatus",
    resources: ({ DeletionTaskId = "" }, call) => {
      const [, path = "/", name = "*"] = TASK.exec(DeletionTaskId) ?? [];
      return [iamArn(call.accountId, "role", path, name)];
    },
  },
  async run(input, call) {
    const deletion = await findRoleDeletion(call.db, call.accountId, input.DeletionTaskId!);
    if (!deletion) throw noSuchEntity(`Deletion task ${input.DeletionTaskId} cannot be found.`);
    return deletion.failure ? { Status: "FAILED", Reason: deletion.failure } : { Status: "SUCCEEDED" };
  },
};

/** Throws NoSuchEntity. */
async function linkedRole(db: Database, call: Call, name: string): Promise<Entity> {
  const role = await existing(db, refOf(call, "role", name));
  if (roleDetails(role).linkedService === undefined) {
    throw noSuchEntity(`The role with name ${role.name} is not a service-linked role.`);
  }
  return role;
}

function pathOf(service: string): string {
  return `/aws-service-role/${service}/`;
}

function nameOf({ role }: LinkedRole, suffix: string | undefined): string {
  return suffix === undefined ? role : `${role}_${suffix}`;
}

function trustOf(service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
}
