/** https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html */
import type * as sdk from "@aws-sdk/client-kms";
import type { ContextKeys } from "#gateway/operation.ts";
import { tagError } from "./errors.ts";

const MAX_TAGS = 50;

/** Throws TagException. */
export function merged(tags: ReadonlyMap<string, string>, added: readonly sdk.Tag[]): Map<string, string> {
  const all = new Map(tags);
  const seen = new Set<string>();
  for (const { TagKey, TagValue } of added) {
    if (TagKey!.toLowerCase().startsWith("aws:")) throw tagError("Tags beginning with aws: are reserved");
    if (seen.has(TagKey!)) throw tagError("Duplicate tag keys");
    seen.add(TagKey!);
    all.set(TagKey!, TagValue!);
  }
  if (all.size > MAX_TAGS) throw tagError("Too many tags");
  return all;
}

export function requestTags(tags: readonly sdk.Tag[] | undefined): ContextKeys {
  if (!tags) return {};
  return {
    ...Object.fromEntries(tags.map(({ TagKey, TagValue }) => [`aws:requesttag/${TagKey!.toLowerCase()}`, TagValue])),
    "aws:tagkeys": tags.map(({ TagKey }) => TagKey!),
  };
}
