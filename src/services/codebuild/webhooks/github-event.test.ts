import assert from "node:assert/strict";
import { test } from "node:test";
import { toGitHubEvent } from "./github-event.ts";
import { COMMIT, mergedPayload, pullRequestPayload, pushPayload, REPOSITORY } from "./testing.ts";

test("a push to a branch and of a tag", () => {
  assert.deepEqual(toGitHubEvent("push", pushPayload()), {
    type: "PUSH",
    repository: REPOSITORY,
    sourceVersion: COMMIT,
    trigger: "branch/prod",
    actorAccountId: "42",
    headRef: "refs/heads/prod",
    branch: "prod",
    previousCommit: "0000000000000000000000000000000000000000",
    files: ["README.md", "backend-flask/app.py"],
    commitMessage: "Second [skip ci]",
  });
  const tag = toGitHubEvent("push", pushPayload({ ref: "refs/tags/v1" }));
  assert.deepEqual([tag?.trigger, tag?.tagName, tag?.branch], ["tag/v1", "v1", undefined]);
  assert.equal(toGitHubEvent("push", pushPayload({ deleted: true, head_commit: null })), undefined);
});

test("pull requests by what became of them", () => {
  const types = ["opened", "synchronize", "reopened", "closed", "labeled"].map(
    (action) => toGitHubEvent("pull_request", pullRequestPayload(action))?.type,
  );
  assert.deepEqual(types, [
    "PULL_REQUEST_CREATED",
    "PULL_REQUEST_UPDATED",
    "PULL_REQUEST_REOPENED",
    "PULL_REQUEST_CLOSED",
    undefined,
  ]);
  const opened = toGitHubEvent("pull_request", pullRequestPayload("opened"))!;
  assert.equal(opened.sourceVersion, "pr/7");
  assert.equal(opened.mergeCommit, undefined);
  const merged = toGitHubEvent("pull_request", mergedPayload())!;
  assert.deepEqual(
    [
      merged.type,
      merged.sourceVersion,
      merged.mergeCommit,
      merged.trigger,
      merged.headRef,
      merged.baseRef,
      merged.branch,
    ],
    ["PULL_REQUEST_MERGED", COMMIT, COMMIT, "pr/7", "refs/heads/main", "refs/heads/prod", "prod"],
  );
});

test("releases; everything else starts nothing", () => {
  const release = {
    action: "released",
    release: { tag_name: "v1", name: "One" },
    repository: { full_name: REPOSITORY },
    sender: { id: 1 },
  };
  const event = toGitHubEvent("release", release);
  assert.deepEqual([event?.type, event?.sourceVersion, event?.releaseName], ["RELEASED", "v1", "One"]);
  assert.equal(toGitHubEvent("release", { ...release, action: "prereleased" })?.type, "PRERELEASED");
  assert.equal(toGitHubEvent("release", { ...release, action: "created" }), undefined);
  assert.equal(toGitHubEvent("star", {}), undefined);
});

test("a payload of another shape is told by the key", () => {
  for (const payload of [{}, pushPayload({ ref: 5 }), pushPayload({ sender: [] }), pushPayload({ repository: null })]) {
    assert.throws(() => toGitHubEvent("push", payload), { name: "PayloadShapeError" });
  }
});
