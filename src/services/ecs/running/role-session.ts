/** Acting as a task's role, or as ECS's own, in other services. */
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { type Principal, type System, servicePrincipal } from "#gateway/context.ts";

export interface Assumption {
  readonly roleArn: string;
  /** Who assumes it: "ecs-tasks.amazonaws.com". */
  readonly service: string;
  readonly sessionName: string;
  readonly accountId: string;
  readonly region: string;
  readonly sourceArn?: string;
}

/** A session is taken anew when less than this is left of it. */
const REFRESH_BEFORE_MS = 5 * 60_000;

export class RoleSession {
  readonly #system: System;
  readonly #assumption: Assumption;
  #principal: Principal | undefined;

  constructor(system: System, assumption: Assumption) {
    this.#system = system;
    this.#assumption = assumption;
  }

  get roleArn(): string {
    return this.#assumption.roleArn;
  }

  /** Throws what AssumeRole throws: AccessDenied where the role does not trust the service, or is not there. */
  async client(region = this.#assumption.region): Promise<Client> {
    const { accountId, service, roleArn, sessionName, sourceArn } = this.#assumption;
    const scope = { accountId, region, ...(sourceArn !== undefined && { sourceArn }) };
    const expiresAt = this.#principal?.sessionExpiration?.getTime() ?? 0;
    if (!this.#principal || expiresAt - REFRESH_BEFORE_MS < this.#system.clock.now().getTime()) {
      const asService = this.#system.client(servicePrincipal(service, accountId), scope);
      const assume = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName });
      const { Credentials } = await asService.send(assume);
      this.#principal = await this.#system.principalOf(Credentials ?? {});
    }
    return this.#system.client(this.#principal, scope);
  }
}
