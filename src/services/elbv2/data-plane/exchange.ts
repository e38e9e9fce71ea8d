/** One attempt to have a target answer a request. Bodies are streamed both ways. */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import type { GatewayStatus } from "./answers.ts";
import { type RawHeaders, responseHeaders } from "./forwarded-headers.ts";
import type { LiveTarget } from "./live-target.ts";

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** A request with what the listener makes of it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For the target. */
  readonly headers: RawHeaders;
  readonly idleTimeoutMs: number;
  /** Adds cookies to the response's headers. */
  decorate(headers: RawHeaders): void;
}

export interface Failure {
  readonly status: GatewayStatus;
  /** Nothing reached the target that must not reach another one, too. */
  readonly retryable: boolean;
  /** A kept connection had been closed by the target meanwhile: that says nothing about the target. */
  readonly stale: boolean;
}

/** A body can be sent only once, and what is not idempotent must not be done twice. */
export function isReplayable(request: IncomingMessage): boolean {
  return IDEMPOTENT.has(request.method!) && !hasBody(request);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * Resolves to undefined once the client has its answer (or went away), else to why it has none yet. A connection that
 * cannot be made leaves the request untouched. `fresh` does without kept connections.
 */
export function attempt(
  exchange: Exchange,
  target: LiveTarget,
  { connectTimeoutMs, fresh }: { readonly connectTimeoutMs: number; readonly fresh: boolean },
): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const { request, response } = exchange;
    const replayable = isReplayable(request);
    // The target may close a kept connection at the very moment that it is used: only what can be repeated takes one.
    const upstream = open(exchange, target, replayable && !fresh);
    let connected = false;
    let timedOut = false;
    const finish = target.begin(() => upstream.destroy(new Error("the target is no longer registered")));
    const clientGone = () => {
      if (!response.writableFinished) upstream.destroy();
    };
    const settle = (failure?: Failure) => {
      response.off("close", clientGone);
      resolve(failure);
    };
    response.once("close", clientGone);
    upstream.setTimeout(exchange.idleTimeoutMs, () => {
      timedOut = true;
      upstream.destroy(new Error("the target did not answer in time"));
    });
    upstream.once("close", finish);
    upstream.on("error", (error: NodeJS.ErrnoException) => {
      if (response.destroyed) settle();
      else if (response.headersSent) {
        response.destroy();
        settle();
      } else settle(failureOf(error));
    });
    upstream.once("response", (answer) => {
      relay(exchange, answer, () => settle());
    });
    whenConnected(upstream, connectTimeoutMs, {
      onConnect() {
        connected = true;
        if (!hasBody(request)) return upstream.end();
        request.pipe(upstream);
        upstream.once("close", () => {
          request.unpipe(upstream);
          // What the target did not want is still read, so that the client reads the answer.
          request.resume();
        });
      },
      onTimeout() {
        timedOut = true;
        upstream.destroy(new Error("no connection to the target in time"));
      },
    });

    function failureOf(error: NodeJS.ErrnoException): Failure {
      const status = timedOut ? 504 : 502;
      if (!connected) return { status, retryable: true, stale: false };
      const malformed = error.code?.startsWith("HPE_") === true;
      const retryable = replayable && !timedOut && !malformed;
      return { status, retryable, stale: retryable && upstream.reusedSocket };
    }
  });
}

function open({ request, headers }: Exchange, target: LiveTarget, kept: boolean): ClientRequest {
  const options = {
    host: target.id,
    port: target.port,
    method: request.method!,
    path: request.url!,
    headers,
    rejectUnauthorized: false,
  };
  if (target.protocol === "HTTPS") return httpsRequest({ ...options, agent: kept ? target.agent : new HttpsAgent() });
  return httpRequest({ ...options, agent: kept ? target.agent : new HttpAgent() });
}

function whenConnected(
  upstream: ClientRequest,
  timeoutMs: number,
  { onConnect, onTimeout }: { onConnect(): void; onTimeout(): void },
): void {
  const timer = setTimeout(onTimeout, timeoutMs);
  upstream.once("close", () => clearTimeout(timer));
  upstream.once("socket", (socket: Socket) => {
    const connected = () => {
      clearTimeout(timer);
      onConnect();
    };
    if (socket.connecting) socket.once("encrypted" in socket ? "secureConnect" : "connect", connected);
    else connected();
  });
}

function relay({ response, decorate }: Exchange, answer: IncomingMessage, done: () => void): void {
  const headers = responseHeaders(answer);
  decorate(headers);
  response.writeHead(answer.statusCode!, answer.statusMessage ?? "", headers);
  // An answer that breaks off breaks the client's off, too: it must not look complete.
  pipeline(answer, response, (error) => {
    if (error) response.destroy();
    done();
  });
}
