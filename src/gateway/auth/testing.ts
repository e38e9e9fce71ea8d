/** The client's side of streamed bodies, for tests. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { EMPTY_SHA256 } from "./payload-hash.ts";
import { parseAuthorization, type SignedRequest, sign, type Verified, Verifier } from "./sigv4.ts";

/** The example that runs through AWS's pages on chunked uploads (sigv4-streaming, sigv4-streaming-trailers). */
export const EXAMPLE = {
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  scope: { region: "us-east-1", service: "s3" },
  time: new Date("2013-05-24T00:00:00Z"),
  body: Buffer.alloc(66560, "a"),
} as const;

export const SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
export const SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
export const UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

export function verifiedExample(
  payloadHash: string,
  extra: Record<string, string>,
): { verified: Verified; headers: Record<string, string> } {
  const request: SignedRequest = {
    method: "PUT",
    path: "/examplebucket/chunkObject.txt",
    rawQuery: "",
    headers: {
      host: "s3.amazonaws.com",
      "x-amz-content-sha256": payloadHash,
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      ...extra,
    },
    body: undefined,
  };
  const headers = sign(request, EXAMPLE.credentials, EXAMPLE.scope, EXAMPLE.time);
  return { verified: verifiedWith({ ...request, headers }), headers };
}

function verifiedWith(request: SignedRequest): Verified {
  const authorization = parseAuthorization(request);
  assert.ok(authorization);
  return new Verifier().verify(request, authorization, EXAMPLE.credentials.secretAccessKey, EXAMPLE.time);
}

/** A client's side of the framing, written from AWS's description and independent of the decoder. */
export function framed(
  mode: string,
  verified: Verified,
  chunks: readonly Uint8Array[],
  trailers: Record<string, string> = {},
): Buffer {
  const signed = mode !== UNSIGNED_TRAILER;
  let previous = verified.authorization.signature;
  const next = (algorithm: string, rest: string) => {
    const toSign = [algorithm, verified.authorization.amzDate, verified.scope, previous, rest].join("\n");
    previous = createHmac("sha256", verified.key).update(toSign).digest("hex");
    return previous;
  };
  const parts: Uint8Array[] = [];
  for (const chunk of [...chunks, new Uint8Array()]) {
    const digest = createHash("sha256").update(chunk).digest("hex");
    const extension = signed
      ? `;chunk-signature=${next("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_SHA256}\n${digest}`)}`
      : "";
    parts.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`));
    if (chunk.length > 0) parts.push(chunk, Buffer.from("\r\n"));
  }
  const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}`);
  for (const line of lines) parts.push(Buffer.from(`${line}\r\n`));
  if (mode === SIGNED_TRAILER) {
    const digest = createHash("sha256")
      .update(lines.map((line) => `${line}\n`).join(""))
      .digest("hex");
    parts.push(Buffer.from(`x-amz-trailer-signature:${next("AWS4-HMAC-SHA256-TRAILER", digest)}\r\n`));
  }
  parts.push(Buffer.from("\r\n"));
  return Buffer.concat(parts);
}
