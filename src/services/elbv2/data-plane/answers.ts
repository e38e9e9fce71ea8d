/**
 * What the load balancer answers itself: errors, redirects, fixed responses. The pages are those of ALB.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
 */
import type { ServerResponse } from "node:http";
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { RoutedRequest } from "./rule-matcher.ts";

const SERVER = "awselb/2.0";

const TITLES = {
  301: "301 Moved Permanently",
  302: "302 Found",
  502: "502 Bad Gateway",
  503: "503 Service Temporarily Unavailable",
  504: "504 Gateway Time-out",
} as const;

export type GatewayStatus = 502 | 503 | 504;

export function answerPage(response: ServerResponse, status: keyof typeof TITLES, location?: string): void {
  const title = TITLES[status];
  const lines = ["<html>", `<head><title>${title}</title></head>`, "<body>", `<center><h1>${title}</h1></center>`];
  const page = [...lines, "</body>", "</html>", ""].join("\r\n");
  answer(response, status, "text/html", page, location === undefined ? {} : { Location: location });
}

/** For what AWS has no page, because a client would not get so far: a name or port that does not exist. */
export function answerSentence(response: ServerResponse, status: number, sentence: string): void {
  answer(response, status, "text/plain; charset=utf-8", `${sentence}\n`);
}

export function answerFixed(response: ServerResponse, config: sdk.FixedResponseActionConfig): void {
  const type = config.ContentType ?? "text/plain";
  answer(response, Number(config.StatusCode), `${type}; charset=utf-8`, config.MessageBody ?? "");
}

export function answerRedirect(
  response: ServerResponse,
  config: sdk.RedirectActionConfig,
  origin: { readonly protocol: "HTTP" | "HTTPS"; readonly port: number },
  request: RoutedRequest,
): void {
  answerPage(response, config.StatusCode === "HTTP_301" ? 301 : 302, redirectLocation(config, origin, request));
}

/** `origin.port` is the one that the client used. */
export function redirectLocation(
  config: sdk.RedirectActionConfig,
  origin: { readonly protocol: "HTTP" | "HTTPS"; readonly port: number },
  request: RoutedRequest,
): string {
  const values: Readonly<Record<string, string>> = {
    protocol: origin.protocol.toLowerCase(),
    host: request.host,
    port: String(origin.port),
    path: request.path.slice(1),
    query: request.query,
  };
  const filled = (template: string) =>
    template.replace(/#\{(protocol|host|port|path|query)\}/g, (_, name: string) => values[name]!);
  const {
    Protocol = "#{protocol}",
    Host = "#{host}",
    Port = "#{port}",
    Path = "/#{path}",
    Query = "#{query}",
  } = config;
  const query = filled(Query);
  const authority = `${filled(Protocol).toLowerCase()}://${filled(Host)}:${filled(Port)}`;
  return `${authority}${filled(Path)}${query === "" ? "" : `?${query}`}`;
}

function answer(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    Server: SERVER,
    "Content-Type": type,
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  });
  response.end(body);
}
