import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { decrypted, encrypted, keyIdOf } from "./ciphertext.ts";

const id = randomUUID();
const material = randomBytes(32);
const plaintext = Buffer.from("secret");

test("a ciphertext names its key and opens under the same context, in any order", () => {
  const blob = encrypted(id, material, plaintext, { a: "1", b: "2" });
  assert.equal(keyIdOf(blob), id);
  assert.deepEqual(decrypted(material, blob, { b: "2", a: "1" }), plaintext);
});

test("another context, another key or a changed byte does not open it", () => {
  const blob = encrypted(id, material, plaintext, { a: "1" });
  assert.equal(decrypted(material, blob, { a: "2" }), undefined);
  assert.equal(decrypted(material, blob, {}), undefined);
  assert.equal(decrypted(randomBytes(32), blob, { a: "1" }), undefined);
  for (let index = 0; index < blob.length; index++) {
    const changed = Buffer.from(blob);
    changed[index]! ^= 1;
    assert.equal(decrypted(material, changed, { a: "1" }), undefined, `byte ${index}`);
  }
});

test("what is no ciphertext names no key", () => {
  assert.equal(keyIdOf(Buffer.alloc(0)), undefined);
  assert.equal(keyIdOf(Buffer.alloc(100)), undefined);
  assert.equal(keyIdOf(encrypted(id, material, plaintext, {}).subarray(0, 44)), undefined);
});
