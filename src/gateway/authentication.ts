/** Who signed a request: checks the signature, and gives each protocol its own words for what is wrong. */

import { parseAuthorization, SignatureError, type Verified, type Verifier } from "./auth/sigv4.ts";
import { authenticationError } from "./auth-errors.ts";
import { type Principal, rootPrincipal, type System } from "./context.ts";
import { WireError } from "./errors.ts";
import type { WireRequest } from "./protocols/protocol.ts";
import type { Service } from "./service.ts";

export type ParsedAuthorization = NonNullable<ReturnType<typeof parseAuthorization>>;

export interface Authenticated {
  readonly principal: Principal;
  /** undefined where `--accept-any-credentials` took an unknown key without checking, which it does on loopback only. */
  readonly verified: Verified | undefined;
}

/** The request's authorization; undefined for unsigned requests. */
export function authorizationOf(request: WireRequest, service: Service | undefined): ParsedAuthorization | undefined {
  return translated(service, () => parseAuthorization(request));
}

export async function authenticate(
  system: System,
  verifier: Verifier,
  service: Service,
  request: WireRequest,
  authorization: ParsedAuthorization | undefined,
  fromLoopback: boolean,
): Promise<Authenticated> {
  if (!authorization && service.name === "s3" && hasSignatureVersion2(request)) {
    const sentence = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
    throw new WireError("InvalidRequest", 400, sentence);
  }
  if (!authorization) throw authenticationError(service, "missing");
  const now = system.clock.now();
  const { accessKeyId, sessionToken } = authorization;
  const known = await system.identities.authenticate(accessKeyId, sessionToken, now);
  if (typeof known === "string") {
    if (system.config.acceptAnyCredentials && fromLoopback && known === "unknown") {
      const accountId = /^\d{12}$/.test(accessKeyId) ? accessKeyId : system.config.accountId;
      return { principal: rootPrincipal(accountId, accessKeyId), verified: undefined };
    }
    throw authenticationError(service, known);
  }
  const verified = translated(service, () => verifier.verify(request, authorization, known.secretAccessKey, now));
  system.identities.recordUse?.(accessKeyId, service.signingName, authorization.region, now);
  return { principal: known.principal, verified };
}

function translated<T>(service: Service | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    // "expired" alone is the session token's word; a signature expires too.
    const reason = error.reason === "expired" ? "signature-expired" : error.reason;
    throw authenticationError(service, reason, error.message, error.details);
  }
}

/** What older clients make, and AWS takes for buckets from before June 2020 only. */
function hasSignatureVersion2({ rawQuery, headers }: WireRequest): boolean {
  return headers.authorization?.startsWith("AWS ") === true || /(^|&)AWSAccessKeyId=/.test(rawQuery);
}
