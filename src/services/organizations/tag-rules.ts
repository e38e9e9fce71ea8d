/** What tags may be. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html */
import type * as sdk from "@aws-sdk/client-organizations";
import type { ContextKeys } from "#gateway/operation.ts";
import { constraintViolation, invalidInput } from "./errors.ts";
import type { Tags } from "./model.ts";

const MAX_TAGS = 50;

/** Throws InvalidInputException, or ConstraintViolationException for too many. */
export function checkedTags(tags: readonly sdk.Tag[] | undefined): Tags {
  const checked = new Map<string, string>();
  for (const { Key, Value } of tags ?? []) {
    if (checked.has(Key!)) throw invalidInput("DUPLICATE_TAG_KEY");
    refuseSystemTag(Key!);
    checked.set(Key!, Value!);
  }
  return few(checked);
}

/** "You can't add, edit, or delete system tag keys because they're reserved for AWS use." */
function refuseSystemTag(key: string): void {
  if (/^aws:/i.test(key)) throw invalidInput("INVALID_SYSTEM_TAGS_PARAMETER");
}

/** A tag that is there already takes the new value. */
export function merged(tags: Tags, added: Tags): Tags {
  return few(new Map([...tags, ...added]));
}

/** Throws InvalidInputException. */
export function withoutKeys(tags: Tags, keys: readonly string[]): Tags {
  for (const key of keys) refuseSystemTag(key);
  return new Map([...tags].filter(([key]) => !keys.includes(key)));
}

function few(tags: Tags): Tags {
  if (tags.size > MAX_TAGS) throw constraintViolation("MAX_TAG_LIMIT_EXCEEDED");
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
