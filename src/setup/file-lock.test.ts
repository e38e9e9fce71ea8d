import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileLockUnlessTaken, withFileLock } from "./file-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-lock-"));
after(() => rmSync(folder, { recursive: true }));

test("two callers in one process take turns", async () => {
  const path = join(folder, "turns");
  const events: string[] = [];
  const visit = (name: string) =>
    withFileLock(path, async () => {
      events.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} out`);
    });
  await Promise.all([visit("a"), visit("b")]);
  assert.deepEqual(events, ["a in", "a out", "b in", "b out"]);
});

test("work that fails lets the next one in", async () => {
  const path = join(folder, "failing");
  await assert.rejects(
    withFileLock(path, () => Promise.reject(new Error("no"))),
    /^Error: no$/,
  );
  assert.equal(await withFileLock(path, () => Promise.resolve("in")), "in");
});

test("a killed holder leaves nothing behind, a living one keeps others out", async () => {
  const path = join(folder, "killed");
  const module = new URL("./file-lock.ts", import.meta.url).href;
  const program = `const { withFileLock } = await import(${JSON.stringify(module)});
    await withFileLock(${JSON.stringify(path)}, () => { console.log("in"); return new Promise((r) => setTimeout(r, 1e6)); });`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  let holderIsDead = false;
  const next = withFileLock(path, () => Promise.resolve(holderIsDead));
  holder.on("exit", () => {
    holderIsDead = true;
  });
  holder.kill("SIGKILL");
  await once(holder, "exit");
  assert.equal(await next, true);
});

test("a lock that is taken is said to be, and free again when it is disposed of", () => {
  const path = join(folder, "unless-taken");
  const first = fileLockUnlessTaken(path);
  assert.ok(first);
  assert.equal(fileLockUnlessTaken(path), undefined);
  first[Symbol.dispose]();
  using again = fileLockUnlessTaken(path);
  assert.ok(again);
});

test("a folder that is made for a lock is for its owner only", async () => {
  const made = join(folder, "data");
  await withFileLock(join(made, "docker", "lock"), () => Promise.resolve());
  assert.deepEqual(
    [made, join(made, "docker")].map((path) => statSync(path).mode & 0o777),
    [0o700, 0o700],
  );
});
