/**
 * AWS Signature Version 4, verified and (for health calls and tests) made.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from "node:crypto";
import { toAmzDate } from "./amz-date.ts";
import type { Authorization, SignedRequest } from "./authorization.ts";
import { canonicalRequest } from "./canonical-request.ts";
import { EMPTY_SHA256, isSha256Hex, streamingMode, UNSIGNED_PAYLOAD } from "./payload-hash.ts";
import { SignatureError } from "./signature-error.ts";

export { type Authorization, parseAuthorization, type SignedRequest } from "./authorization.ts";
export { SignatureError, type SignatureErrorDetails, type SignatureErrorReason } from "./signature-error.ts";

export interface Verified {
  authorization: Authorization;
  /** The signing key, with which a chunked body continues the chain of signatures. */
  key: KeyObject;
  /** `YYYYMMDD/region/service/aws4_request`. */
  scope: string;
}

export interface VerifierOptions {
  /** Instead of what AWS grants: see `FIFTEEN_MINUTE_SERVICES`. */
  maximumSkewMs?: number;
}

const MINUTE_MS = 60_000;
/**
 * "In most cases, a request must reach AWS within five minutes of the time stamp in the request"
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), and so say ECS, KMS, CloudWatch Logs, CodeCommit and
 * Elastic Load Balancing when they refuse one: "(… - 5 min.)" (fabfuel/ecs-deploy#126, aws/aws-sdk-js#142). STS, IAM and ECR
 * say "(… - 15 min.)" (aws/aws-cli#6676, upmc-enterprises/registry-creds#47), and S3 answers RequestTimeTooSkewed beyond
 * 15 minutes (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
 */
const FIFTEEN_MINUTE_SERVICES: ReadonlySet<string> = new Set(["s3", "sts", "iam", "ecr"]);
/** A key is used for one day, region and service; so this many credentials and scopes are served without deriving anew. */
const SIGNING_KEYS = 1000;

/** Checks signatures. Keeps derived signing keys, never more than a fixed number of them; safe to share. */
export class Verifier {
  readonly #maximumSkewMs: number | undefined;
  readonly #keys = new Map<string, { secret: string; key: KeyObject }>();

  constructor(options: VerifierOptions = {}) {
    this.#maximumSkewMs = options.maximumSkewMs;
  }

