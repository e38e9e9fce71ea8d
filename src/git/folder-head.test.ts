import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { folderBranchHead } from "./folder-head.ts";
import { git } from "./git.ts";

describe("folder branch head", () => {
  let folder: string;
  let head: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipway-head-test-"));
    await git(["init", "--quiet", "--initial-branch=main"], { cwd: folder });
    await git(["-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "x"], {
      cwd: folder,
    });
    head = (await git(["rev-parse", "HEAD"], { cwd: folder })).toString().trim();
    await git(["branch", "feature/deep"], { cwd: folder });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("reads loose references, of work trees and of bare repositories", async () => {
    assert.equal(await folderBranchHead(folder, "main"), head);
    assert.equal(await folderBranchHead(join(folder, ".git"), "feature/deep"), head);
  });

  it("reads packed references", async () => {
    await git(["pack-refs", "--all"], { cwd: folder });
    assert.equal(await folderBranchHead(folder, "feature/deep"), head);
  });

  it("does not know other names", async () => {
    for (const branch of ["missing", "feature", "../../HEAD", "main/x"]) {
      assert.equal(await folderBranchHead(folder, branch), undefined, branch);
    }
    assert.equal(await folderBranchHead(join(folder, "none"), "main"), undefined);
  });
});
