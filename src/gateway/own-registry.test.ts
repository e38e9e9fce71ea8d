import assert from "node:assert/strict";
import { test } from "node:test";
import { ownImage, pulledNames } from "./own-registry.ts";

const HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
const DIGEST = "sha256:abc";

test("only names of ECR are of Slipway's own registry", () => {
  assert.deepEqual(ownImage(`${HOST}/team/app:1`), { accountId: "111122223333", region: "eu-west-1", host: HOST });
  for (const other of ["app", `${HOST}/`, `evil.test/${HOST}/app`, "slipway/standard:1", "127.0.0.1:4566/app:1"]) {
    assert.equal(ownImage(other), undefined, other);
    assert.deepEqual(pulledNames(4566, other, DIGEST), []);
  }
});

test("a pull gives a tag's image the tag and the digest", () => {
  const local = `127.0.0.1:4566/${HOST}/team/app`;
  assert.deepEqual(pulledNames(4566, `${HOST}/team/app:1`, DIGEST), [`${local}:1`, `${local}@${DIGEST}`]);
  assert.deepEqual(pulledNames(4566, `${HOST}/team/app`, DIGEST), [local, `${local}@${DIGEST}`]);
  assert.deepEqual(pulledNames(4566, `${HOST}/team/app:1`, undefined), [`${local}:1`]);
  assert.deepEqual(pulledNames(4566, `${HOST}/team/app@${DIGEST}`, DIGEST), [`${local}@${DIGEST}`]);
});
