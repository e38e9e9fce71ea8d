/** GitHub's payloads, as far as they are read. */
export const REPOSITORY = "owner/aws-bootcamp-cruddur-2023";
export const COMMIT = "1111111111111111111111111111111111111111";

export function pushPayload(overrides: object = {}) {
  return {
    ref: "refs/heads/prod",
    before: "0000000000000000000000000000000000000000",
    after: COMMIT,
    deleted: false,
    repository: { full_name: REPOSITORY },
    sender: { id: 42 },
    head_commit: { id: COMMIT, message: "Second [skip ci]" },
    commits: [
      { added: ["README.md"], modified: [], removed: [] },
      { added: [], modified: ["backend-flask/app.py"], removed: ["README.md"] },
    ],
    ...overrides,
  };
}

export function pullRequestPayload(action: string, overrides: object = {}) {
  return {
    action,
    number: 7,
    repository: { full_name: REPOSITORY },
    sender: { id: 42 },
    pull_request: {
      merged: false,
      merge_commit_sha: null,
      head: { ref: "main", sha: COMMIT },
      base: { ref: "prod", sha: "2222222222222222222222222222222222222222" },
      ...overrides,
    },
  };
}

export function mergedPayload(mergeCommit = COMMIT) {
  return pullRequestPayload("closed", { merged: true, merge_commit_sha: mergeCommit });
}
