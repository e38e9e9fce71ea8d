import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { suite, test } from "node:test";
import fc from "fast-check";
import { AwsChunkedDecoder, HashChecker, PayloadError, payloadDecoder } from "./aws-chunked.ts";
import { type ChecksumAlgorithm, createChecksum } from "./checksums.ts";
import { EXAMPLE, framed, SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, verifiedExample } from "./testing.ts";

/** What comes out of the decoder; the bytes are sent in pieces of the given size. */
async function decoded(decoder: HashChecker | AwsChunkedDecoder, body: Buffer, pieceSize = 1000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += pieceSize) pieces.push(body.subarray(at, at + pieceSize));
  const out: Buffer[] = [];
  await pipeline(Readable.from(pieces), decoder, async (source: AsyncIterable<Buffer>) => {
    for await (const piece of source) out.push(piece);
  });
  return Buffer.concat(out);
}

async function refused(decoder: HashChecker | AwsChunkedDecoder, body: Buffer, reason: string): Promise<Buffer> {
  const released: Buffer[] = [];
  decoder.on("data", (piece: Buffer) => released.push(piece));
  await assert.rejects(pipeline(Readable.from([body]), decoder), (error) => {
    assert.ok(error instanceof PayloadError, String(error));
    assert.equal(error.reason, reason);
    return true;
  });
  return Buffer.concat(released);
}

function decoderOf(mode: string, length: number, trailer?: string) {
  const { verified, headers } = verifiedExample(mode, {
    "x-amz-decoded-content-length": String(length),
    ...(trailer === undefined ? {} : { "x-amz-trailer": trailer }),
  });
  const decoder = payloadDecoder(verified, headers);
  assert.ok(decoder instanceof AwsChunkedDecoder);
  return { verified, decoder };
}

function checksumOf(algorithm: ChecksumAlgorithm, data: Uint8Array): string {
  const checksum = createChecksum(algorithm);
  checksum.update(data);
  return checksum.digest();
}

