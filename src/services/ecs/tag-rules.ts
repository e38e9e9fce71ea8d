/** What tags may be. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html */
import type * as sdk from "@aws-sdk/client-ecs";
import type { ContextKeys } from "#gateway/operation.ts";
import { invalidParameter, tooManyTags } from "./errors.ts";

const MAX_TAGS = 50;

/** Throws InvalidParameterException. */
export function checkedTags(tags: readonly sdk.Tag[] | undefined): sdk.Tag[] {
  const checked = new Map<string, string>();
  for (const { key = "", value = "" } of tags ?? []) {
    if (key === "") throw invalidParameter("Tag keys must not be empty.");
    if (/^aws:/i.test(key)) throw invalidParameter("Tag keys that begin with aws: are reserved for AWS.");
    if (checked.has(key)) throw invalidParameter("Duplicate tag keys found.");
    checked.set(key, value);
  }
  if (checked.size > MAX_TAGS) throw tooManyTags();
  return [...checked].map(([key, value]) => ({ key, value }));
}

export function requestTags({ tags }: { readonly tags?: readonly sdk.Tag[] | undefined }): ContextKeys {
  if (!tags?.length) return {};
  const keys = Object.fromEntries(tags.map(({ key = "", value }) => [`aws:requesttag/${key.toLowerCase()}`, value]));
  return { ...keys, "aws:tagkeys": tags.map(({ key = "" }) => key) };
}
