/** Who a client asks the egress proxy for: parsing of the two request-target forms that proxies get (RFC 9112 §3.2). */

export interface EgressTarget {
  /** Lower case, without IPv6's brackets and without a root dot. */
  readonly hostname: string;
  readonly port: number;
}

/** An absolute-form target: the host, and the rest as an origin server is asked for it. */
export interface AbsoluteTarget extends EgressTarget {
  /** As the client wrote it, port included where it was: the value of the Host header. */
  readonly authority: string;
  /** Path and query, at least "/". */
  readonly path: string;
}

const AUTHORITY = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i;
const ABSOLUTE = /^http:\/\/([^/?#]*)([^#]*)/i;
const HTTP_PORT = 80;

/** The target of `CONNECT host:port`; undefined where it is malformed or has no port. */
export function connectTarget(requestTarget: string): EgressTarget | undefined {
  return target(requestTarget, undefined);
}

/** The target of `GET http://host[:port]/path`; undefined where it is malformed or not plain HTTP. */
export function absoluteTarget(requestTarget: string): AbsoluteTarget | undefined {
  const [, authority = "", rest = ""] = ABSOLUTE.exec(requestTarget) ?? [];
  const parsed = target(authority, HTTP_PORT);
  return parsed && { ...parsed, authority, path: rest.startsWith("/") ? rest : `/${rest}` };
}

/** `host:port` for messages, IPv6 in brackets. */
export function displayName({ hostname, port }: EgressTarget): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function target(authority: string, defaultPort: number | undefined): EgressTarget | undefined {
  const match = AUTHORITY.exec(authority);
  const hostname = (match?.[1] ?? match?.[2] ?? "").toLowerCase().replace(/\.$/, "");
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (hostname === "" || port === undefined || port < 1 || port > 65_535) {
    return undefined;
  }
  return { hostname, port };
}
