import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { commitVersion, createCruddurRepository, mergeIntoProd, repositoryPath } from "./cruddur-repository.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-cruddur-"));
after(() => rmSync(folder, { recursive: true }));

const story = async (owner: string) => {
  const repository = { folder, owner };
  return [
    await createCruddurRepository({ ...repository, account: "387543059434", region: "ca-central-1" }),
    await commitVersion({ ...repository, branch: "main", version: "2" }),
    await mergeIntoProd(repository),
    await commitVersion({ ...repository, branch: "main", version: "3" }),
    await mergeIntoProd({ ...repository, pullRequest: 2 }),
  ];
};
const git = (owner: string, ...args: string[]) =>
  execFileSync("git", ["-C", repositoryPath({ folder, owner }), ...args], { encoding: "utf8" }).trim();

test("the story's commits are where they belong, and a merge has both parents", async () => {
  const [first, onMain, merged, , last] = await story("omenking");
  assert.equal(git("omenking", "rev-parse", "prod"), last);
  assert.equal(git("omenking", "rev-parse", `${merged}^1`, `${merged}^2`), `${first}\n${onMain}`);
  assert.equal(git("omenking", "show", "main:backend-flask/VERSION"), "3");
  assert.equal(git("omenking", "show", `${merged}:backend-flask/VERSION`), "2");
  assert.equal(git("omenking", "rev-parse", "prod^{tree}"), git("omenking", "rev-parse", "main^{tree}"));
  assert.match(git("omenking", "ls-tree", "main", "backend-flask/bin/health-check"), /^100755 /);
  assert.equal(git("omenking", "fsck", "--strict"), "");
});

test("the same calls give the same commit ids, whatever git is configured to do", async () => {
  process.env.GIT_AUTHOR_NAME = "Somebody Else";
  const commits = await story("again");
  delete process.env.GIT_AUTHOR_NAME;
  assert.equal(git("again", "rev-parse", "prod^2"), git("omenking", "rev-parse", "prod^2"));
  assert.equal(commits[0], git("omenking", "rev-list", "--max-parents=0", "main"));
});

test("account and region are literals in the env section and the Dockerfile, and nowhere else", async () => {
  const example = (file: string) =>
    readFileSync(new URL(`../../examples/cruddur/backend-flask/${file}`, import.meta.url), "utf8").trim();
  const buildspec = git("omenking", "show", "main:backend-flask/buildspec.yml");
  const [commands, environment] = buildspec.split("\nenv:\n");
  assert.equal(commands, example("buildspec.yml").split("\nenv:\n")[0]);
  assert.match(environment ?? "", /^ {4}AWS_ACCOUNT_ID: 387543059434$/m);
  assert.match(environment ?? "", /^ {4}AWS_DEFAULT_REGION: ca-central-1$/m);
  assert.match(environment ?? "", /^ {4}IMAGE_URL: 387543059434\.dkr\.ecr\.ca-central-1\.amazonaws\.com$/m);
  assert.match(
    git("omenking", "show", "main:backend-flask/Dockerfile"),
    /^FROM 387543059434\.dkr\.ecr\.ca-central-1\.amazonaws\.com\/cruddur-python:3\.10-slim-buster$/m,
  );
});

test("prod's own changes are not lost in a merge", async () => {
  const repository = { folder, owner: "own" };
  await createCruddurRepository({ ...repository, account: "387543059434", region: "ca-central-1" });
  await commitVersion({ ...repository, branch: "prod", version: "hotfix" });
  await commitVersion({ ...repository, branch: "main", version: "2" });
  await assert.rejects(mergeIntoProd(repository), /has changes of its own/);
});

test("an existing repository is not written over", async () => {
  const before = git("omenking", "rev-parse", "main", "prod");
  await assert.rejects(createCruddurRepository({ folder, owner: "omenking", account: "1", region: "x" }));
  assert.equal(git("omenking", "rev-parse", "main", "prod"), before);
});
