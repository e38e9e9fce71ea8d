import assert from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { ZipFile } from "yazl";
import { unzip } from "./unzip.ts";

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

interface Item {
  readonly name: string;
  readonly content?: string;
  readonly mode?: number;
}
const LINK = 0o120777;

/** Renames in the finished archive, since yazl refuses to write the names that attackers use. */
async function archive(items: readonly Item[], renames: Readonly<Record<string, string>> = {}) {
  const root = await mkdtemp(join(tmpdir(), "slipway-unzip-"));
  folders.push(root);
  const zip = new ZipFile();
  for (const { name, content = "", mode = 0o100644 } of items) {
    if (name.endsWith("/")) zip.addEmptyDirectory(name);
    else zip.addBuffer(Buffer.from(content), name, { mode });
  }
  zip.end();
  const file = join(root, "source.zip");
  await pipeline(zip.outputStream, createWriteStream(file));
  let bytes = (await readFile(file)).toString("latin1");
  for (const [from, to] of Object.entries(renames)) bytes = bytes.replaceAll(from, to);
  await writeFile(file, bytes, "latin1");
  const folder = join(root, "out");
  await mkdir(folder);
  return { file, folder, root };
}

test("files, folders, modes and links inside come out", async () => {
  const { file, folder } = await archive([
    { name: "empty/" },
    { name: "deep/run.sh", content: "#!/bin/sh\n", mode: 0o100755 },
    { name: "deep/link", content: "../top.txt", mode: LINK },
    { name: "top.txt", content: "hello" },
  ]);
  await unzip(file, folder);
  assert.deepEqual((await readdir(folder)).sort(), ["deep", "empty", "top.txt"]);
  assert.equal((await stat(join(folder, "deep/run.sh"))).mode & 0o111, 0o111);
  assert.equal(await readlink(join(folder, "deep/link")), "../top.txt");
  assert.equal(await readFile(join(folder, "deep/link"), "utf8"), "hello");
});

test("nothing reaches beyond the folder", async () => {
  const attacks: [string, readonly Item[], Readonly<Record<string, string>>?][] = [
    ["a step up", [{ name: "aa/evil", content: "x" }], { "aa/evil": "../evil" }],
    ["an absolute name", [{ name: "xetc/evil", content: "x" }], { "xetc/evil": "/etc/evil" }],
    ["a link to outside", [{ name: "out", content: "../../etc", mode: LINK }]],
    ["an absolute link", [{ name: "out", content: "/etc", mode: LINK }]],
    [
      "a file through a link",
      [
        { name: "d", content: "e", mode: LINK },
        { name: "d/evil", content: "x" },
      ],
    ],
    [
      "a link below a link",
      [{ name: "e/f/" }, { name: "d", content: "e/f", mode: LINK }, { name: "d/up", content: "../x", mode: LINK }],
    ],
  ];
  for (const [about, items, renames] of attacks) {
    const { file, folder, root } = await archive(items, renames);
    await assert.rejects(unzip(file, folder), { name: "ZipError" }, about);
    assert.deepEqual((await readdir(root)).sort(), ["out", "source.zip"], about);
  }
});

test("size and number are bounded, and damage is told", async () => {
  const { file, folder } = await archive([
    { name: "a", content: "x".repeat(600) },
    { name: "b", content: "x".repeat(600) },
  ]);
  await assert.rejects(unzip(file, folder, { entries: 10, bytes: 1000 }), /more than 1000 bytes/);
  const second = await archive([{ name: "a" }, { name: "b" }]);
  await assert.rejects(unzip(second.file, second.folder, { entries: 1, bytes: 1000 }), /more than 1 files/);
  await writeFile(file, "this is no zip");
  await assert.rejects(unzip(file, folder), { name: "ZipError" });
});
