/**
 * The values that `x-amz-content-sha256` can take beside a hash in hexadecimal.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 */
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** The SHA-256 of no bytes. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export interface StreamingMode {
  /** Every chunk, and the trailer if there is one, carries a signature that continues the request's own. */
  readonly signed: boolean;
  /** Headers follow the last chunk. */
  readonly trailer: boolean;
}

const STREAMING_MODES: ReadonlyMap<string, StreamingMode> = new Map([
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", { signed: true, trailer: false }],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", { signed: true, trailer: true }],
  ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", { signed: false, trailer: true }],
]);

/** How an `aws-chunked` body is framed, or undefined where the value announces no such body. */
export function streamingMode(payloadHash: string): StreamingMode | undefined {
  return STREAMING_MODES.get(payloadHash);
}

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** Whether the text is 32 bytes in lower-case hexadecimal, as hashes and signatures are written in SigV4. */
export function isSha256Hex(text: string): boolean {
  return SHA256_HEX.test(text);
}
