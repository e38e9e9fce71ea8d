import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, mismatches, valueAt } from "./matching.ts";

describe("what a scenario expects", () => {
  const actual = { name: "web", arn: "arn:aws:ecr:x", tags: [{ key: "b" }, { key: "a" }], nothing: null, count: 2 };

  const held: readonly Json[] = [
    {},
    { name: "web", count: 2 },
    { tags: [{ key: "b" }, {}] },
    { arn: { $match: "^arn:" } },
    { name: { $any: true }, other: { $absent: true } },
    { tags: { $length: 2 }, name: { $length: 3 } },
    { tags: { $includes: [{ key: "a" }] } },
    { nothing: null },
  ];
  for (const expected of held)
    it(`holds: ${JSON.stringify(expected)}`, () => assert.deepEqual(mismatches(expected, actual), []));

  const broken: readonly [Json, RegExp][] = [
    [{ name: "api" }, /^\$\.name: expected "api", got "web"$/],
    [{ other: "x" }, /^\$\.other: expected "x", got nothing$/],
    [{ count: "2" }, /^\$\.count: expected "2", got 2$/],
    [{ tags: [{ key: "b" }] }, /1 elements/],
    [{ tags: [{ key: "a" }, { key: "b" }] }, /^\$\.tags\[0\]\.key/],
    [{ tags: {} }, /an object/],
    [{ arn: { $match: "^urn:" } }, /\^urn:/],
    [{ count: { $match: "2" } }, /a string like/],
    [{ nothing: { $any: true } }, /anything, got null/],
    [{ name: { $absent: true } }, /nothing, got "web"/],
    [{ tags: { $length: 3 } }, /a length of 3/],
    [{ tags: { $includes: [{ key: "c" }] } }, /an element like/],
  ];
  for (const [expected, sentence] of broken) {
    it(`does not hold: ${JSON.stringify(expected)}`, () =>
      assert.match(mismatches(expected, actual).join("\n"), sentence));
  }

  it("refuses a matcher that it does not know", () => {
    assert.throws(() => mismatches({ name: { $regex: "w" } }, actual), /is no matcher/);
  });

  it("finds a value by its path", () => {
    assert.equal(valueAt(actual, "tags[1].key"), "a");
    assert.equal(valueAt(actual, "tags[7].key"), undefined);
    assert.equal(valueAt(actual, "name.first"), undefined);
  });
});
