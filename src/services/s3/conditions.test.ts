import assert from "node:assert/strict";
import { test } from "node:test";
import { readOutcome, writeOutcome } from "./conditions.ts";

const version = { etag: "abc", lastModified: Date.parse("2026-01-01T00:00:00.500Z") };
const same = new Date("2026-01-01T00:00:00Z");
const before = new Date("2025-12-31T00:00:00Z");

test("reads", () => {
  assert.equal(readOutcome({}, version), "send");
  assert.equal(readOutcome({ IfMatch: '"abc"' }, version), "send");
  assert.equal(readOutcome({ IfMatch: '"x", "abc"' }, version), "send");
  assert.equal(readOutcome({ IfMatch: "x" }, version), "failed");
  assert.equal(readOutcome({ IfNoneMatch: '"abc"' }, version), "not-modified");
  assert.equal(readOutcome({ IfNoneMatch: "*" }, version), "not-modified");
  assert.equal(readOutcome({ IfNoneMatch: "x" }, version), "send");
  assert.equal(readOutcome({ IfModifiedSince: same }, version), "not-modified", "HTTP dates have no milliseconds");
  assert.equal(readOutcome({ IfModifiedSince: before }, version), "send");
  assert.equal(readOutcome({ IfUnmodifiedSince: same }, version), "send");
  assert.equal(readOutcome({ IfUnmodifiedSince: before }, version), "failed");
  assert.equal(
    readOutcome({ IfMatch: "abc", IfUnmodifiedSince: before }, version),
    "send",
    "the ETag outweighs the date",
  );
  assert.equal(readOutcome({ IfNoneMatch: "x", IfModifiedSince: same }, version), "send");
});

test("writes", () => {
  assert.equal(writeOutcome({}, version), "write");
  assert.equal(writeOutcome({ IfNoneMatch: "*" }, undefined), "write");
  assert.equal(writeOutcome({ IfNoneMatch: "*" }, version), "failed");
  assert.equal(writeOutcome({ IfMatch: '"abc"' }, version), "write");
  assert.equal(writeOutcome({ IfMatch: '"x"' }, version), "failed");
  assert.equal(writeOutcome({ IfMatch: '"abc"' }, undefined), "absent");
});
