/**
 * What GitHub delivers, reduced to what CodeBuild's filters and variables ask about.
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 * https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html
 */

export type WebhookEventType =
  | "PUSH"
  | "PULL_REQUEST_CREATED"
  | "PULL_REQUEST_UPDATED"
  | "PULL_REQUEST_REOPENED"
  | "PULL_REQUEST_MERGED"
  | "PULL_REQUEST_CLOSED"
  | "RELEASED"
  | "PRERELEASED";

export interface GitHubEvent {
  readonly type: WebhookEventType;
  /** OWNER/REPO */
  readonly repository: string;
  /** What is to be built: a commit, `pr/N`, a tag. */
  readonly sourceVersion: string;
  /** `branch/NAME`, `tag/NAME`, `pr/N` */
  readonly trigger: string;
  readonly actorAccountId: string;
  /** `refs/heads/NAME` or `refs/tags/NAME` */
  readonly headRef: string;
  /** Of pull requests: where it goes. */
  readonly baseRef?: string;
  /** The branch whose state a build of this event shows. */
  readonly branch?: string;
  readonly previousCommit?: string;
  readonly mergeCommit?: string;
  /** Only a push says which files it changed and with what words. */
  readonly files?: readonly string[];
  readonly commitMessage?: string;
  readonly releaseName?: string;
  readonly tagName?: string;
}

type Payload = Readonly<Record<string, unknown>>;

/** Throws where a payload does not have GitHub's shape. `undefined`: an event that starts no build, such as ping. */
export function toGitHubEvent(eventName: string, payload: Payload): GitHubEvent | undefined {
  if (eventName === "push") return pushEvent(payload);
  if (eventName === "pull_request") return pullRequestEvent(payload);
  if (eventName === "release") return releaseEvent(payload);
  return undefined;
}

/** OWNER/REPO of any payload that has one. */
export function repositoryOf(payload: Payload): string | undefined {
  const repository = payload.repository;
  return typeof repository === "object" && repository !== null ? text(repository as Payload, "full_name") : undefined;
}

function pushEvent(payload: Payload): GitHubEvent | undefined {
  // A branch that was deleted has nothing to build.
  if (payload.deleted === true) return undefined;
  const headRef = text(payload, "ref");
  const head =
    payload.head_commit === null || payload.head_commit === undefined ? undefined : part(payload, "head_commit");
  const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/.exec(headRef) ?? [];
  const commits = Array.isArray(payload.commits) ? (payload.commits as Payload[]) : [];
  return {
    ...common(payload),
    type: "PUSH",
    sourceVersion: head ? text(head, "id") : text(payload, "after"),
    trigger: kind === "tags" ? `tag/${name}` : `branch/${name}`,
    headRef,
    ...(kind === "heads" && { branch: name }),
    previousCommit: text(payload, "before"),
    files: [
      ...new Set(commits.flatMap((commit) => ["added", "modified", "removed"].flatMap((key) => texts(commit[key])))),
    ],
    commitMessage: head ? text(head, "message") : "",
    ...(kind === "tags" && { tagName: name }),
  };
}

function pullRequestEvent(payload: Payload): GitHubEvent | undefined {
  const pullRequest = part(payload, "pull_request");
  const merged = pullRequest.merged === true;
  const type = pullRequestType(text(payload, "action"), merged);
  if (type === undefined) return undefined;
  const head = part(pullRequest, "head");
  const base = part(pullRequest, "base");
  const mergeCommit = typeof pullRequest.merge_commit_sha === "string" ? pullRequest.merge_commit_sha : undefined;
  const isMerged = type === "PULL_REQUEST_MERGED" && mergeCommit !== undefined;
  return {
    ...common(payload),
    type,
    // A merged pull request may have lost its branch; what it became is a commit of the base.
    sourceVersion: isMerged ? mergeCommit : `pr/${number(payload, "number")}`,
    trigger: `pr/${number(payload, "number")}`,
    headRef: `refs/heads/${text(head, "ref")}`,
    baseRef: `refs/heads/${text(base, "ref")}`,
    ...(isMerged && { branch: text(base, "ref") }),
    previousCommit: text(base, "sha"),
    ...(isMerged && { mergeCommit }),
  };
}

function pullRequestType(action: string, merged: boolean): WebhookEventType | undefined {
  switch (action) {
    case "opened":
      return "PULL_REQUEST_CREATED";
    case "synchronize":
      return "PULL_REQUEST_UPDATED";
    case "reopened":
      return "PULL_REQUEST_REOPENED";
    case "closed":
      return merged ? "PULL_REQUEST_MERGED" : "PULL_REQUEST_CLOSED";
    default:
      return undefined;
  }
}

function releaseEvent(payload: Payload): GitHubEvent | undefined {
  const action = text(payload, "action");
  if (action !== "released" && action !== "prereleased") return undefined;
  const release = part(payload, "release");
  const tagName = text(release, "tag_name");
  return {
    ...common(payload),
    type: action === "released" ? "RELEASED" : "PRERELEASED",
    sourceVersion: tagName,
    trigger: `tag/${tagName}`,
    headRef: `refs/tags/${tagName}`,
    tagName,
    releaseName: typeof release.name === "string" ? release.name : "",
  };
}

function common(payload: Payload): { repository: string; actorAccountId: string } {
  return {
    repository: text(part(payload, "repository"), "full_name"),
    actorAccountId: String(number(part(payload, "sender"), "id")),
  };
}

function part(payload: Payload, key: string): Payload {
  const value = payload[key];
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new PayloadShapeError(key);
  return value as Payload;
}

function text(payload: Payload, key: string): string {
  const value = payload[key];
  if (typeof value !== "string") throw new PayloadShapeError(key);
  return value;
}

function number(payload: Payload, key: string): number {
  const value = payload[key];
  if (typeof value !== "number") throw new PayloadShapeError(key);
  return value;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

export class PayloadShapeError extends Error {
  override readonly name = "PayloadShapeError";

  constructor(key: string) {
    super(`The payload's "${key}" is missing or has the wrong type`);
  }
}
