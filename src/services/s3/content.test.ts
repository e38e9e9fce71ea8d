import assert from "node:assert/strict";
import { test } from "node:test";
import { byteRange, slices } from "./content.ts";

test("byte ranges are read as RFC 9110 says", () => {
  assert.deepEqual(byteRange("bytes=0-4", 10), { start: 0, end: 4 });
  assert.deepEqual(byteRange("bytes=5-", 10), { start: 5, end: 9 });
  assert.deepEqual(byteRange("bytes=-3", 10), { start: 7, end: 9 });
  assert.deepEqual(byteRange("bytes=-30", 10), { start: 0, end: 9 });
  assert.deepEqual(byteRange("bytes=8-99", 10), { start: 8, end: 9 });
  assert.equal(byteRange("bytes=10-", 10), "unsatisfiable");
  assert.equal(byteRange("bytes=0-", 0), "unsatisfiable");
  assert.equal(byteRange("bytes=-0", 10), "unsatisfiable");
  for (const ignored of ["bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b"]) {
    assert.equal(byteRange(ignored, 10), undefined);
  }
});

test("a range over several segments touches those that it covers and no others", () => {
  const segments = [
    { sha256: "a", size: 3 },
    { sha256: "empty", size: 0 },
    { sha256: "b", size: 4 },
    { sha256: "c", size: 5 },
  ];
  assert.deepEqual(slices(segments, { start: 0, end: 11 }), [
    { sha256: "a", start: 0, end: 2 },
    { sha256: "b", start: 0, end: 3 },
    { sha256: "c", start: 0, end: 4 },
  ]);
  assert.deepEqual(slices(segments, { start: 2, end: 3 }), [
    { sha256: "a", start: 2, end: 2 },
    { sha256: "b", start: 0, end: 0 },
  ]);
  assert.deepEqual(slices(segments, { start: 8, end: 8 }), [{ sha256: "c", start: 1, end: 1 }]);
});
