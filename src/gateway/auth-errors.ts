/**
 * Codes for requests that cannot be authenticated, by protocol. JSON services name exceptions, Query services codes, S3
 * its own. https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import type { SignatureErrorDetails } from "./auth/sigv4.ts";
import { WireError } from "./errors.ts";
import type { Service } from "./service.ts";

export type AuthorizationReason =
  | "missing"
  | "unknown"
  | "invalid-token"
  | "expired"
  | "incomplete"
  | "malformed-query"
  | "mismatch"
  | "signature-expired"
  | "skewed"
  | "body-hash"
  | "unsigned-header";

type Answer = readonly [code: string, status: number];

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

const SENTENCES: Readonly<Record<AuthorizationReason, string>> = {
  missing: "Missing Authentication Token",
  unknown: "The security token included in the request is invalid.",
  "invalid-token": "The security token included in the request is invalid.",
  expired: "The security token included in the request is expired",
  incomplete: "The Authorization header is incomplete",
  "malformed-query": "Query-string authentication is malformed",
  mismatch: MISMATCH,
  "signature-expired": "Request has expired",
  skewed: "The difference between the request time and the current time is too large.",
  "body-hash": MISMATCH,
  "unsigned-header": MISMATCH,
};

const JSON_ANSWERS: Readonly<Record<AuthorizationReason, Answer>> = {
  missing: ["MissingAuthenticationTokenException", 400],
  unknown: ["UnrecognizedClientException", 400],
  "invalid-token": ["UnrecognizedClientException", 400],
  expired: ["ExpiredTokenException", 400],
  incomplete: ["IncompleteSignatureException", 400],
  "malformed-query": ["IncompleteSignatureException", 400],
  mismatch: ["InvalidSignatureException", 400],
  "signature-expired": ["InvalidSignatureException", 400],
  skewed: ["InvalidSignatureException", 400],
  "body-hash": ["InvalidSignatureException", 400],
  "unsigned-header": ["InvalidSignatureException", 400],
};

const QUERY_ANSWERS: Readonly<Record<AuthorizationReason, Answer>> = {
  missing: ["MissingAuthenticationToken", 403],
  unknown: ["InvalidClientTokenId", 403],
  "invalid-token": ["InvalidClientTokenId", 403],
  expired: ["ExpiredToken", 403],
  incomplete: ["IncompleteSignature", 400],
  "malformed-query": ["IncompleteSignature", 400],
  mismatch: ["SignatureDoesNotMatch", 403],
  "signature-expired": ["SignatureDoesNotMatch", 403],
  skewed: ["SignatureDoesNotMatch", 403],
  "body-hash": ["SignatureDoesNotMatch", 403],
  "unsigned-header": ["SignatureDoesNotMatch", 403],
};

const QUERY_SENTENCES: Partial<Record<AuthorizationReason, string>> = {
  missing: "Request is missing Authentication Token",
};

const S3_ANSWERS: Readonly<Record<AuthorizationReason, Answer>> = {
  missing: ["AccessDenied", 403],
  unknown: ["InvalidAccessKeyId", 403],
  "invalid-token": ["InvalidToken", 400],
  expired: ["ExpiredToken", 400],
  incomplete: ["AuthorizationHeaderMalformed", 400],
  "malformed-query": ["AuthorizationQueryParametersError", 400],
  mismatch: ["SignatureDoesNotMatch", 403],
  "signature-expired": ["AccessDenied", 403],
  skewed: ["RequestTimeTooSkewed", 403],
  "body-hash": ["XAmzContentSHA256Mismatch", 400],
  "unsigned-header": ["AccessDenied", 403],
};

const S3_SENTENCES: Partial<Record<AuthorizationReason, string>> = {
  missing: "Access Denied",
  unknown: "The AWS Access Key Id you provided does not exist in our records.",
  "invalid-token": "The provided token is malformed or otherwise invalid.",
  expired: "The provided token has expired.",
};

/** `message` is the verifier's own, more exact sentence where it has one. */
export function authenticationError(
  service: Service | undefined,
  reason: AuthorizationReason,
  message?: string,
  details: SignatureErrorDetails = {},
): WireError {
  const [answers, sentences] = wording(service);
  const [code, status] = answers[reason];
  const elements = answers === S3_ANSWERS ? s3Elements(details) : {};
  return new WireError(code, status, message ?? sentences[reason] ?? SENTENCES[reason], elements);
}

/** Of which S3's client libraries read the times; those that are not known are left out of the body. */
function s3Elements(details: SignatureErrorDetails): Readonly<Record<string, unknown>> {
  return {
    StringToSign: details.stringToSign,
    CanonicalRequest: details.canonicalRequest,
    HeadersNotSigned: details.unsignedHeaders?.join(", "),
    RequestTime: details.requestTime,
    "X-Amz-Expires": details.expiresSeconds,
    Expires: details.expires && withoutFractions(details.expires),
    ServerTime: details.serverTime && withoutFractions(details.serverTime),
    MaxAllowedSkewMilliseconds: details.maximumSkewMs,
  };
}

function withoutFractions(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

type Wording = readonly [
  answers: Readonly<Record<AuthorizationReason, Answer>>,
  sentences: Partial<Record<AuthorizationReason, string>>,
];

function wording(service: Service | undefined): Wording {
  if (service?.protocol === "restXml") return [S3_ANSWERS, S3_SENTENCES];
  if (service?.protocol === "awsQuery") return [QUERY_ANSWERS, QUERY_SENTENCES];
  return [JSON_ANSWERS, {}];
}
