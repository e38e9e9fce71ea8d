import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { type ChecksumAlgorithm, checksumAlgorithm, createChecksum } from "./checksums.ts";

/** Of the nine bytes "123456789": the check values of the CRC catalogue (reveng.sourceforge.io), and FIPS 180's hashes. */
const CHECK_VALUES: Record<ChecksumAlgorithm, string> = {
  crc32: "cbf43926",
  crc32c: "e3069283",
  crc64nvme: "ae8b14860a799888",
  sha1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
  sha256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
};
const ALGORITHMS = Object.keys(CHECK_VALUES) as ChecksumAlgorithm[];

function digest(algorithm: ChecksumAlgorithm, ...pieces: Uint8Array[]): string {
  const checksum = createChecksum(algorithm);
  for (const piece of pieces) checksum.update(piece);
  return checksum.digest();
}

suite("checksums", () => {
  for (const algorithm of ALGORITHMS) {
    test(`${algorithm} of the check string`, () => {
      const expected = Buffer.from(CHECK_VALUES[algorithm], "hex").toString("base64");
      assert.equal(digest(algorithm, Buffer.from("123456789")), expected);
    });

    test(`${algorithm} does not depend on how the data is cut`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 100 }), (data, cut) => {
          assert.equal(digest(algorithm, data.subarray(0, cut), data.subarray(cut)), digest(algorithm, data));
        }),
      );
    });
  }

  test("header names", () => {
    assert.equal(checksumAlgorithm("x-amz-checksum-crc64nvme"), "crc64nvme");
    assert.equal(checksumAlgorithm("x-amz-checksum-toString"), undefined);
    assert.equal(checksumAlgorithm("crc32"), undefined);
  });
});
