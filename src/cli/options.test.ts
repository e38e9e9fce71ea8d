import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  clientEnvironment,
  dataFolder,
  exportLines,
  isSlipway,
  makeDataFolder,
  type RunningFile,
  runningFile,
} from "./options.ts";

test("a shell takes the exports as they are meant, with blanks and quotes in the data folder too", () => {
  const running: RunningFile = {
    pid: 1,
    url: "http://127.0.0.1:4566",
    port: 4566,
    account: "387543059434",
    region: "ca-central-1",
    accessKeyId: "AKIAEXAMPLE",
    secretAccessKey: "a/b+c=",
    caBundle: "/home/o'neil/my data $(false)/bundle.pem",
  };
  const script = `${exportLines(running).join("\n")}\nenv`;
  const set = execFileSync("sh", ["-c", script], { encoding: "utf8", env: { PATH: process.env.PATH } }).split("\n");
  for (const [name, value] of Object.entries(clientEnvironment(running)))
    assert.ok(set.includes(`${name}=${value}`), name);
});

test("another program of the same file's name is not taken for Slipway", async () => {
  const script = "setInterval(() => {}, 1000)";
  const started = (...words: string[]) => spawn(process.execPath, ["-e", script, ...words], { stdio: "ignore" });
  const others = [started("/srv/nest/dist/main.js"), started("up"), started("/srv/dist/main.js", "down")];
  const slipway = started("/opt/slipway/dist/main.js", "up", "--port", "1");
  try {
    assert.deepEqual(
      others.map(({ pid }) => isSlipway(pid!)),
      [false, false, false],
    );
    assert.equal(isSlipway(slipway.pid!), true);
  } finally {
    for (const child of [...others, slipway]) child.kill();
  }
});

test("a folder that is named by nothing is not the current one, and a damaged file is named", () => {
  assert.throws(() => dataFolder(""), { name: "UsageError", message: "--data takes a folder" });
  const folder = mkdtempSync(join(tmpdir(), "slipway-options-"));
  try {
    writeFileSync(join(folder, "slipway.json"), '{"pid":');
    assert.throws(() => runningFile(folder), /slipway\.json is damaged/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a data folder is made with what is missing above it, or refused in a sentence", () => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-options-test-"));
  try {
    const dataDir = join(folder, "srv/slipway");
    makeDataFolder(dataDir);
    makeDataFolder(dataDir);
    assert.equal(statSync(dataDir).mode & 0o777, 0o700);
    writeFileSync(join(folder, "file"), "");
    // Node's recursive mkdir never returns from the last two.
    for (const impossible of [
      join(folder, "file"),
      join(folder, "file/below"),
      "/proc",
      "/proc/nope",
      "/proc/nope/below",
    ]) {
      assert.throws(() => makeDataFolder(impossible), {
        name: "UsageError",
        message: /cannot be the data folder: .*Choose another with --data$/,
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
