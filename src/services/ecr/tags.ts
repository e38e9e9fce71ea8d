/**
 * Tags of a repository.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html#tag-restrictions
 */
import type { Tag } from "@aws-sdk/client-ecr";
import { invalidTag, tooManyTags } from "./errors.ts";

const MAX_TAGS = 50;
const MAX_KEY = 128;
const MAX_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

type Tags = Readonly<Record<string, string>>;

/** Throws InvalidTagParameterException and TooManyTagsException. */
export function withTags(tags: Tags, added: readonly Tag[]): Tags {
  const result = new Map(Object.entries(tags));
  for (const { Key = "", Value = "" } of added) {
    if (Key === "" || Key.length > MAX_KEY) throw invalidTag(`Tag keys must have between 1 and ${MAX_KEY} characters`);
    if (Value.length > MAX_VALUE) throw invalidTag(`Tag values can have at most ${MAX_VALUE} characters`);
    if (!ALLOWED.test(Key) || !ALLOWED.test(Value)) {
      throw invalidTag(`The tag '${Key}' has a character other than letters, numbers, spaces and _.:/=+-@`);
    }
    if (/^aws:/i.test(Key)) throw invalidTag("Tag keys that begin with aws: are reserved for system use");
    result.set(Key, Value);
  }
  if (result.size > MAX_TAGS) throw tooManyTags();
  return Object.fromEntries(result);
}

export function withoutTags(tags: Tags, keys: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key)));
}