suite("AWS's examples", () => {
  const chunkBytes = (signatures: readonly [string, string, string], ending: string) =>
    Buffer.concat([
      Buffer.from(`10000;chunk-signature=${signatures[0]}\r\n`),
      EXAMPLE.body.subarray(0, 65536),
      Buffer.from(`\r\n400;chunk-signature=${signatures[1]}\r\n`),
      EXAMPLE.body.subarray(65536),
      Buffer.from(`\r\n0;chunk-signature=${signatures[2]}\r\n${ending}`),
    ]);

  test("signed chunks", async () => {
    const extra = {
      "content-encoding": "aws-chunked",
      "content-length": "66824",
      "x-amz-decoded-content-length": "66560",
    };
    const { verified, headers } = verifiedExample(SIGNED, extra);
    assert.equal(verified.authorization.signature, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    const decoder = payloadDecoder(verified, headers);
    assert.ok(decoder);
    const body = chunkBytes(
      [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
      ],
      "\r\n",
    );
    assert.ok((await decoded(decoder, body)).equals(EXAMPLE.body));
  });

  for (const [form, gap] of [
    ["as it is written", "\n\r\n"],
    ["as the SDKs send it", "\r\n"],
  ] as const) {
    test(`signed chunks with a trailer, ${form}`, async () => {
      const extra = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "x-amz-trailer": "x-amz-checksum-crc32c",
      };
      const { verified, headers } = verifiedExample(SIGNED_TRAILER, extra);
      assert.equal(
        verified.authorization.signature,
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
      );
      const decoder = payloadDecoder(verified, headers);
      assert.ok(decoder instanceof AwsChunkedDecoder);
      const body = chunkBytes(
        [
          "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
          "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
          "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        ],
        `x-amz-checksum-crc32c:sOO8/Q==${gap}x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n`,
      );
      assert.ok((await decoded(decoder, body)).equals(EXAMPLE.body));
      assert.deepEqual({ ...decoder.trailers }, { "x-amz-checksum-crc32c": "sOO8/Q==" });
    });
  }
});

suite("aws-chunked", () => {
  const algorithms = fc.constantFrom<ChecksumAlgorithm>("crc32", "crc32c", "crc64nvme", "sha1", "sha256");
  const chunkLists = fc
    .tuple(
      fc.array(fc.uint8Array({ minLength: 8192, maxLength: 9000 }), { maxLength: 2 }),
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
    )
    .map(([full, last]) => [...full, last]);

  test("decodes any chunks, however the bytes arrive", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER),
        chunkLists,
        algorithms,
        fc.integer({ min: 1, max: 5000 }),
        async (mode, chunks, algorithm, pieceSize) => {
          const whole = Buffer.concat(chunks);
          const name = `x-amz-checksum-${algorithm}`;
          const { verified, decoder } = decoderOf(mode, whole.length, mode === SIGNED ? undefined : name);
          const trailers: Record<string, string> = mode === SIGNED ? {} : { [name]: checksumOf(algorithm, whole) };
          const result = await decoded(decoder, framed(mode, verified, chunks, trailers), pieceSize);
          assert.ok(result.equals(whole));
          assert.deepEqual({ ...decoder.trailers }, trailers);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("an empty body", async () => {
    const { verified, decoder } = decoderOf(SIGNED, 0);
    assert.equal((await decoded(decoder, framed(SIGNED, verified, []))).length, 0);
  });

  const body = Buffer.from("hello, chunked world");
  const crc32 = { "x-amz-checksum-crc32": checksumOf("crc32", body) };
  const cases: [what: string, reason: string, make: () => { decoder: AwsChunkedDecoder; bytes: Buffer }][] = [
    [
      "a chunk changed on its way",
      "chunk-signature",
      () => {
        const { verified, decoder } = decoderOf(SIGNED, body.length);
        const bytes = framed(SIGNED, verified, [body]);
        bytes.write("jello", bytes.indexOf("hello"));
        return { decoder, bytes };
      },
    ],
    [
      "a body cut off after a whole chunk",
      "incomplete",
      () => {
        const { verified, decoder } = decoderOf(SIGNED, body.length);
        const bytes = framed(SIGNED, verified, [body]);
        return { decoder, bytes: bytes.subarray(0, bytes.indexOf("0;chunk")) };
      },
    ],
    [
      "chunks sent without their signatures",
      "malformed",
      () => {
        const { verified } = decoderOf(UNSIGNED_TRAILER, body.length);
        return { decoder: decoderOf(SIGNED, body.length).decoder, bytes: framed(UNSIGNED_TRAILER, verified, [body]) };
      },
    ],
    [
      "a checksum that is not the body's",
      "checksum",
      () => {
        const { verified, decoder } = decoderOf(UNSIGNED_TRAILER, body.length, "x-amz-checksum-crc32");
        const wrong = { "x-amz-checksum-crc32": checksumOf("crc32", Buffer.from("other")) };
        return { decoder, bytes: framed(UNSIGNED_TRAILER, verified, [body], wrong) };
      },
    ],
    [
      "a trailer that was announced and is missing",
      "trailer",
      () => {
        const { verified, decoder } = decoderOf(UNSIGNED_TRAILER, body.length, "x-amz-checksum-crc32");
        return { decoder, bytes: framed(UNSIGNED_TRAILER, verified, [body]) };
      },
    ],
    [
      "a trailer that was not announced",
      "trailer",
      () => {
        const { verified, decoder } = decoderOf(UNSIGNED_TRAILER, body.length);
        return { decoder, bytes: framed(UNSIGNED_TRAILER, verified, [body], crc32) };
      },
    ],
    [
      "a signed trailer changed on its way",
      "chunk-signature",
      () => {
        const { verified, decoder } = decoderOf(SIGNED_TRAILER, body.length, "x-amz-checksum-crc32");
        const bytes = framed(SIGNED_TRAILER, verified, [body], crc32);
        bytes.write("AAAA", bytes.indexOf(crc32["x-amz-checksum-crc32"]));
        return { decoder, bytes };
      },
    ],
    [
      "a signed trailer without its signature",
      "trailer",
      () => {
        const { verified, decoder } = decoderOf(SIGNED_TRAILER, body.length, "x-amz-checksum-crc32");
        const bytes = framed(SIGNED_TRAILER, verified, [body], crc32);
        return { decoder, bytes: bytes.subarray(0, bytes.indexOf("x-amz-trailer-signature")) };
      },
    ],
    [
      "more bytes than were declared",
      "malformed",
      () => {
        const { verified, decoder } = decoderOf(UNSIGNED_TRAILER, body.length - 1);
        return { decoder, bytes: framed(UNSIGNED_TRAILER, verified, [body]) };
      },
    ],
    [
      "fewer bytes than were declared",
      "incomplete",
      () => {
        const { verified, decoder } = decoderOf(UNSIGNED_TRAILER, body.length + 1);
        return { decoder, bytes: framed(UNSIGNED_TRAILER, verified, [body]) };
      },
    ],
    [
      "a small chunk before the last one",
      "chunk-size",
      () => {
        const { verified, decoder } = decoderOf(UNSIGNED_TRAILER, body.length * 2);
        return { decoder, bytes: framed(UNSIGNED_TRAILER, verified, [body, body]) };
      },
    ],
    [
      "a signed chunk too large to be held",
      "chunk-size",
      () => ({
        decoder: decoderOf(SIGNED, 2 ** 30).decoder,
        bytes: Buffer.from(`${(2 ** 30).toString(16)};chunk-signature=${"0".repeat(64)}\r\n`),
      }),
    ],
    [
      "a chunk header that never ends",
      "malformed",
      () => ({ decoder: decoderOf(UNSIGNED_TRAILER, 10).decoder, bytes: Buffer.alloc(5000, "1") }),
    ],
    [
      "a negative size",
      "malformed",
      () => ({ decoder: decoderOf(UNSIGNED_TRAILER, 10).decoder, bytes: Buffer.from("-5\r\nhello\r\n") }),
    ],
    [
      "a chunk longer than its size",
      "malformed",
      () => ({ decoder: decoderOf(UNSIGNED_TRAILER, 10).decoder, bytes: Buffer.from("3\r\nhello\r\n0\r\n\r\n") }),
    ],
    [
      "data after the last chunk",
      "malformed",
      () => {
        const { verified, decoder } = decoderOf(UNSIGNED_TRAILER, body.length);
        return { decoder, bytes: Buffer.concat([framed(UNSIGNED_TRAILER, verified, [body]), Buffer.from("5\r\n")]) };
      },
    ],
  ];
  for (const [what, reason, make] of cases) {
    test(`refuses ${what}, and does not release the whole body`, async () => {
      const { decoder, bytes } = make();
      const released = await refused(decoder, bytes, reason);
      assert.ok(released.length < body.length);
    });
  }

  test("an anonymous request may send chunks, but not signed ones", async () => {
    const headersOf = (mode: string) => ({ "x-amz-content-sha256": mode, "x-amz-decoded-content-length": "20" });
    const { verified } = decoderOf(SIGNED, body.length);
    const unsigned = payloadDecoder(undefined, headersOf(UNSIGNED_TRAILER));
    assert.ok(unsigned);
    assert.ok((await decoded(unsigned, framed(UNSIGNED_TRAILER, verified, [body]))).equals(body));
    const signed = payloadDecoder(undefined, headersOf(SIGNED));
    assert.ok(signed);
    await refused(signed, framed(SIGNED, verified, [body]), "chunk-signature");
  });

  test("needs the decoded length, and trailers that it knows", () => {
    const thrownFor = (extra: Record<string, string>) => {
      const { verified, headers } = verifiedExample(UNSIGNED_TRAILER, extra);
      try {
        payloadDecoder(verified, headers);
      } catch (error) {
        return error instanceof PayloadError ? error.reason : String(error);
      }
      return undefined;
    };
    assert.equal(thrownFor({}), "length-required");
    assert.equal(thrownFor({ "x-amz-decoded-content-length": "1e3" }), "length-required");
    assert.equal(
      thrownFor({ "x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-md4" }),
      "malformed",
    );
  });
});

suite("a plain streamed body", () => {
  const body = Buffer.alloc(5000, "b");
  const declared = createHash("sha256").update(body).digest("hex");

  function checker() {
    const { verified, headers } = verifiedExample(declared, {});
    const decoder = payloadDecoder(verified, headers);
    assert.ok(decoder instanceof HashChecker);
    return decoder;
  }

  test("passes where its hash holds", async () => assert.ok((await decoded(checker(), body)).equals(body)));

  test("fails before its last byte is released where it does not", async () => {
    const released = await refused(checker(), Buffer.concat([body, Buffer.from("c")]), "body-hash");
    assert.equal(released.length, 0);
  });

  test("needs no decoder where it is not signed", () => {
    const { verified, headers } = verifiedExample("UNSIGNED-PAYLOAD", {});
    assert.equal(payloadDecoder(verified, headers), undefined);
  });
});
