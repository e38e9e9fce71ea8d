/**
 * Whether an event starts a build: when all filters of one group hold. Patterns are the user's own and run on RE2, which
 * no pattern can keep busy.
 * https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html
 */
import type { WebhookFilter } from "@aws-sdk/client-codebuild";
import { RE2JS } from "re2js";
import { invalidInput } from "../errors.ts";
import type { StoredWebhook } from "../model.ts";
import type { GitHubEvent } from "./github-event.ts";

const EVENTS: readonly string[] = [
  "PUSH",
  "PULL_REQUEST_CREATED",
  "PULL_REQUEST_UPDATED",
  "PULL_REQUEST_REOPENED",
  "PULL_REQUEST_MERGED",
  "PULL_REQUEST_CLOSED",
  "RELEASED",
  "PRERELEASED",
];

/** What a webhook without filters builds. */
const DEFAULT_EVENTS: readonly string[] = [
  "PUSH",
  "PULL_REQUEST_CREATED",
  "PULL_REQUEST_UPDATED",
  "PULL_REQUEST_REOPENED",
];

const MAX_PATTERN_LENGTH = 1024;

/** Throws InvalidInputException. */
export function requireValidFilters(groups: readonly (readonly WebhookFilter[])[], branchFilter?: string): void {
  if (branchFilter) requirePattern(branchFilter);
  for (const group of groups) {
    const events = group.filter(({ type }) => type === "EVENT");
    if (events.length !== 1) throw invalidInput("Each filter group must have exactly one filter of type EVENT");
    for (const { type, pattern } of group) {
      if (type === "WORKFLOW_NAME" || type === "ORGANIZATION_NAME") {
        throw invalidInput(`Webhook filters of type ${type} are not available`);
      }
      if (type !== "EVENT") requirePattern(pattern!);
    }
    const names = eventNames(events[0]!.pattern!);
    const unknown = names.find((name) => !EVENTS.includes(name));
    if (unknown !== undefined || names.length === 0) {
      throw invalidInput(`Invalid webhook event ${unknown ?? ""}; use one or more of ${EVENTS.join(", ")}`);
    }
  }
}

export function startsBuild(
  webhook: Pick<StoredWebhook, "filterGroups" | "branchFilter">,
  event: GitHubEvent,
): boolean {
  if (webhook.filterGroups.length > 0) {
    return webhook.filterGroups.some((group) => group.every((filter) => holds(filter, event)));
  }
  const branch = event.headRef.replace(/^refs\/heads\//, "");
  return DEFAULT_EVENTS.includes(event.type) && (!webhook.branchFilter || matches(webhook.branchFilter, branch));
}

function holds({ type, pattern = "", excludeMatchedPattern }: WebhookFilter, event: GitHubEvent): boolean {
  const isMatch =
    type === "EVENT"
      ? eventNames(pattern).includes(event.type)
      : (subjects(type!, event) ?? []).some((subject) => matches(pattern, subject));
  return isMatch !== (excludeMatchedPattern ?? false);
}

/** What a filter looks at. undefined where the event does not say, which no pattern matches. */
function subjects(type: string, event: GitHubEvent): readonly string[] | undefined {
  switch (type) {
    case "HEAD_REF":
      return [event.headRef];
    case "BASE_REF":
      return event.baseRef === undefined ? undefined : [event.baseRef];
    case "ACTOR_ACCOUNT_ID":
      return [event.actorAccountId];
    case "FILE_PATH":
      return event.files;
    case "COMMIT_MESSAGE":
      return event.commitMessage === undefined ? undefined : [event.commitMessage];
    case "TAG_NAME":
      return event.tagName === undefined ? undefined : [event.tagName];
    case "RELEASE_NAME":
      return event.releaseName === undefined ? undefined : [event.releaseName];
    case "REPOSITORY_NAME":
      return [event.repository.split("/")[1] ?? ""];
    default:
      return undefined;
  }
}

function eventNames(pattern: string): readonly string[] {
  return pattern
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function matches(pattern: string, subject: string): boolean {
  return RE2JS.compile(pattern).matcher(subject).find();
}

function requirePattern(pattern: string): void {
  try {
    if (pattern.length > MAX_PATTERN_LENGTH) throw new Error(`longer than ${MAX_PATTERN_LENGTH} characters`);
    RE2JS.compile(pattern);
  } catch (error) {
    throw invalidInput(`Invalid webhook filter pattern ${pattern.slice(0, 80)}: ${(error as Error).message}`);
  }
}
