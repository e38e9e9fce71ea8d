/** Reading SigV4's authentication data off a request, before anything is known about its key. */
import { hash } from "node:crypto";
import { amzDateMilliseconds, toAmzDate } from "./amz-date.ts";
import { uriDecoded } from "./canonical-request.ts";
import { isSha256Hex, UNSIGNED_PAYLOAD } from "./payload-hash.ts";
import { SignatureError } from "./signature-error.ts";

/** A request as it came in. */
export interface SignedRequest {
  method: string;
  /** Raw, as on the wire: neither decoded nor normalised, without the query. */
  path: string;
  /** Without the question mark; the empty string where there is none. */
  rawQuery: string;
  /** Names in lower case. The values of a repeated header are joined with ",". */
  headers: Record<string, string | undefined>;
  /** undefined where the body is streamed; its hash is then checked by `payloadDecoder`. */
  body: Uint8Array | undefined;
}

export interface Authorization {
  accessKeyId: string;
  /** `YYYYMMDD` of the credential scope. */
  date: string;
  region: string;
  service: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  amzDate: string;
  /** The same in milliseconds since the epoch. */
  time: number;
  /** 64 hexadecimal digits. */
  signature: string;
  /** Lower case, in the order in which they were signed. */
  signedHeaders: string[];
  presigned: boolean;
  /** Of a presigned URL; undefined otherwise, and where a service other than S3 was given none. */
  expiresSeconds: number | undefined;
  sessionToken: string | undefined;
  /** What the client declares of the body: a SHA-256, UNSIGNED-PAYLOAD or one of the STREAMING- values. */
  payloadHash: string | undefined;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
/** Presigned URLs are valid for a week at most. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
const MAXIMUM_EXPIRES_SECONDS = 604_800;

/**
 * The request's authorization by header or presigned query, or undefined for a request that carries neither (anonymous).
 * Only the form is checked, not the signature. Throws SignatureError `incomplete` or `malformed-query`.
 */
export function parseAuthorization(request: SignedRequest): Authorization | undefined {
  const header = request.headers.authorization;
  const presigned = request.rawQuery.includes("X-Amz-Algorithm=") || request.rawQuery.includes("X-Amz-Signature=");
  if (header === undefined) return presigned ? queryAuthorization(request) : undefined;
  if (presigned) {
    throw new SignatureError(
      "malformed-query",
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
    );
  }
  return headerAuthorization(header, request);
}

function headerAuthorization(header: string, request: SignedRequest): Authorization {
  const fields = new Map<string, string>();
  if (header.startsWith(`${ALGORITHM} `)) {
    for (const piece of header.slice(ALGORITHM.length + 1).split(",")) {
      const field = piece.trim();
      const equals = field.indexOf("=");
      if (equals < 0) {
        throw new SignatureError(
          "incomplete",
          `'${field}' not a valid key=value pair (missing equal-sign) in Authorization header ${hashed(header)}.`,
        );
      }
      fields.set(field.slice(0, equals), field.slice(equals + 1));
    }
  }
  const credential = fields.get("Credential");
  const signature = fields.get("Signature");
  const signedHeaders = fields.get("SignedHeaders");
  const amzDate = headerDate(request.headers);
  if (!credential || !signature || !signedHeaders || amzDate === undefined) {
    const missing = [
      credential ? "" : "Authorization header requires 'Credential' parameter. ",
      signature ? "" : "Authorization header requires 'Signature' parameter. ",
      signedHeaders ? "" : "Authorization header requires 'SignedHeaders' parameter. ",
      amzDate ? "" : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
    ].join("");
    throw new SignatureError("incomplete", `${missing}Authorization header ${hashed(header)}.`);
  }
  const scope = credentialScope(credential);
  if (scope === undefined) {
    throw new SignatureError(
      "incomplete",
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    );
  }
  const time = amzDateMilliseconds(amzDate);
  if (time === undefined) {
    throw new SignatureError("incomplete", `Date must be in ISO-8601 'basic format'. Got '${amzDate}'.`);
  }
  return {
    ...scope,
    amzDate,
    time,
    signature: checkedSignature(signature, "mismatch"),
    signedHeaders: signedHeaders.split(";"),
    presigned: false,
    expiresSeconds: undefined,
    sessionToken: request.headers["x-amz-security-token"],
    payloadHash: request.headers["x-amz-content-sha256"],
  };
}

/** AWS never echoes an Authorization header: it could be a password in the wrong place. */
function hashed(header: string): string {
  return `(hashed with SHA-256 and encoded with Base64): '${hash("sha256", header, "base64")}'`;
}

function headerDate(headers: SignedRequest["headers"]): string | undefined {
  if (headers["x-amz-date"] !== undefined) return headers["x-amz-date"];
  const time = headers.date === undefined ? Number.NaN : Date.parse(headers.date);
  return Number.isNaN(time) ? undefined : toAmzDate(new Date(time));
}

function queryAuthorization(request: SignedRequest): Authorization {
  const parameters = amzParameters(request.rawQuery);
  const algorithm = parameters.get("X-Amz-Algorithm");
  const credential = parameters.get("X-Amz-Credential");
  const signature = parameters.get("X-Amz-Signature");
  const amzDate = parameters.get("X-Amz-Date");
  const signedHeaders = parameters.get("X-Amz-SignedHeaders");
  const expires = parameters.get("X-Amz-Expires");
  const scope = credential === undefined ? undefined : credentialScope(credential);
  const expiresRequired = scope?.service === "s3" && expires === undefined;
  if (!algorithm || !credential || !signature || !amzDate || !signedHeaders || expiresRequired) {
    throw malformedQuery(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  if (algorithm !== ALGORITHM) throw malformedQuery(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  if (scope === undefined) {
    throw malformedQuery(
      `Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`,
    );
  }
  const time = amzDateMilliseconds(amzDate);
  if (time === undefined) {
    throw malformedQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  const headerHash = request.headers["x-amz-content-sha256"];
  return {
    ...scope,
    amzDate,
    time,
    signature: checkedSignature(signature, "malformed-query"),
    signedHeaders: signedHeaders.split(";"),
    presigned: true,
    expiresSeconds: expires === undefined ? undefined : expiresSeconds(expires),
    sessionToken: parameters.get("X-Amz-Security-Token"),
    payloadHash:
      parameters.get("X-Amz-Content-Sha256") ?? headerHash ?? (scope.service === "s3" ? UNSIGNED_PAYLOAD : undefined),
  };
}

function amzParameters(rawQuery: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const piece of rawQuery.split("&")) {
    if (!piece.startsWith("X-Amz-")) continue;
    const equals = piece.indexOf("=");
    if (equals < 0) continue;
    const name = piece.slice(0, equals);
    if (parameters.has(name)) throw malformedQuery(`The query parameter ${name} must be given only once.`);
    parameters.set(name, uriDecoded(piece.slice(equals + 1)));
  }
  return parameters;
}

function expiresSeconds(text: string): number {
  const seconds = /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (seconds === undefined) throw malformedQuery("X-Amz-Expires should be a number");
  if (seconds < 0) throw malformedQuery("X-Amz-Expires must be non-negative");
  if (seconds > MAXIMUM_EXPIRES_SECONDS) {
    throw malformedQuery(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAXIMUM_EXPIRES_SECONDS} seconds`,
    );
  }
  return seconds;
}

function credentialScope(
  credential: string,
): Pick<Authorization, "accessKeyId" | "date" | "region" | "service"> | undefined {
  const [accessKeyId, date, region, service, term, ...more] = credential.split("/");
  if (!accessKeyId || !date || !region || !service || term !== "aws4_request" || more.length > 0) return undefined;
  return { accessKeyId, date, region, service };
}

function checkedSignature(signature: string, reason: "mismatch" | "malformed-query"): string {
  if (isSha256Hex(signature)) return signature;
  throw new SignatureError(
    reason,
    "The request signature we calculated does not match the signature you provided. A signature is 64 lower-case hexadecimal digits.",
  );
}

function malformedQuery(message: string): SignatureError {
  return new SignatureError("malformed-query", message);
}
