/**
 * The cookies that keep a client with a target or a target group.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
 */
import type { IncomingMessage } from "node:http";
import type { RawHeaders } from "./forwarded-headers.ts";
import type { LiveTarget } from "./live-target.ts";
import type { TargetPool } from "./target-pool.ts";

const TARGET_COOKIE = "AWSALB";
const APPLICATION_COOKIE = "AWSALBAPP-0";
const GROUP_COOKIE = "AWSALBTG";

/** The token of the target that the client shall stay with. */
export function stickyTarget(request: IncomingMessage, pool: TargetPool): string | undefined {
  if (!pool.stickiness) return undefined;
  return cookie(request, pool.stickiness.type === "lb_cookie" ? TARGET_COOKIE : APPLICATION_COOKIE);
}

/** The token of the target group that the client shall stay with. */
export function stickyGroup(request: IncomingMessage): string | undefined {
  return cookie(request, GROUP_COOKIE);
}

/** Adds the cookies for this target to the response's headers. */
export function addTargetCookie(
  headers: RawHeaders,
  pool: TargetPool,
  target: LiveTarget,
  now: Date,
  secure: boolean,
): void {
  const { stickiness } = pool;
  if (!stickiness) return;
  if (stickiness.type === "lb_cookie") {
    addCookies(headers, TARGET_COOKIE, target.token, stickiness.seconds, now, secure);
    return;
  }
  // The application begins the session by setting its own cookie.
  const begins = headers.some(
    (name, index) =>
      index % 2 === 0 &&
      name.toLowerCase() === "set-cookie" &&
      headers[index + 1]!.startsWith(`${stickiness.cookieName}=`),
  );
  if (begins) {
    headers.push(
      "Set-Cookie",
      `${APPLICATION_COOKIE}=${target.token}; Expires=${expiry(stickiness.seconds, now)}; Path=/`,
    );
  }
}

export function addGroupCookie(
  headers: RawHeaders,
  pool: TargetPool,
  seconds: number,
  now: Date,
  secure: boolean,
): void {
  addCookies(headers, GROUP_COOKIE, pool.token, seconds, now, secure);
}

/** A second one for requests from other sites, which browsers send only with SameSite=None. */
function addCookies(
  headers: RawHeaders,
  name: string,
  token: string,
  seconds: number,
  now: Date,
  secure: boolean,
): void {
  const attributes = `Expires=${expiry(seconds, now)}; Path=/`;
  headers.push("Set-Cookie", `${name}=${token}; ${attributes}`);
  headers.push("Set-Cookie", `${name}CORS=${token}; ${attributes}; SameSite=None${secure ? "; Secure" : ""}`);
}

const expiry = (seconds: number, now: Date) => new Date(now.getTime() + seconds * 1000).toUTCString();

function cookie({ headers }: IncomingMessage, name: string): string | undefined {
  if (headers.cookie === undefined) return undefined;
  for (const pair of headers.cookie.split(";")) {
    const [key = "", value = ""] = pair.trim().split("=", 2);
    if (key === name || key === `${name}CORS`) return value;
  }
  return undefined;
}
