/** Tags in requests. */
import type * as sdk from "@aws-sdk/client-codestar-connections";
import type { ContextKeys } from "#gateway/operation.ts";
import { invalid, tooManyTags } from "./errors.ts";
import type { Tags } from "./model.ts";

const MAX_TAGS = 200;

/** Throws ValidationException and LimitExceededException. */
export function mergedTags(existing: Tags, added: readonly sdk.Tag[] | undefined): Tags {
  const tags: Record<string, string> = { ...existing };
  for (const { Key, Value } of added ?? []) {
    if (Key!.startsWith("aws:")) throw invalid("Tag keys must not start with aws:");
    tags[Key!] = Value!;
  }
  if (Object.keys(tags).length > MAX_TAGS) throw tooManyTags();
  return tags;
}

/** The condition keys `aws:RequestTag/…` and `aws:TagKeys`. */
export function requestTags(tags: readonly sdk.Tag[] | undefined): ContextKeys {
  if (!tags?.length) return {};
  return {
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:requesttag/${Key!.toLowerCase()}`, Value])),
    "aws:tagkeys": tags.map(({ Key }) => Key!),
  };
}
