import assert from "node:assert/strict";
import { test } from "node:test";
import type { System } from "#gateway/context.ts";
import { isPassword, PasswordHashing, passwordHashing } from "./password-hash.ts";

/** Made by Slipway before its hashes cost more. */
const OLD = "scrypt$16384$8$1$RKZZQ1BkyVcpHexdBc412w$XGLYsXytJR1mbXMD179EStYstkOO-PAXGfpq3ktqrp4";

test("a password costs what OWASP recommends unless a test says otherwise, and old hashes go on to count", async () => {
  const hashing = passwordHashing({} as System);
  const hashed = await hashing.hash("Tr0ub4dor");
  const [name, N, r, p] = hashed.split("$");
  assert.equal(name, "scrypt");
  assert.ok(Number(N) * Number(r) * Number(p) >= 2 ** 15 * 8 * 3, hashed);
  assert.ok(await isPassword("Tr0ub4dor", hashed));
  assert.ok(!(await isPassword("Tr0ub4doR", hashed)));
  assert.ok(!hashing.isOutdated(hashed));
  assert.ok(await isPassword("Tr0ub4dor", OLD));
  assert.ok(!(await isPassword("other", OLD)));
  assert.ok(hashing.isOutdated(OLD));
  assert.notEqual((await hashing.hash("Tr0ub4dor")).split("$")[4], hashed.split("$")[4], "a salt each");
});

test("a hash that costs more is not made cheaper", async () => {
  const dear = await new PasswordHashing({ N: 2 ** 10, r: 8, p: 2 }).hash("x");
  assert.ok(!new PasswordHashing({ N: 2 ** 10, r: 8, p: 1 }).isOutdated(dear));
});