  /** Throws SignatureError unless the request was signed with this secret and is timely. */
  verify(request: SignedRequest, authorization: Authorization, secretAccessKey: string, now: Date): Verified {
    const { amzDate, date, region, service, signedHeaders } = authorization;
    if (!amzDate.startsWith(date)) {
      throw new SignatureError(
        "mismatch",
        `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
      );
    }
    this.#checkTime(authorization, now);
    checkSignedHeaders(request.headers, authorization);

    const scope = `${date}/${region}/${service}/aws4_request`;
    const key = this.#signingKey(authorization, secretAccessKey);
    const canonical = canonicalRequest(request, service, signedHeaders, payloadHash(request, authorization));
    const toSign = stringToSign(amzDate, scope, canonical);
    const expected = createHmac("sha256", key).update(toSign).digest();
    if (!timingSafeEqual(expected, Buffer.from(authorization.signature, "hex"))) {
      throw new SignatureError("mismatch", mismatchMessage(service, canonical, toSign), {
        canonicalRequest: canonical,
        stringToSign: toSign,
      });
    }
    return { authorization, key, scope };
  }

  #checkTime(authorization: Authorization, now: Date): void {
    const { amzDate, time, service, presigned, expiresSeconds } = authorization;
    const skew = this.#maximumSkewMs ?? (FIFTEEN_MINUTE_SERVICES.has(service) ? 15 : 5) * MINUTE_MS;
    const early = time - now.getTime() > skew;
    if (presigned && expiresSeconds !== undefined) {
      if (early) throw new SignatureError("expired", "Request is not valid yet");
      const expires = new Date(time + expiresSeconds * 1000);
      if (now > expires) {
        throw new SignatureError("expired", "Request has expired", { expiresSeconds, expires, serverTime: now });
      }
      return;
    }
    const late = now.getTime() - time > skew;
    if (!early && !late) return;
    if (service === "s3") {
      throw new SignatureError("skewed", "The difference between the request time and the current time is too large.", {
        requestTime: amzDate,
        serverTime: now,
        maximumSkewMs: skew,
      });
    }
    const minutes = skew / MINUTE_MS;
    const limit = toAmzDate(new Date(now.getTime() + (late ? -skew : skew)));
    throw new SignatureError(
      "skewed",
      late
        ? `Signature expired: ${amzDate} is now earlier than ${limit} (${toAmzDate(now)} - ${minutes} min.)`
        : `Signature not yet current: ${amzDate} is still later than ${limit} (${toAmzDate(now)} + ${minutes} min.)`,
    );
  }

  #signingKey({ accessKeyId, date, region, service }: Authorization, secret: string): KeyObject {
    const id = `${accessKeyId}/${date}/${region}/${service}`;
    const cached = this.#keys.get(id);
    if (cached?.secret === secret) return cached.key;
    const key = signingKey(secret, date, region, service);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size >= SIGNING_KEYS && !oldest.done) this.#keys.delete(oldest.value);
    this.#keys.set(id, { secret, key });
    return key;
  }
}

/**
 * The host must be signed everywhere, or a captured request could be sent to another service. S3 refuses every `x-amz-`
 * header that is not signed, for such a header changes what the request does.
 */
function checkSignedHeaders(
  headers: SignedRequest["headers"],
  { signedHeaders, service, presigned }: Authorization,
): void {
  if (!signedHeaders.includes("host") && !signedHeaders.includes(":authority")) {
    throw new SignatureError(
      "unsigned-header",
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
      { unsignedHeaders: ["host"] },
    );
  }
  if (service !== "s3") return;
  const unsignedHeaders: string[] = [];
  for (const name in headers) {
    if (!name.startsWith("x-amz-") || headers[name] === undefined || signedHeaders.includes(name)) continue;
    // The hash is part of what is signed, whether or not its header is.
    if (presigned && name === "x-amz-content-sha256") continue;
    unsignedHeaders.push(name);
  }
  if (unsignedHeaders.length > 0) {
    throw new SignatureError("unsigned-header", "There were headers present in the request which were not signed", {
      unsignedHeaders,
    });
  }
}

/** The last line of the canonical request. A hash that the client declares must be that of the body. */
function payloadHash(request: SignedRequest, { payloadHash: declared, service, presigned }: Authorization): string {
  if (declared === undefined) {
    if (service === "s3") {
      throw new SignatureError("incomplete", "Missing required header for this request: x-amz-content-sha256");
    }
    return bodyHash(request.body);
  }
  if (declared === UNSIGNED_PAYLOAD && (service === "s3" || presigned)) return declared;
  if (service === "s3" && streamingMode(declared) !== undefined) return declared;
  if (!isSha256Hex(declared)) {
    throw new SignatureError(
      "body-hash",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    );
  }
  if (request.body !== undefined && bodyHash(request.body) !== declared) {
    throw new SignatureError(
      "body-hash",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return declared;
}

function bodyHash(body: Uint8Array | undefined): string {
  return body === undefined || body.length === 0 ? EMPTY_SHA256 : hash("sha256", body);
}

function stringToSign(amzDate: string, scope: string, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hash("sha256", canonical)}`;
}

function signingKey(secret: string, date: string, region: string, service: string): KeyObject {
  let key: Buffer = Buffer.from(`AWS4${secret}`);
  for (const part of [date, region, service, "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  return createSecretKey(key);
}

/** S3 sends the canonical request in elements of their own; the other services put it into the message. */
function mismatchMessage(service: string, canonical: string, toSign: string): string {
  const message = "The request signature we calculated does not match the signature you provided.";
  if (service === "s3") return `${message} Check your key and signing method.`;
  return `${message} Check your AWS Secret Access Key and signing method. Consult the service documentation for details.

The Canonical String for this request should have been
'${canonical}'

The String-to-Sign should have been
'${toSign}'
`;
}

export interface SigningCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * The headers with which to send the request: its own, which must include `host` and are all signed, and those of header
 * authorization. A body of undefined is signed as empty; give `x-amz-content-sha256` among the headers to sign another hash.
 */
export function sign(
  request: SignedRequest,
  credentials: SigningCredentials,
  { region, service }: { region: string; service: string },
  now: Date,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers[name] = value;
  headers["x-amz-date"] = toAmzDate(now);
  headers["x-amz-content-sha256"] ??= bodyHash(request.body);
  if (credentials.sessionToken !== undefined) headers["x-amz-security-token"] = credentials.sessionToken;

  const date = headers["x-amz-date"].slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const signedHeaders = Object.keys(headers).sort();
  const canonical = canonicalRequest({ ...request, headers }, service, signedHeaders, headers["x-amz-content-sha256"]);
  const signature = createHmac("sha256", signingKey(credentials.secretAccessKey, date, region, service))
    .update(stringToSign(headers["x-amz-date"], scope, canonical))
    .digest("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`;
  return headers;
}
