import assert from "node:assert/strict";
import { test } from "node:test";
import { accountOfAccessKey, newAccessKeyId } from "./access-key-id.ts";

test("the account can be read from a key id", () => {
  for (const account of ["000000000000", "000000000001", "387543059434", "999999999999"]) {
    for (const prefix of ["AKIA", "ASIA"] as const) {
      const id = newAccessKeyId(prefix, account);
      assert.match(id, new RegExp(`^${prefix}[A-Z2-7]{16}$`));
      assert.equal(accountOfAccessKey(id), account);
    }
  }
});

test("a published key id of AWS's decodes as AWS decodes it", () => {
  // https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489
  assert.equal(accountOfAccessKey("ASIAQNZGKIQY56JQ7WML"), "029608264753");
});

test("what is no key id has no account", () => {
  for (const id of [
    "",
    "AKIA",
    "AKIDEXAMPLE",
    "AKIAIOSFODNN7EXAMPLE",
    "AROAQNZGKIQY56JQ7WML",
    "ASIAQNZGKIQY56JQ7WM1",
  ]) {
    assert.equal(accountOfAccessKey(id), undefined, id);
  }
});

test("ids differ", () => {
  assert.equal(new Set(Array.from({ length: 100 }, () => newAccessKeyId("AKIA", "111122223333"))).size, 100);
});
