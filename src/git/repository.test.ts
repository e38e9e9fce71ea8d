import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { GitError, git } from "./git.ts";
import { branchHead, Checkout, repositoryIdOf, repositoryUrl, resolveVersion } from "./repository.ts";

const AUTHOR = ["-c", "user.name=Andrew", "-c", "user.email=andrew@example.com"];

describe("repository", () => {
  let folder: string;
  let url: string;
  let first: string;
  let second: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipway-git-test-"));
    url = join(folder, "omenking", "cruddur.git");
    await mkdir(url, { recursive: true });
    await git(["init", "--quiet", "--initial-branch=main"], { cwd: url });
    const commit = async (text: string) => {
      await writeFile(join(url, "VERSION"), text);
      await git(["add", "."], { cwd: url });
      await git([...AUTHOR, "commit", "--quiet", "-m", `Version ${text}`], { cwd: url });
      return (await git(["rev-parse", "HEAD"], { cwd: url })).toString().trim();
    };
    first = await commit("1");
    await git(["branch", "prod"], { cwd: url });
    await git([...AUTHOR, "tag", "-a", "v1", "-m", "one"], { cwd: url });
    second = await commit("2");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("is found under a provider's endpoint, with or without .git", () => {
    assert.equal(repositoryUrl("GitHub", "omenking/cruddur", folder), url);
    assert.equal(repositoryUrl("GitHub", "omenking/cruddur", undefined), "https://github.com/omenking/cruddur.git");
    assert.equal(repositoryUrl("GitHub", "a/b", "http://git.local/x/"), "http://git.local/x/a/b.git");
  });

  it("refuses ids that would leave the endpoint", () => {
    for (const id of ["cruddur", "../etc/passwd", "omenking/../../x", "-o/x", "a//b", "a/.git"]) {
      assert.throws(() => repositoryUrl("GitHub", id, folder), GitError, id);
    }
  });

  it("knows its id in a clone URL of its provider only", () => {
    assert.equal(repositoryIdOf("https://github.com/omenking/cruddur.git", "GitHub"), "omenking/cruddur");
    assert.equal(repositoryIdOf("https://github.com/omenking/cruddur", "GitHub"), "omenking/cruddur");
    assert.equal(repositoryIdOf("https://example.com/omenking/cruddur", "GitHub"), undefined);
  });

  it("says what branches and versions point at", async () => {
    assert.equal(await branchHead({ url }, "prod"), first);
    assert.equal(await branchHead({ url }, "missing"), undefined);
    assert.equal(await resolveVersion({ url }, ""), second);
    assert.equal(await resolveVersion({ url }, "main"), second);
    assert.equal(await resolveVersion({ url }, "v1"), first);
    assert.equal(await resolveVersion({ url }, first), first);
    assert.equal(await resolveVersion({ url }, "pr/7"), undefined);
    await assert.rejects(branchHead({ url: join(folder, "omenking/none") }, "main"), GitError);
  });

  it("checks a commit out, zips it, and is gone after use", async () => {
    const options = { folder: await emptyFolder("checkout"), workTree: true, depth: 1 };
    const checkout = await Checkout.fetch({ url }, first, options);
    assert.equal(checkout.folder, options.folder);
    assert.equal(await readFile(join(checkout.folder, "VERSION"), "utf8"), "1");
    assert.deepEqual([checkout.commit.message, checkout.commit.authorName], ["Version 1", "Andrew"]);
    const zip = await checkout.zip();
    assert.equal(zip.subarray(0, 2).toString(), "PK");
    assert.ok(!zip.includes(".git/"));
    await checkout[Symbol.asyncDispose]();
    assert.ok(!existsSync(checkout.folder));
  });

  it("fails in git's words for a commit that is not there", async () => {
    const missing = { folder: await emptyFolder("missing"), workTree: false };
    await assert.rejects(Checkout.fetch({ url }, "0".repeat(40), missing), /not our ref|no such/i);
    const evil = { folder: await emptyFolder("evil"), workTree: false };
    await assert.rejects(Checkout.fetch({ url }, "--upload-pack=evil", evil), /not a commit id/);
    for (const failed of [missing, evil]) assert.ok(!existsSync(failed.folder));
  });

  async function emptyFolder(name: string): Promise<string> {
    await mkdir(join(folder, name));
    return join(folder, name);
  }
});
