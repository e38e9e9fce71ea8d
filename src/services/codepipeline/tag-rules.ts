/** Tags in requests. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { ContextKeys } from "#gateway/operation.ts";
import { invalidTags, tooManyTags } from "./errors.ts";
import type { Tags } from "./model.ts";

const MAX_TAGS = 50;

/** Throws InvalidTagsException and TooManyTagsException. */
export function mergedTags(existing: Tags, added: readonly sdk.Tag[] | undefined): Tags {
  const tags: Record<string, string> = { ...existing };
  for (const { key, value } of added ?? []) {
    if (key!.startsWith("aws:")) throw invalidTags("Tag keys must not start with aws:");
    tags[key!] = value!;
  }
  if (Object.keys(tags).length > MAX_TAGS) throw tooManyTags();
  return tags;
}

/** The condition keys `aws:RequestTag/…` and `aws:TagKeys`. */
export function requestTags(tags: readonly sdk.Tag[] | undefined): ContextKeys {
  if (!tags?.length) return {};
  return {
    ...Object.fromEntries(tags.map(({ key, value }) => [`aws:requesttag/${key!.toLowerCase()}`, value])),
    "aws:tagkeys": tags.map(({ key }) => key!),
  };
}
