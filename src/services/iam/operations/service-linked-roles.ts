/** Roles that belong to a service. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidInput, noSuchEntity } from "../errors.ts";
import { newId } from "../ids.ts";
import { type Entity, iamArn, roleDetails, toRole } from "../model.ts";
import { deleteEntity, findEntity, insertEntity } from "../store/entities.ts";
import { deleteAttachment, insertAttachment, listAttachments } from "../store/managed-policies.ts";
import { leaveUniqueId } from "../trust-principals.ts";
import { about, changing, existing, refOf } from "./support.ts";

/** Of the services that Slipway has; AWS's user guides name role and policy of each. */
const LINKED_ROLES: Readonly<Record<string, { readonly role: string; readonly policy: string }>> = {
  "ecs.amazonaws.com": { role: "AWSServiceRoleForECS", policy: "AmazonECSServiceRolePolicy" },
  "elasticloadbalancing.amazonaws.com": {
    role: "AWSServiceRoleForElasticLoadBalancing",
    policy: "AWSElasticLoadBalancingServiceRolePolicy",
  },
  "replication.ecr.amazonaws.com": {
    role: "AWSServiceRoleForECRReplication",
    policy: "ECRReplicationServiceRolePolicy",
  },
  "codestar-notifications.amazonaws.com": {
    role: "AWSServiceRoleForCodeStarNotifications",
    policy: "AWSCodeStarNotificationsServiceRolePolicy",
  },
};
const SESSION_SECONDS = 3600;

/** "task/aws-service-role/SERVICE/ROLE/UUID" */
const TASK = /^task(\/aws-service-role\/[^/]+\/)([^/]+)\/[0-9a-f-]{36}$/;

export const CreateServiceLinkedRole: OperationOf<sdk.CreateServiceLinkedRoleCommand> = {
  authorize: {
    action: "iam:CreateServiceLinkedRole",
    resources: ({ AWSServiceName = "" }, call) => [
      iamArn(call.accountId, "role", `/aws-service-role/${AWSServiceName}/`, LINKED_ROLES[AWSServiceName]?.role ?? "*"),
    ],
    context: (input) => ({ "iam:awsservicename": input.AWSServiceName }),
  },
  async run(input, call) {
    const service = input.AWSServiceName!;
    const linked = Object.hasOwn(LINKED_ROLES, service) ? LINKED_ROLES[service] : undefined;
    if (!linked) {
      const known = Object.keys(LINKED_ROLES).join(", ");
      throw invalidInput(`${service} has no service-linked role here; these have one: ${known}`);
    }
    if (input.CustomSuffix !== undefined) throw invalidInput(`Custom suffix is not allowed for ${service}`);
    const role: Entity = {
      ...refOf(call, "role", linked.role),
      path: `/aws-service-role/${service}/`,
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
    return { Role: toRole(role, "full") };
  },
};

/** Deletes at once; the task that AWS would run is over when the call is. */
export const DeleteServiceLinkedRole: OperationOf<sdk.DeleteServiceLinkedRoleCommand> = {
  authorize: about("role", "DeleteServiceLinkedRole", (input) => input.RoleName!),
  async run(input, call) {
    const role = await changing(call, async (trx) => {
      const found = await existing(trx, refOf(call, "role", input.RoleName!));
      if (roleDetails(found).linkedService === undefined) {
        throw noSuchEntity(`The role with name ${found.name} is not a service-linked role.`);
      }
      for (const arn of await listAttachments(trx, found)) await deleteAttachment(trx, found, arn);
      await leaveUniqueId(trx, found);
      await deleteEntity(trx, found);
      return found;
    });
    return { DeletionTaskId: `task${role.path}${role.name}/${randomUUID()}` };
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
  run(input) {
    if (!TASK.test(input.DeletionTaskId!)) throw noSuchEntity(`Deletion task ${input.DeletionTaskId} cannot be found.`);
    return { Status: "SUCCEEDED" };
  },
};

function trustOf(service: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
}
