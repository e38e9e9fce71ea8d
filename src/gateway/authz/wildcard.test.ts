import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ANY_CHARACTER, ANY_SEQUENCE, matchesWildcard, toLiteral, toWildcard, type Wildcard } from "./wildcard.ts";

/** The definition itself, exponential as it is. */
function naive(pattern: Wildcard, text: string): boolean {
  const [code, ...rest] = pattern;
  if (code === undefined) return text === "";
  if (code === ANY_SEQUENCE) return naive(rest, text) || (text !== "" && naive(pattern, text.slice(1)));
  return text !== "" && (code === ANY_CHARACTER || code === text.charCodeAt(0)) && naive(rest, text.slice(1));
}

suite("wildcards", () => {
  test("match as their definition does", () => {
    // A small alphabet, so that matches and near misses are common.
    const patterns = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 7 });
    const texts = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 8 });
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        const wildcard = toWildcard(pattern);
        assert.equal(matchesWildcard(wildcard, text), naive(wildcard, text));
      }),
      { numRuns: 2000 },
    );
  });

  test("a literal matches itself and nothing else", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, other) => {
        assert.ok(matchesWildcard(toLiteral(text), text));
        assert.equal(matchesWildcard(toLiteral(text), other), text === other);
      }),
    );
  });

  test("a pattern made to blow up a backtracking matcher comes to its end", () => {
    const pattern = toWildcard(`${"*a".repeat(60)}b`);
    assert.equal(matchesWildcard(pattern, "a".repeat(5000)), false);
  });
});
