import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { clientEnvironment, exportLines, type RunningFile } from "./options.ts";

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
