/**
 * Streamed request bodies of S3 whose integrity the request declares: plain ones with a hash, and `aws-chunked` ones.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html (signed chunks)
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html (trailers)
 */
import { createHash, createHmac, type Hash, hash, timingSafeEqual } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { type Checksum, checksumAlgorithm, createChecksum } from "./checksums.ts";
import { PayloadError } from "./payload-error.ts";
import { EMPTY_SHA256, isSha256Hex, type StreamingMode, streamingMode } from "./payload-hash.ts";
import type { Verified } from "./sigv4.ts";

export { PayloadError, type PayloadErrorReason } from "./payload-error.ts";

/** A signed chunk is held in memory until its signature is known to be good. The SDKs send 64 KiB to 1 MiB. */
const MAXIMUM_SIGNED_CHUNK = 16 * 1024 * 1024;
/** S3 takes a smaller chunk only as the last one (InvalidChunkSizeError). */
const MINIMUM_CHUNK = 8192;
/** A size of 16 digits, an extension with a signature, or a trailer line fit many times over. */
const MAXIMUM_LINE = 4096;
const MAXIMUM_TRAILERS = 16;

/**
 * What the body of a request has to be piped through, or undefined where it is taken as it is (UNSIGNED-PAYLOAD).
 * `verified` is undefined for an anonymous request, whose chunks cannot be signed. Fails with a PayloadError before the body's last byte is released, so that nobody downstream sees
 * the end of a body that is not the client's. Throws PayloadError where the headers themselves are wrong.
 */
export function payloadDecoder(
  verified: Verified | undefined,
  headers: Record<string, string | undefined>,
): HashChecker | AwsChunkedDecoder | undefined {
  const payloadHash = verified === undefined ? headers["x-amz-content-sha256"] : verified.authorization.payloadHash;
  if (payloadHash === undefined) return undefined;
  const mode = streamingMode(payloadHash);
  if (mode !== undefined)
    return new AwsChunkedDecoder(verified, mode, decodedLength(headers), trailerChecksums(mode, headers));
  return isSha256Hex(payloadHash) ? new HashChecker(payloadHash) : undefined;
}

function decodedLength(headers: Record<string, string | undefined>): number {
  const text = headers["x-amz-decoded-content-length"];
  if (text === undefined || !/^\d{1,15}$/.test(text)) {
    throw new PayloadError("length-required", "You must provide the Content-Length HTTP header.");
  }
  return Number(text);
}

/** A running checksum for every trailer that `x-amz-trailer` announces. */
function trailerChecksums(mode: StreamingMode, headers: Record<string, string | undefined>): Map<string, Checksum> {
  const checksums = new Map<string, Checksum>();
  if (!mode.trailer) return checksums;
  for (const piece of (headers["x-amz-trailer"] ?? "").split(",")) {
    const name = piece.trim().toLowerCase();
    if (name === "") continue;
    const algorithm = checksumAlgorithm(name);
    if (algorithm === undefined) {
      throw new PayloadError("malformed", "The value specified in the x-amz-trailer header is not supported");
    }
    checksums.set(name, createChecksum(algorithm));
  }
  return checksums;
}

/** Keeps the latest piece back until the end of the body has been judged. */
abstract class JudgedTransform extends Transform {
  #held: Buffer | undefined;

  protected release(piece: Buffer): void {
    if (this.#held !== undefined) this.push(this.#held);
    this.#held = piece;
  }

  protected abstract accept(data: Buffer): void;
  /** Throws where the body as a whole is wrong. */
  protected abstract judge(): void;

  override _transform(data: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.accept(data);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      this.judge();
    } catch (error) {
      done(error as Error);
      return;
    }
    if (this.#held !== undefined) this.push(this.#held);
    done();
  }
}

/** A plain body whose SHA-256 was declared and signed. */
export class HashChecker extends JudgedTransform {
  readonly #expected: string;
  readonly #hash = createHash("sha256");

  constructor(expected: string) {
    super();
    this.#expected = expected;
  }

