import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Cipher } from "./cipher.ts";

const OLD = "ab".repeat(32);
const NEW = "cd".repeat(32);

function withFile(run: (file: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "slipway-cipher-"));
  try {
    run(join(folder, "data", "master.key"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withEnvironment<T>(keys: string, run: () => T): T {
  process.env.SLIPWAY_MASTER_KEY = keys;
  try {
    return run();
  } finally {
    delete process.env.SLIPWAY_MASTER_KEY;
  }
}

test("what was sealed opens for its purpose only, and not when a letter was changed", () => {
  const cipher = new Cipher(Buffer.from(OLD, "hex"));
  const sealed = cipher.seal("a", "text");
  assert.equal(cipher.open("a", sealed)?.toString(), "text");
  assert.equal(cipher.open("b", sealed), undefined);
  for (let index = 0; index < sealed.length; index++) {
    const changed = sealed.slice(0, index) + (sealed[index] === "A" ? "B" : "A") + sealed.slice(index + 1);
    assert.equal(cipher.open("a", changed), undefined);
  }
  for (const other of ["", "A", sealed.slice(1), `${sealed}A`, `${sealed}=`, ` ${sealed}`]) {
    assert.equal(cipher.open("a", other), undefined);
  }
  assert.notEqual(cipher.seal("a", "text"), sealed);
});

test("the key's file is made once, for its owner only, and made so again", () => {
  withFile((file) => {
    const sealed = Cipher.open(file).seal("a", "text");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(file, "..")), ["master.key"]);
    assert.match(readFileSync(file, "utf8"), /^[0-9a-f]{64}$/);
    chmodSync(file, 0o644);
    assert.equal(Cipher.open(file).open("a", sealed)?.toString(), "text");
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });
});

test("a key's file that is cut short is refused, not replaced", () => {
  withFile((file) => {
    Cipher.open(file);
    writeFileSync(file, "abcd");
    assert.throws(() => Cipher.open(file), /32 bytes/);
    assert.equal(readFileSync(file, "utf8"), "abcd");
  });
});

test("SLIPWAY_MASTER_KEY comes first; a new key before the old one seals, and both open", () => {
  withFile((file) => {
    const sealedBefore = withEnvironment(OLD, () => Cipher.open(file).seal("a", "old"));
    const both = withEnvironment(`${NEW},${OLD}`, () => Cipher.open(file));
    assert.equal(both.open("a", sealedBefore)?.toString(), "old");
    const sealedAfter = both.seal("a", "new");
    const onlyNew = withEnvironment(NEW, () => Cipher.open(file));
    assert.equal(onlyNew.open("a", sealedAfter)?.toString(), "new");
    assert.equal(onlyNew.open("a", sealedBefore), undefined);
  });
});

for (const keys of ["abcd", `${NEW},`, `${NEW} ${OLD}`, "x".repeat(64)]) {
  test(`SLIPWAY_MASTER_KEY of ${keys.length} characters that is no key is refused`, () => {
    withFile((file) => assert.throws(() => withEnvironment(keys, () => Cipher.open(file)), /64 hex digits/));
  });
}
