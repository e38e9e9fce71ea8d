/**
 * Why a request's signature was refused, independent of the wire protocol. The gateway turns `reason` into the error code
 * of the protocol at hand:
 *
 * | reason            | JSON                                          | Query                 | S3                                |
 * | ----------------- | --------------------------------------------- | --------------------- | --------------------------------- |
 * | `incomplete`      | IncompleteSignatureException                  | IncompleteSignature   | AuthorizationHeaderMalformed      |
 * | `malformed-query` | IncompleteSignatureException                  | IncompleteSignature   | AuthorizationQueryParametersError |
 * | `mismatch`        | InvalidSignatureException                     | SignatureDoesNotMatch | SignatureDoesNotMatch             |
 * | `expired`         | InvalidSignatureException                     | SignatureDoesNotMatch | AccessDenied                      |
 * | `skewed`          | InvalidSignatureException                     | SignatureDoesNotMatch | RequestTimeTooSkewed              |
 * | `body-hash`       | InvalidSignatureException                     | SignatureDoesNotMatch | XAmzContentSHA256Mismatch         |
 * | `unsigned-header` | InvalidSignatureException                     | SignatureDoesNotMatch | AccessDenied                      |
 *
 * `expired` is a presigned URL outside its own validity; `skewed` is a request whose time differs too much from ours.
 */
export type SignatureErrorReason =
  | "incomplete"
  | "malformed-query"
  | "mismatch"
  | "expired"
  | "skewed"
  | "body-hash"
  | "unsigned-header";

/** What S3 tells beside code and message. */
export interface SignatureErrorDetails {
  readonly canonicalRequest?: string;
  readonly stringToSign?: string;
  readonly unsignedHeaders?: readonly string[];
  /** As it was sent. */
  readonly requestTime?: string;
  readonly serverTime?: Date;
  readonly maximumSkewMs?: number;
  /** Of a presigned URL. */
  readonly expiresSeconds?: number;
  readonly expires?: Date;
}

/** `message` is in AWS's words and fit to be sent to the client: it holds nothing that the client did not send. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
  readonly reason: SignatureErrorReason;
  readonly details: SignatureErrorDetails;

  constructor(reason: SignatureErrorReason, message: string, details: SignatureErrorDetails = {}) {
    super(message);
    this.reason = reason;
    this.details = details;
  }
}
