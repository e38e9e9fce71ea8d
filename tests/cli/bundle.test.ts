/** The program in `dist/` (tools/build.ts), and when `bin/slipway` runs the sources instead. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const DAY_MS = 24 * 3600 * 1000;

describe("the bundle", () => {
  const root = mkdtempSync(join(tmpdir(), "slipway bundle-"));
  after(() => rmSync(root, { recursive: true }));
  for (const part of ["bin", "src", "tools", "package.json", "package-lock.json", "tsconfig.json"]) {
    cpSync(join(CHECKOUT, part), join(root, part), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(CHECKOUT, "node_modules"), join(root, "node_modules"));

  const build = () => execFileSync(join(root, "node_modules/.bin/node"), [join(root, "tools/build.ts")]);
  const usage = () => execFileSync(join(root, "bin/slipway"), ["help"], { encoding: "utf8" });
  const files = () => readdirSync(join(root, "dist"));
  const modifiedAt = (file: string) => statSync(join(root, file)).mtimeMs;
  function change(file: string, from: string, to: string): void {
    const text = readFileSync(join(root, file), "utf8");
    assert.ok(text.includes(from));
    writeFileSync(join(root, file), text.replace(from, to));
  }

  it("leaves what a Slipway that runs may still load, for some builds", () => {
    change("tools/build.ts", "KEPT_BUILDS = 10", "KEPT_BUILDS = 2");
    build();
    const first = files();
    change("src/gateway/errors.ts", "\n\n", "\n\nglobalThis.process.title = 'another';\n");
    build();
    const left = first.filter((name) => files().includes(name));
    assert.deepEqual(left, first);
    assert.ok(files().length > first.length, "nothing was built anew");

    build();
    const gone = first.filter((name) => !files().includes(name));
    assert.ok(gone.length > 0 && gone.length < first.length);
    assert.match(usage(), /slipway up \[options\]/);
  });

  it("counts as older than a source that was saved while it was being made", () => {
    const started = Date.now();
    build();
    assert.ok(modifiedAt("dist/main.js") >= started - 1);
    assert.ok(modifiedAt("dist/main.js") < Date.now() - 100, "as old as its end");
  });

  it("is not run over a source that came with an older time, as tar and rsync bring it", () => {
    build();
    change("src/cli/main.ts", "slipway: AWS's delivery stack", "slipway: the newer one");
    const { mtimeMs } = statSync(join(root, "src/cli/main.ts"));
    const before = new Date(mtimeMs - DAY_MS);
    utimesSync(join(root, "src/cli/main.ts"), before, before);
    assert.match(usage(), /^slipway: the newer one/);
  });

  it("is made by one set-up at a time", async () => {
    const other = spawn("flock", [root, "sh", "-c", "echo taken; read -r _"], { stdio: ["pipe", "pipe", "inherit"] });
    await once(other.stdout, "data");
    const setup = spawn("sh", [join(root, "tools/setup.sh"), "npm"], { stdio: ["ignore", "ignore", "pipe"] });
    const ended = once(setup, "exit");
    try {
      const [said] = await once(setup.stderr, "data");
      assert.match(String(said), /Another set-up of this checkout is under way/);
      assert.equal(setup.exitCode, null);
    } finally {
      other.stdin.end("\n");
    }
    assert.deepEqual(await ended, [0, null]);
  });
});
