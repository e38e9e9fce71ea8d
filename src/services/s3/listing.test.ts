import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Cursor, cursorAt, keyEncoder, listing } from "./listing.ts";

interface Entry {
  readonly key: string;
}

/** Everything, read page by page as a client does. */
async function pages(keys: readonly string[], prefix: string, delimiter: string, limit: number): Promise<string[]> {
  const sorted = [...new Set(keys)].sort().filter((key) => key.startsWith(prefix));
  const seen: string[] = [];
  let cursor: Cursor<Entry> = { key: "" };
  for (;;) {
    const page = await listing({ prefix, delimiter, limit }, cursor, async ({ key }, count) =>
      sorted
        .filter((candidate) => candidate > key)
        .slice(0, count)
        .map((candidate) => ({ key: candidate })),
    );
    assert.ok(page.entries.length + page.commonPrefixes.length <= limit);
    seen.push(...page.entries.map((entry) => entry.key), ...page.commonPrefixes);
    if (!page.next) return seen.sort();
    cursor = cursorAt("entry" in page.next ? page.next.entry.key : page.next.commonPrefix, { prefix, delimiter });
  }
}

/** What AWS's page says a list is. */
function expected(keys: readonly string[], prefix: string, delimiter: string): string[] {
  const rolled = keys
    .filter((key) => key.startsWith(prefix))
    .map((key) => {
      const at = key.indexOf(delimiter, prefix.length);
      return at < 0 ? key : key.slice(0, at + delimiter.length);
    });
  return [...new Set(rolled)].sort();
}

test("pages of any size add up to the whole list, every common prefix once", async () => {
  const key = fc.string({ unit: fc.constantFrom("a", "b", "/"), minLength: 1, maxLength: 6 });
  const prefix = fc.constantFrom("", "a", "a/", "b/a");
  await fc.assert(
    fc.asyncProperty(
      fc.array(key, { maxLength: 30 }),
      prefix,
      fc.integer({ min: 1, max: 5 }),
      async (keys, at, limit) => {
        assert.deepEqual(await pages(keys, at, "/", limit), expected(keys, at, "/"));
      },
    ),
  );
});

test("keys are encoded for XML as AWS does, slashes left alone", () => {
  assert.equal(keyEncoder("url")("a b/c+ü&\u0001"), "a%20b/c%2B%C3%BC%26%01");
  assert.equal(keyEncoder(undefined)("a b"), "a b");
});
