/**
 * The role as which ECS calls other services, made with the first cluster or service as AWS does.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
 */
import { CreateServiceLinkedRoleCommand } from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import { invalidParameter } from "./errors.ts";
import { ECS_SERVICE, serviceLinkedRoleArn } from "./running/load-balancing.ts";
import { RoleSession } from "./running/role-session.ts";
import { isRefusal } from "./running/service-errors.ts";

/** With the caller's right to `iam:CreateServiceLinkedRole`. False where the role is missing and the caller lacks it. */
export async function ensureServiceLinkedRole(call: Call): Promise<boolean> {
  if (await isAssumable(call)) return true;
  const { accountId, region } = call;
  try {
    const calledVia = [...(call.calledVia ?? []), ECS_SERVICE];
    const client = call.system.client(call.principal, { accountId, region, calledVia });
    await client.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: ECS_SERVICE }));
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return isAssumable(call);
  }
}

export async function requireServiceLinkedRole(call: Call): Promise<void> {
  if (await ensureServiceLinkedRole(call)) return;
  throw invalidParameter(
    "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
  );
}

async function isAssumable({ system, accountId, region }: Call): Promise<boolean> {
  const roleArn = serviceLinkedRoleArn({ accountId });
  const session = new RoleSession(system, { roleArn, service: ECS_SERVICE, sessionName: "ecs", accountId, region });
  try {
    await session.client();
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return false;
  }
}
