/** Forwarding of one plain HTTP request to its origin server, as a proxy does it (RFC 9110 §7.6). */
import { type IncomingMessage, type OutgoingHttpHeaders, request, type ServerResponse } from "node:http";
import type { LookupFunction } from "node:net";
import { pipeline } from "node:stream";
import type { AbsoluteTarget } from "./egress-target.ts";

/** RFC 9110 §7.6.1, and what older clients send a proxy: for the next hop only. `Expect` was answered by our own server. */
const HOP_BY_HOP = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const VIA = "1.1 slipway";

export interface ForwardOutcome {
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** undefined when a response was delivered whole; else what went wrong. */
  readonly error: Error | undefined;
}

/**
 * Sends `req` to the target through `lookup`'s addresses and copies the response into `res`; bodies are streamed. Every
 * request has its own connection: the body cannot be sent again, so a kept connection that the origin closes meanwhile
 * would be an error that the client did not cause.
 *
 * Resolves, never rejects, when the exchange is over. Where the origin failed before it answered, `res` is untouched and the
 * caller answers; where it failed later, the client's connection is closed, which tells it that the body is incomplete.
 */
export function forwarded(
  req: IncomingMessage,
  res: ServerResponse,
  target: AbsoluteTarget,
  options: { readonly lookup: LookupFunction; readonly connectTimeoutMs: number; readonly idleMs: number },
): Promise<ForwardOutcome> {
  return new Promise((resolve) => {
    const upstream = request({
      host: target.hostname,
      port: target.port,
      method: req.method,
      path: target.path,
      headers: requestHeaders(req, target),
      lookup: options.lookup,
      agent: false,
      timeout: options.connectTimeoutMs,
    });
    const settle = (error: Error | undefined) =>
      resolve({ bytesUp: upstream.socket?.bytesWritten ?? 0, bytesDown: upstream.socket?.bytesRead ?? 0, error });

    upstream.on("socket", (socket) => {
      socket.once("connect", () => socket.setTimeout(options.idleMs));
    });
    upstream.on("timeout", () => upstream.destroy(new Error("it did not answer in time")));
    upstream.on("error", settle);
    upstream.on("response", (response) => {
      res.sendDate = false;
      res.writeHead(response.statusCode!, response.statusMessage, responseHeaders(response));
      pipeline(response, res, (error) => settle(error ?? undefined));
    });
    res.on("close", () => {
      if (!res.writableFinished) {
        upstream.destroy(new Error("the client closed the connection"));
      }
    });
    // Errors of the request's body need no handler of their own: the client's connection is gone then, and "close" above ran.
    req.pipe(upstream);
  });
}

function requestHeaders(req: IncomingMessage, target: AbsoluteTarget): OutgoingHttpHeaders {
  const dropped = connectionOptions(req);
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(req.headersDistinct)) {
    if (!dropped.has(name)) {
      headers[name] = values;
    }
  }
  if (req.headers["transfer-encoding"] !== undefined) {
    headers["transfer-encoding"] = "chunked"; // ours: without it, the body of a GET or DELETE would be sent unframed
  }
  // RFC 9112 §3.2.2: the target's authority replaces whatever Host the client sent.
  return { ...headers, host: target.authority, via: [...(req.headersDistinct.via ?? []), VIA] };
}

/** Flat name, value, name, value: repeated headers (Set-Cookie) and their case stay as the origin sent them. */
function responseHeaders(response: IncomingMessage): string[] {
  const dropped = connectionOptions(response);
  const headers: string[] = [];
  for (let index = 0; index < response.rawHeaders.length; index += 2) {
    const name = response.rawHeaders[index]!;
    if (!dropped.has(name.toLowerCase())) {
      headers.push(name, response.rawHeaders[index + 1]!);
    }
  }
  return [...headers, "Via", VIA];
}

/** The hop-by-hop headers of a message: the well-known ones and those that its Connection header names. */
function connectionOptions(message: IncomingMessage): ReadonlySet<string> {
  const named = message.headers.connection?.toLowerCase().split(",") ?? [];
  return new Set([...HOP_BY_HOP, ...named.map((name) => name.trim())]);
}
