/** A request to the registry: for whom, on which repository, and how to answer it. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { authorizeOperation } from "#gateway/authorize.ts";
import type { Client } from "#gateway/client.ts";
import type { Call, CallScope, System } from "#gateway/context.ts";
import type { Authorization } from "#gateway/operation.ts";
import type { Service } from "#gateway/service.ts";
import { onRepository, requireRepository } from "../authorization.ts";
import type { Bearer } from "../credentials.ts";
import type { RepositoryName } from "../model.ts";
import type { Repository } from "../store.ts";

/** What a request is about, before it is known who sends it. */
export interface OciTarget {
  readonly repository: RepositoryName;
  /** The repository's address as this client sees it, without a slash at the end: Location headers begin with it. */
  readonly url: string;
  /** The repository's name as this client sees it. */
  readonly path: string;
  /** The last part of the path: a tag, a digest, an upload's id; "" where there is none. */
  readonly reference: string;
  readonly query: URLSearchParams;
}

export interface RepositoryInput {
  readonly registryId: string;
  readonly repositoryName: string;
}

export class OciRequest {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: OciTarget;
  readonly call: Call;
  /** Sends ECR's operations as the principal of the request. */
  readonly client: Client;
  /** The members with which every operation on the repository begins. */
  readonly input: RepositoryInput;
  readonly #service: Service;

  constructor(
    { message, response, target }: { message: IncomingMessage; response: ServerResponse; target: OciTarget },
    { principal, sourceArn }: Bearer,
    system: System,
    service: Service,
  ) {
    this.message = message;
    this.response = response;
    this.target = target;
    this.input = { registryId: target.repository.accountId, repositoryName: target.repository.name };
    this.#service = service;
    const origin = {
      sourceIp: (message.socket.remoteAddress ?? "").replace(/^::ffff:/, ""),
      secureTransport: isSecure(message),
      userAgent: message.headers["user-agent"] ?? "",
    };
    const scope: CallScope = {
      accountId: principal.accountId,
      region: target.repository.region,
      origin,
      ...(sourceArn !== undefined && { sourceArn }),
    };
    this.client = system.client(principal, scope);
    this.call = {
      ...scope,
      ...origin,
      system,
      db: system.db,
      principal,
      requestId: randomUUID(),
      now: system.clock.now(),
    };
  }

  /**
   * Does what an operation does, but with streams instead of its input's and output's bytes: authorized and recorded
   * under the operation's name.
   */
  async perform<T>(
    operation: string,
    run: (repository: Repository) => Promise<T>,
    authorization: Authorization<RepositoryInput> = onRepository(operation),
  ): Promise<T> {
    let failure: unknown;
    try {
      await authorizeOperation(authorization, this.input, this.call);
      return await run(await requireRepository(this.input, this.call));
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      this.call.system.audit.record(this.#service, operation, { ...this.input }, this.call, failure);
    }
  }

  /** The body of an answer to HEAD is left out, its length is not. */
  answer(status: number, headers: Readonly<Record<string, string>> = {}, body = ""): void {
    const length = status === 204 ? {} : { "content-length": String(Buffer.byteLength(body)) };
    this.response.writeHead(status, { ...length, ...headers });
    this.response.end(this.message.method === "HEAD" ? undefined : body);
  }

  answerJson(value: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.answer(200, { "content-type": "application/json", ...headers }, JSON.stringify(value));
  }
}

/** Whether the client's connection is TLS, also where the egress proxy ended it. */
export function isSecure({ socket }: IncomingMessage): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}
