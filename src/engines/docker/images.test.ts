import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceParts } from "./images.ts";

const digest = `sha256:${"0".repeat(64)}`;

for (const [reference, repository, tag, itsDigest] of [
  ["debian", "debian", undefined, undefined],
  ["debian:12", "debian", "12", undefined],
  ["localhost:5000/app", "localhost:5000/app", undefined, undefined],
  ["localhost:5000/team/app:v1", "localhost:5000/team/app", "v1", undefined],
  [`registry.example/app@${digest}`, "registry.example/app", undefined, digest],
  [`registry.example:443/app:v1@${digest}`, "registry.example:443/app", "v1", digest],
] as const) {
  test(`${reference} is taken apart`, () => {
    assert.deepEqual(referenceParts(reference), { repository, tag, digest: itsDigest });
  });
}
