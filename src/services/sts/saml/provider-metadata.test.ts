import assert from "node:assert/strict";
import { test } from "node:test";
import { XmlError } from "#gateway/federation/xml.ts";
import { ParsedMetadata } from "./provider-metadata.ts";

function counting() {
  const read = new Map<string, number>();
  const parsed = new ParsedMetadata((document) => {
    read.set(document, (read.get(document) ?? 0) + 1);
    if (document === "wrong") throw new XmlError("wrong");
    return { entityId: document, certificates: [], validUntil: undefined };
  });
  return { read, parsed };
}

test("documents are kept by their text, and those asked for last stay", () => {
  const { read, parsed } = counting();
  for (let index = 0; index < 1_000; index++) assert.equal(parsed.of(`m${index}`).entityId, `m${index}`);
  parsed.of("m0");
  assert.equal(read.get("m0"), 1);
  parsed.of("one more");
  parsed.of("m0");
  parsed.of("m2");
  parsed.of("m1");
  assert.deepEqual(
    ["m0", "m1", "m2"].map((document) => read.get(document)),
    [1, 2, 1],
  );
});

test("a document that cannot be read is tried again, and takes nobody's place", () => {
  const { read, parsed } = counting();
  assert.throws(() => parsed.of("wrong"), XmlError);
  assert.throws(() => parsed.of("wrong"), XmlError);
  assert.equal(read.get("wrong"), 2);
});
