/** What tags may be. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules */
import type * as sdk from "@aws-sdk/client-iam";
import type { ContextKeys } from "#gateway/operation.ts";
import { invalidInput, limitExceeded, validationError } from "./errors.ts";
import type { Tags } from "./model.ts";

const MAX_TAGS = 50;

/** Throws InvalidInput, or LimitExceeded. Keys are the same whatever their case. */
export function checkedTags(tags: readonly sdk.Tag[] | undefined): Tags {
  const checked = new Map<string, string>();
  const seen = new Set<string>();
  for (const { Key, Value } of tags ?? []) {
    const key = Key!.toLowerCase();
    if (seen.has(key)) {
      throw invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    if (key.startsWith("aws:")) {
      throw validationError(`Caller is not allowed to set or delete tags whose keys start with aws: (${Key})`);
    }
    seen.add(key);
    checked.set(Key!, Value!);
  }
  requireFew(checked);
  return checked;
}

/** The condition keys `aws:RequestTag/…` and `aws:TagKeys`. */
export function requestTags(tags: readonly sdk.Tag[] | undefined): ContextKeys {
  const keys = Object.fromEntries(
    (tags ?? []).map(({ Key, Value }) => [`aws:requesttag/${Key!.toLowerCase()}`, Value]),
  );
  return tags ? { ...keys, "aws:tagkeys": tags.map(({ Key }) => Key!) } : {};
}

/** A tag that is there already takes the new value, and the key's new case. */
export function merged(tags: Tags, added: Tags): Tags {
  const all = new Map(withoutKeys(tags, [...added.keys()]));
  for (const [key, value] of added) all.set(key, value);
  requireFew(all);
  return all;
}

export function withoutKeys(tags: Tags, keys: readonly string[]): Tags {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return new Map([...tags].filter(([key]) => !gone.has(key.toLowerCase())));
}

function requireFew(tags: Tags): void {
  if (tags.size > MAX_TAGS) throw limitExceeded(`Cannot exceed quota for TagsPerResource: ${MAX_TAGS}`);
}
