import assert from "node:assert/strict";
import { test } from "node:test";
import { base32, findStep, fromBase32, stepAt, totpCode } from "./totp.ts";

const SEED = Buffer.from("12345678901234567890");

test("codes are those of RFC 6238's appendix B, in six digits", () => {
  for (const [seconds, code] of [
    [59, "287082"],
    [1111111109, "081804"],
    [1111111111, "050471"],
    [1234567890, "005924"],
    [2000000000, "279037"],
    [20000000000, "353130"],
  ] as const) {
    assert.equal(totpCode(SEED, stepAt(new Date(seconds * 1000))), code);
  }
});

test("Base32 is RFC 4648's and comes back", () => {
  assert.equal(base32(Buffer.from("foobar")), "MZXW6YTBOI");
  assert.equal(base32(SEED), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  for (let length = 0; length < 20; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + 200) & 255));
    assert.deepEqual(fromBase32(base32(bytes)), bytes);
  }
  assert.throws(() => fromBase32("A1"), RangeError);
});

test("two codes must follow one another", () => {
  const codes = [totpCode(SEED, 100), totpCode(SEED, 101)];
  assert.equal(findStep(SEED, codes, 95, 105), 100);
  assert.equal(findStep(SEED, codes, 101, 105), undefined);
  assert.equal(findStep(SEED, codes.toReversed(), 95, 105), undefined);
  assert.equal(findStep(SEED, ["28708"], 0, 5), undefined);
});
