/**
 * Why a streamed body was refused, and S3's error code for it:
 * `length-required` MissingContentLength, `malformed` InvalidRequest, `chunk-size` InvalidChunkSizeError,
 * `chunk-signature` SignatureDoesNotMatch, `body-hash` XAmzContentSHA256Mismatch, `trailer` MalformedTrailerError,
 * `checksum` BadDigest, `incomplete` IncompleteBody.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export type PayloadErrorReason =
  | "length-required"
  | "malformed"
  | "chunk-size"
  | "chunk-signature"
  | "body-hash"
  | "trailer"
  | "checksum"
  | "incomplete";

export class PayloadError extends Error {
  override readonly name = "PayloadError";
  readonly reason: PayloadErrorReason;

  constructor(reason: PayloadErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
