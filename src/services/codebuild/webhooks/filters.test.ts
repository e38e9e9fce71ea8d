import assert from "node:assert/strict";
import { test } from "node:test";
import type { WebhookFilter, WebhookFilterType } from "@aws-sdk/client-codebuild";
import { requireValidFilters, startsBuild } from "./filters.ts";
import { toGitHubEvent } from "./github-event.ts";
import { mergedPayload, pushPayload } from "./testing.ts";

const push = toGitHubEvent("push", pushPayload())!;
const merged = toGitHubEvent("pull_request", mergedPayload())!;
const filter = (type: WebhookFilterType, pattern: string, excludeMatchedPattern = false): WebhookFilter => ({
  type,
  pattern,
  excludeMatchedPattern,
});
const starts = (filterGroups: WebhookFilter[][], event: typeof push) => startsBuild({ filterGroups }, event);

test("events of the issue's webhook", () => {
  const groups = [[filter("EVENT", "PULL_REQUEST_MERGED")]];
  assert.equal(starts(groups, merged), true);
  assert.equal(starts(groups, push), false);
  assert.equal(starts([[filter("EVENT", "PUSH, PULL_REQUEST_MERGED")]], push), true);
});

test("all filters of a group must hold, and one group suffices", () => {
  const prod = [filter("EVENT", "PULL_REQUEST_MERGED"), filter("BASE_REF", "^refs/heads/prod$")];
  const other = [filter("EVENT", "PULL_REQUEST_MERGED"), filter("BASE_REF", "^refs/heads/other$")];
  assert.equal(starts([prod], merged), true);
  assert.equal(starts([other], merged), false);
  assert.equal(starts([other, prod], merged), true);
});

test("every kind of filter, matched and excluded", () => {
  const cases: [WebhookFilterType, string, boolean][] = [
    ["HEAD_REF", "^refs/heads/prod$", true],
    ["HEAD_REF", "^refs/heads/pro$", false],
    ["BASE_REF", ".*", false],
    ["ACTOR_ACCOUNT_ID", "^42$", true],
    ["FILE_PATH", "^backend-flask/", true],
    ["FILE_PATH", "^frontend/", false],
    ["COMMIT_MESSAGE", "\\[skip ci\\]", true],
    ["REPOSITORY_NAME", "^aws-bootcamp", true],
    ["TAG_NAME", ".*", false],
    ["RELEASE_NAME", ".*", false],
  ];
  for (const [type, pattern, expected] of cases) {
    assert.equal(starts([[filter("EVENT", "PUSH"), filter(type, pattern)]], push), expected, `${type} ${pattern}`);
    assert.equal(starts([[filter("EVENT", "PUSH"), filter(type, pattern, true)]], push), !expected, `not ${type}`);
  }
});

test("without filters, pushes and open pull requests of the branch", () => {
  assert.equal(starts([], push), true);
  assert.equal(starts([], merged), false);
  assert.equal(startsBuild({ filterGroups: [], branchFilter: "^main$" }, push), false);
});

test("a pattern that would keep a backtracking engine busy does not", () => {
  const long = { ...push, headRef: `refs/heads/${"a".repeat(5000)}!` };
  assert.equal(starts([[filter("EVENT", "PUSH"), filter("HEAD_REF", "^refs/heads/(a+)+$")]], long), false);
});

test("filters that could never work are refused", () => {
  const refused: [WebhookFilter[][], RegExp][] = [
    [[[filter("HEAD_REF", ".*")]], /exactly one filter of type EVENT/],
    [[[]], /exactly one filter of type EVENT/],
    [[[filter("EVENT", "PUSHED")]], /Invalid webhook event PUSHED/],
    [[[filter("EVENT", " , ")]], /Invalid webhook event/],
    [[[filter("EVENT", "PUSH"), filter("HEAD_REF", "(")]], /Invalid webhook filter pattern/],
    [[[filter("EVENT", "PUSH"), filter("HEAD_REF", "a".repeat(2000))]], /longer than/],
    [[[filter("EVENT", "PUSH"), filter("WORKFLOW_NAME", "x")]], /not available/],
  ];
  for (const [groups, message] of refused) {
    assert.throws(() => requireValidFilters(groups), { name: "InvalidInputException", message });
  }
  assert.throws(() => requireValidFilters([], "("), { name: "InvalidInputException" });
});
