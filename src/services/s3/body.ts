/** Takes a request's body into the blob store and checks what the client said about it. */
import { Readable } from "node:stream";
import { type Checksum, type ChecksumAlgorithm, checksumAlgorithm, createChecksum } from "#gateway/auth/checksums.ts";
import type { Call } from "#gateway/context.ts";
import type { BlobInfo } from "#store/blobs/blob-store.ts";
import { CHECKSUM_ALGORITHMS, type Checksums, checksumName, givenChecksums, toAlgorithm } from "./checksums.ts";
import { invalidArgument, s3Error } from "./errors.ts";
import { blobsOf, dropBlob } from "./store/blob-uses.ts";

/** 5 GiB for a PUT and for a part. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_BODY_BYTES = 5 * 1024 ** 3;

export interface BodyInput extends Checksums {
  readonly Body?: Readable | undefined;
  readonly ContentMD5?: string | undefined;
  readonly ContentLength?: number | undefined;
  readonly ChecksumAlgorithm?: string | undefined;
}

export interface ReceivedBody extends BlobInfo {
  /** Those that the client gave or asked for; where there were none, the one by the given algorithm. */
  readonly checksums: Checksums;
}

/**
 * Throws BadDigest, InvalidDigest, IncompleteBody, EntityTooLarge, MissingContentLength. The blob has no user yet: the
 * caller uses or drops it.
 */
export async function receivedBody(input: BodyInput, call: Call, fallback: ChecksumAlgorithm): Promise<ReceivedBody> {
  const md5 = declaredMd5(input);
  requireLength(call);
  if ((input.ContentLength ?? 0) > MAX_BODY_BYTES) throw s3Error("EntityTooLarge");
  const body = await storedBody(input.Body ?? Readable.from([]), wantedAlgorithms(input, call, fallback), call);
  const given = givenChecksums(input);
  const wrong = CHECKSUM_ALGORITHMS.find((algorithm) => {
    const name = checksumName(algorithm);
    return given[name] !== undefined && given[name] !== body.checksums[name];
  });
  if (wrong === undefined && (md5 === undefined || md5 === body.md5)) return body;
  await dropBlob(call.system, call.db, body.sha256, call.now);
  throw wrong === undefined
    ? s3Error("BadDigest", { message: "The Content-MD5 you specified did not match what we received." })
    : s3Error("BadDigest", {
        message: `The ${wrong.toUpperCase()} you specified did not match the calculated checksum.`,
      });
}

/** Stores what the stream brings and computes the checksums meanwhile. */
export async function storedBody(
  source: Readable,
  algorithms: Iterable<ChecksumAlgorithm>,
  call: Call,
): Promise<ReceivedBody> {
  const running = new Map([...algorithms].map((algorithm) => [algorithm, createChecksum(algorithm)]));
  const blob = await blobsOf(call.system)
    .put(Readable.from(observed(source, running)))
    .catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ECONNRESET" ? s3Error("IncompleteBody") : error;
    });
  const checksums = Object.fromEntries(
    [...running].map(([algorithm, checksum]) => [checksumName(algorithm), checksum.digest()]),
  );
  return { ...blob, checksums };
}

async function* observed(source: Readable, running: ReadonlyMap<ChecksumAlgorithm, Checksum>): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw s3Error("EntityTooLarge");
    for (const checksum of running.values()) checksum.update(chunk);
    yield chunk;
  }
}

/** A checksum may come in a header, or behind the body in a trailer, which the gateway has compared already. */
function wantedAlgorithms(input: BodyInput, call: Call, fallback: ChecksumAlgorithm): ReadonlySet<ChecksumAlgorithm> {
  const given = givenChecksums(input);
  const wanted = new Set(CHECKSUM_ALGORITHMS.filter((algorithm) => given[checksumName(algorithm)] !== undefined));
  const announced = [
    toAlgorithm(input.ChecksumAlgorithm),
    ...(call.http?.headers["x-amz-trailer"] ?? "")
      .split(",")
      .map((name) => checksumAlgorithm(name.trim().toLowerCase())),
  ];
  for (const algorithm of announced) if (algorithm) wanted.add(algorithm);
  if (input.ChecksumAlgorithm !== undefined && !toAlgorithm(input.ChecksumAlgorithm)) {
    throw invalidArgument(
      "Checksum algorithm provided is unsupported.",
      "x-amz-sdk-checksum-algorithm",
      input.ChecksumAlgorithm,
    );
  }
  return wanted.size > 0 ? wanted : new Set([fallback]);
}

/** In hexadecimal. */
function declaredMd5({ ContentMD5 }: BodyInput): string | undefined {
  if (ContentMD5 === undefined) return undefined;
  const bytes = Buffer.from(ContentMD5, "base64");
  if (bytes.length !== 16 || bytes.toString("base64") !== ContentMD5) throw s3Error("InvalidDigest");
  return bytes.toString("hex");
}

/** Only requests over HTTP can lack it. */
function requireLength(call: Call): void {
  const headers = call.http?.headers;
  if (headers && headers["content-length"] === undefined && headers["x-amz-decoded-content-length"] === undefined) {
    throw s3Error("MissingContentLength");
  }
}
