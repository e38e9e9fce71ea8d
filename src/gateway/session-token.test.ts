import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Cipher } from "./cipher.ts";
import { openSession, type Session, sealSession } from "./session-token.ts";

const SESSION: Session = {
  accessKeyId: "ASIAQNZGKIQY56JQ7WML",
  secretAccessKey: "secret",
  expiration: 1,
  principal: { type: "AssumedRole", arn: "arn:…", accountId: "111122223333", userId: "AROA:s" },
  policies: ['{"Version":"2012-10-17"}'],
};

test("a token opens to what was sealed, with the same master key only", () => {
  const key = randomBytes(32);
  const token = sealSession(new Cipher(key), SESSION);
  assert.deepEqual(openSession(new Cipher(key), token), SESSION);
  assert.equal(openSession(new Cipher(randomBytes(32)), token), undefined);
});

test("a changed token, or something sealed for another purpose, does not open", () => {
  const cipher = new Cipher(randomBytes(32));
  const token = sealSession(cipher, SESSION);
  const middle = token.length >> 1;
  const changed = token.slice(0, middle) + (token[middle] === "A" ? "B" : "A") + token.slice(middle + 1);
  assert.equal(openSession(cipher, changed), undefined);
  assert.equal(openSession(cipher, cipher.seal("other", JSON.stringify(SESSION))), undefined);
  assert.equal(openSession(cipher, `${token}!`), undefined);
  assert.equal(openSession(cipher, ""), undefined);
});

test("the secret cannot be read from the token", () => {
  const token = sealSession(new Cipher(randomBytes(32)), SESSION);
  assert.ok(!Buffer.from(token, "base64url").toString("latin1").includes("secret"));
});

test("a token can be longer than it need be, by no more than it must", () => {
  const cipher = new Cipher(randomBytes(32));
  const { length } = sealSession(cipher, SESSION);
  for (const size of [0, length, length + 1, length + 2, length + 3, 1000, 4096]) {
    const token = sealSession(cipher, SESSION, size);
    assert.ok(token.length >= size && token.length <= Math.max(length, size + 2), `${token.length} for ${size}`);
    assert.deepEqual(openSession(cipher, token), SESSION);
  }
});
