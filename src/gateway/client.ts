/**
 * One service calls another with the SDK's own command objects: `client.send(new StartBuildCommand({…}))` runs the same
 * validation, authorization, audit and handler as a request over HTTP, in this process. No service imports another.
 */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { GetOutputType } from "@smithy/types";
import { openTransaction } from "#store/database.ts";
import { type AccessRequest, decisionOn } from "./authorize.ts";
import type { Call, CallScope, Principal, System } from "./context.ts";
import { execute } from "./execute.ts";
import type { ServerOutput } from "./operation.ts";
import type { Registry } from "./registry.ts";

interface AnyCommand {
  input: object;
}

export interface Client {
  readonly principal: Principal;
  readonly scope: CallScope;
  /** Throws what the operation throws: modelled exceptions, or WireError for AccessDenied and the like. */
  send<C extends AnyCommand>(command: C): Promise<ServerOutput<GetOutputType<C>>>;
  /**
   * Whether the principal may do something that AWS knows by several names: one of the requests is allowed, and none
   * denied by a Deny statement.
   */
  allowsOneOf(requests: readonly AccessRequest[]): Promise<boolean>;
  /** The same principal, joining a transaction. */
  within(db: Call["db"]): Client;
}

/** Smithy's tuple: kind, namespace, operation name. */
type CommandSchema = readonly [kind: number, namespace: string, name: string];

export class InProcessClient implements Client {
  readonly principal: Principal;
  readonly scope: CallScope;
  readonly #system: System;
  readonly #registry: Registry;

  constructor(system: System, registry: Registry, principal: Principal, scope: CallScope) {
    this.#system = system;
    this.#registry = registry;
    this.principal = principal;
    this.scope = scope;
  }

  async send<C extends AnyCommand>(command: C): Promise<ServerOutput<GetOutputType<C>>> {
    const [, namespace, name] = (command as unknown as { schema: CommandSchema }).schema;
    const { service, model } = this.#registry.byCommand(namespace, name);
    const input = withStreams(command.input as Record<string, unknown>);
    return (await execute(service, model, input, this.#call())) as ServerOutput<GetOutputType<C>>;
  }

  async allowsOneOf(requests: readonly AccessRequest[]): Promise<boolean> {
    const decisions = await Promise.all(requests.map((request) => decisionOn(this.#call(), request)));
    return decisions.some(({ allowed }) => allowed) && !decisions.some(({ explicit }) => explicit);
  }

  #call(): Call {
    return {
      ...this.scope,
      system: this.#system,
      db: this.scope.db ?? openTransaction() ?? this.#system.db,
      principal: this.principal,
      requestId: randomUUID(),
      now: this.#system.clock.now(),
      sourceIp: this.scope.origin?.sourceIp ?? this.principal.service ?? "slipway.internal",
      secureTransport: this.scope.origin?.secureTransport ?? true,
      userAgent: this.scope.origin?.userAgent ?? this.principal.service ?? "slipway",
    };
  }

  within(db: Call["db"]): Client {
    return new InProcessClient(this.#system, this.#registry, this.principal, { ...this.scope, db });
  }
}

/** Handlers take a streaming member as a Readable; callers may give bytes or text. */
function withStreams(input: Record<string, unknown>): Record<string, unknown> {
  if (!("Body" in input) || input.Body instanceof Readable || input.Body === undefined) return { ...input };
  return { ...input, Body: Readable.from([Buffer.from(input.Body as Uint8Array | string)]) };
}
