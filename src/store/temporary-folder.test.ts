import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { removeTemporaryFolders, temporaryFolder } from "./temporary-folder.ts";

test("temporary folders are below the data folder, and a start removes them and nothing else", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-temporary-"));
  try {
    await removeTemporaryFolders(dataDir);
    await writeFile(join(dataDir, "kept"), "");
    const [first, second] = [await temporaryFolder(dataDir, "source"), await temporaryFolder(dataDir, "source")];
    assert.notEqual(first, second);
    assert.equal(dirname(dirname(first)), dataDir);
    await writeFile(join(first, "file"), "left by a killed process");
    await removeTemporaryFolders(dataDir);
    assert.deepEqual(await readdir(dataDir), ["kept"]);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
