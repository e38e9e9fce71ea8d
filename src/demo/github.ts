/** GitHub's side of the story: the signed event that it posts when a pull request is merged. */
import { createHmac, randomUUID } from "node:crypto";
import { CRUDDUR_REPOSITORY } from "#setup/cruddur-repository.ts";

export interface MergedPullRequest {
  readonly owner: string;
  readonly number: number;
  readonly headCommit: string;
  /** What the base branch pointed at before the merge. */
  readonly baseCommit: string;
  readonly mergeCommit: string;
}

/** Posts the event; throws unless the receiver takes it. https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request */
export async function postMergedPullRequest(
  webhook: { readonly payloadUrl: string; readonly secret: string },
  { owner, number, headCommit, baseCommit, mergeCommit }: MergedPullRequest,
): Promise<void> {
  const body = JSON.stringify({
    action: "closed",
    number,
    pull_request: {
      number,
      state: "closed",
      title: "Release",
      merged: true,
      merge_commit_sha: mergeCommit,
      user: { login: owner, id: 7776 },
      head: { ref: "main", sha: headCommit },
      base: { ref: "prod", sha: baseCommit },
    },
    repository: {
      name: CRUDDUR_REPOSITORY,
      full_name: `${owner}/${CRUDDUR_REPOSITORY}`,
      html_url: `https://github.com/${owner}/${CRUDDUR_REPOSITORY}`,
      clone_url: `https://github.com/${owner}/${CRUDDUR_REPOSITORY}.git`,
      default_branch: "main",
    },
    sender: { login: owner, id: 7776 },
  });
  const response = await fetch(webhook.payloadUrl, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/slipway",
      "x-github-event": "pull_request",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", webhook.secret).update(body).digest("hex")}`,
    },
  });
  if (!response.ok) throw new Error(`The webhook was answered ${response.status}: ${await response.text()}`);
}
