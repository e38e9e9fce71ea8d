/** A service's target groups, used as ECS's service-linked role in the service's account. */
import {
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  RegisterTargetsCommand,
  type TargetHealth,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { System } from "#gateway/context.ts";
import type { Scope, TaskTarget } from "../model.ts";
import { RoleSession } from "./role-session.ts";
import { isRefusal } from "./service-errors.ts";

export const ECS_SERVICE = "ecs.amazonaws.com";
/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html */
export const serviceLinkedRoleArn = ({ accountId }: Pick<Scope, "accountId">) =>
  `arn:aws:iam::${accountId}:role/aws-service-role/${ECS_SERVICE}/AWSServiceRoleForECS`;

export class LoadBalancing {
  readonly #session: RoleSession;

  constructor(system: System, { accountId, region }: Scope) {
    const roleArn = serviceLinkedRoleArn({ accountId });
    this.#session = new RoleSession(system, {
      roleArn,
      service: ECS_SERVICE,
      sessionName: "ecs-service-scheduler",
      accountId,
      region,
    });
  }

  async register({ targetGroupArn, id, port }: TaskTarget): Promise<void> {
    const client = await this.#session.client();
    await client.send(
      new RegisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets: [{ Id: id, Port: port }] }),
    );
  }

  /** A target that is gone already, or its group, is none to be deregistered. */
  async deregister({ targetGroupArn, id, port }: TaskTarget): Promise<void> {
    const client = await this.#session.client();
    const command = new DeregisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets: [{ Id: id, Port: port }] });
    await toleratingAbsence(client.send(command));
  }

  /** undefined where the target group is gone. */
  async health({ targetGroupArn, id, port }: TaskTarget): Promise<TargetHealth | undefined> {
    const client = await this.#session.client();
    const command = new DescribeTargetHealthCommand({
      TargetGroupArn: targetGroupArn,
      Targets: [{ Id: id, Port: port }],
    });
    const answer = await toleratingAbsence(client.send(command));
    return answer?.TargetHealthDescriptions?.[0]?.TargetHealth;
  }
}

async function toleratingAbsence<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isRefusal(error) && /^(TargetGroupNotFound|InvalidTarget)(Exception)?$/.test(error.name)) return undefined;
    throw error;
  }
}