  protected override accept(data: Buffer): void {
    this.#hash.update(data);
    this.release(data);
  }

  protected override judge(): void {
    if (this.#hash.digest("hex") === this.#expected) return;
    throw new PayloadError("body-hash", "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
}

/**
 * Takes the framing off an `aws-chunked` body:
 *
 *     size ──size > 0──▶ data ──▶ data-end ──▶ size
 *       └───size = 0───▶ trailers ──▶ done
 */
export class AwsChunkedDecoder extends JudgedTransform {
  readonly #mode: StreamingMode;
  readonly #verified: Verified | undefined;
  readonly #decodedLength: number;
  readonly #checksums: ReadonlyMap<string, Checksum>;

  #state: "size" | "data" | "data-end" | "trailers" | "done" = "size";
  #line = "";
  #remaining = 0;
  #received = 0;
  #lastSize: number | undefined;
  /** Of the signed chunk at hand. */
  #pieces: Buffer[] = [];
  #chunkHash: Hash | undefined;
  #chunkSignature = "";
  /** The chain: every signature signs its predecessor, the first one the request's. */
  #previousSignature: string;
  #trailers: Record<string, string> = {};
  #trailerText = "";
  #trailerSigned = false;

  constructor(
    verified: Verified | undefined,
    mode: StreamingMode,
    decodedLength: number,
    checksums: ReadonlyMap<string, Checksum>,
  ) {
    super();
    this.#verified = verified;
    this.#mode = mode;
    this.#decodedLength = decodedLength;
    this.#checksums = checksums;
    this.#previousSignature = verified?.authorization.signature ?? "";
  }

  /** Lower-case names and values, verified; complete once the stream has ended. */
  get trailers(): Readonly<Record<string, string>> {
    return this.#trailers;
  }

  protected override accept(data: Buffer): void {
    let rest = data;
    while (rest.length > 0) rest = this.#state === "data" ? this.#takeData(rest) : this.#takeLine(rest);
  }

  #takeData(data: Buffer): Buffer {
    const piece = data.subarray(0, this.#remaining);
    this.#remaining -= piece.length;
    for (const checksum of this.#checksums.values()) checksum.update(piece);
    if (this.#mode.signed) {
      this.#chunkHash?.update(piece);
      this.#pieces.push(piece);
    } else {
      this.release(piece);
    }
    if (this.#remaining === 0) this.#endChunk();
    return data.subarray(piece.length);
  }

  #endChunk(): void {
    if (this.#chunkHash !== undefined) {
      const rest = `${EMPTY_SHA256}\n${this.#chunkHash.digest("hex")}`;
      this.#checkSignature("AWS4-HMAC-SHA256-PAYLOAD", rest, this.#chunkSignature);
      for (const piece of this.#pieces) this.release(piece);
      this.#pieces = [];
    }
    this.#state = "data-end";
  }

  #takeLine(data: Buffer): Buffer {
    const newline = data.indexOf(0x0a);
    const end = newline < 0 ? data.length : newline + 1;
    if (this.#line.length + end > MAXIMUM_LINE) throw malformed("a line of the chunked encoding is too long");
    this.#line += data.toString("latin1", 0, end);
    if (newline >= 0) {
      const line = this.#line;
      this.#line = "";
      this.#takeWholeLine(line);
    }
    return data.subarray(end);
  }

  #takeWholeLine(line: string): void {
    if (this.#state === "trailers") {
      this.#takeTrailer(line.trim());
      return;
    }
    if (this.#state === "done") throw malformed("data follows the last chunk");
    if (!line.endsWith("\r\n")) throw malformed("a line does not end with CRLF");
    const text = line.slice(0, -2);
    if (this.#state === "size") this.#startChunk(text);
    else if (text === "") this.#state = "size";
    else throw malformed("a chunk is longer than its size says");
  }

  #startChunk(header: string): void {
    const match = /^([0-9a-fA-F]{1,13})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(header);
    if (match === null || (match[2] !== undefined) !== this.#mode.signed)
      throw malformed("a chunk header is malformed");
    const size = Number.parseInt(match[1]!, 16);
    this.#checkSize(size);
    this.#chunkSignature = match[2] ?? "";
    if (size === 0) {
      if (this.#mode.signed) {
        this.#checkSignature("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_SHA256}\n${EMPTY_SHA256}`, this.#chunkSignature);
      }
      this.#state = "trailers";
      return;
    }
    this.#remaining = size;
    this.#chunkHash = this.#mode.signed ? createHash("sha256") : undefined;
    this.#state = "data";
  }

  #checkSize(size: number): void {
    if (this.#mode.signed && size > MAXIMUM_SIGNED_CHUNK) {
      throw new PayloadError("chunk-size", `A signed chunk must not be larger than ${MAXIMUM_SIGNED_CHUNK} bytes`);
    }
    if (size > 0 && this.#lastSize !== undefined && this.#lastSize < MINIMUM_CHUNK) {
      throw new PayloadError(
        "chunk-size",
        `Only the last chunk is allowed to have a size less than ${MINIMUM_CHUNK} bytes`,
      );
    }
    this.#lastSize = size;
    this.#received += size;
    if (this.#received > this.#decodedLength)
      throw malformed("the body is longer than x-amz-decoded-content-length says");
  }

  #takeTrailer(line: string): void {
    if (line === "") {
      // AWS's own description has an empty line before the trailer's signature as well.
      if (!this.#mode.signed || !this.#mode.trailer || this.#trailerSigned) this.#state = "done";
      return;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (colon <= 0 || !this.#mode.trailer || this.#trailerSigned) throw malformedTrailer();
    if (name === "x-amz-trailer-signature") {
      if (!this.#mode.signed) throw malformedTrailer();
      this.#checkSignature("AWS4-HMAC-SHA256-TRAILER", hash("sha256", this.#trailerText), value);
      this.#trailerSigned = true;
      return;
    }
    if (!this.#checksums.has(name) || Object.hasOwn(this.#trailers, name)) throw malformedTrailer();
    if (Object.keys(this.#trailers).length >= MAXIMUM_TRAILERS) throw malformedTrailer();
    this.#trailers[name] = value;
    this.#trailerText += `${name}:${value}\n`;
  }

  #checkSignature(algorithm: string, rest: string, signature: string): void {
    const expected = this.#expectedSignature(algorithm, rest);
    if (
      expected === undefined ||
      !isSha256Hex(signature) ||
      !timingSafeEqual(expected, Buffer.from(signature, "hex"))
    ) {
      throw new PayloadError(
        "chunk-signature",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      );
    }
    this.#previousSignature = signature;
  }

  #expectedSignature(algorithm: string, rest: string): Buffer | undefined {
    if (this.#verified === undefined) return undefined;
    const { key, scope, authorization } = this.#verified;
    const toSign = `${algorithm}\n${authorization.amzDate}\n${scope}\n${this.#previousSignature}\n${rest}`;
    return createHmac("sha256", key).update(toSign).digest();
  }

  protected override judge(): void {
    // Some clients leave out the empty line at the very end.
    const ended = this.#state === "done" || (this.#state === "trailers" && this.#line === "");
    if (!ended || this.#received !== this.#decodedLength) {
      throw new PayloadError(
        "incomplete",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
      );
    }
    if (this.#mode.trailer && this.#mode.signed && !this.#trailerSigned) throw malformedTrailer();
    for (const [name, checksum] of this.#checksums) {
      if (this.#trailers[name] === undefined) throw malformedTrailer();
      if (this.#trailers[name] !== checksum.digest()) {
        const algorithm = name.slice("x-amz-checksum-".length).toUpperCase();
        throw new PayloadError("checksum", `The ${algorithm} you specified did not match the calculated checksum.`);
      }
    }
  }
}

function malformed(what: string): PayloadError {
  return new PayloadError("malformed", `The request body is not well-formed aws-chunked data: ${what}.`);
}

function malformedTrailer(): PayloadError {
  return new PayloadError(
    "trailer",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );
}
