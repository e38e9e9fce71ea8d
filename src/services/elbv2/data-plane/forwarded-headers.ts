/**
 * Headers between client and target.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { ForwardingOptions, ListenerRoute } from "./routing-table.ts";

/** RFC 9110 §7.6.1: they belong to one connection. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The load balancer's own; `expect` was answered already. */
const REPLACED = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-amzn-trace-id",
  "x-amzn-tls-version",
  "x-amzn-tls-cipher-suite",
  "expect",
]);

/** Names and values in turn, as node:http takes them: order, spelling and repetitions stay. */
export type RawHeaders = string[];

export function requestHeaders(
  request: IncomingMessage,
  listener: ListenerRoute,
  options: ForwardingOptions,
  sourceIp: string,
  now: Date,
): RawHeaders {
  const headers: RawHeaders = [];
  const connection = connectionOptions(request);
  for (const [name, value] of pairs(request.rawHeaders)) {
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || REPLACED.has(key) || connection.has(key)) continue;
    if (options.dropInvalidHeaders && !/^[A-Za-z0-9-]+$/.test(name)) continue;
    headers.push(name, value);
  }
  const forwardedFor = xForwardedFor(request, options, sourceIp);
  if (forwardedFor !== undefined) headers.push("X-Forwarded-For", forwardedFor);
  headers.push("X-Forwarded-Proto", listener.protocol.toLowerCase());
  headers.push("X-Forwarded-Port", String(listener.port));
  headers.push("X-Amzn-Trace-Id", traceId(request.headers["x-amzn-trace-id"], now));
  if (options.tlsHeaders && "encrypted" in request.socket) {
    const socket = request.socket as TLSSocket;
    headers.push("X-Amzn-Tls-Version", socket.getProtocol() ?? "", "X-Amzn-Tls-Cipher-Suite", socket.getCipher().name);
  }
  if (request.headers["transfer-encoding"] !== undefined) headers.push("Transfer-Encoding", "chunked");
  return headers;
}

export function responseHeaders(response: IncomingMessage): RawHeaders {
  const connection = connectionOptions(response);
  return pairs(response.rawHeaders)
    .filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !connection.has(name.toLowerCase()))
    .flat();
}

function xForwardedFor(request: IncomingMessage, options: ForwardingOptions, sourceIp: string): string | undefined {
  const given = [request.headers["x-forwarded-for"] ?? []].flat().join(", ");
  if (options.xForwardedFor === "remove") return undefined;
  if (options.xForwardedFor === "preserve") return given === "" ? undefined : given;
  const hop = options.xForwardedForPort ? `${sourceIp}:${request.socket.remotePort}` : sourceIp;
  return given === "" ? hop : `${given}, ${hop}`;
}

/** A client's root is kept, and the load balancer adds itself. */
function traceId(given: string | string[] | undefined, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000)
    .toString(16)
    .padStart(8, "0");
  const own = `1-${seconds}-${randomBytes(12).toString("hex")}`;
  const fields = [given ?? []]
    .flat()
    .join(";")
    .split(";")
    .filter((field) => field !== "" && !field.startsWith("Self="));
  return fields.some((field) => field.startsWith("Root=")) ? `Self=${own};${fields.join(";")}` : `Root=${own}`;
}

function connectionOptions({ headers }: IncomingMessage): ReadonlySet<string> {
  if (!headers.connection) return NO_OPTIONS;
  return new Set(headers.connection.split(",").map((option) => option.trim().toLowerCase()));
}
const NO_OPTIONS: ReadonlySet<string> = new Set();

function pairs(raw: readonly string[]): [name: string, value: string][] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]!] as [string, string]] : []));
}
