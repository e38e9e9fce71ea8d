/** What tags may be. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules */
import type * as sdk from "@aws-sdk/client-iam";
import type { ContextKeys } from "#gateway/operation.ts";
import { invalidInput, limitExceeded, validationError } from "./errors.ts";
import type { Tags } from "./model.ts";

const MAX_TAGS = 50;

interface TagRules {
  /** Throws InvalidInput, or LimitExceeded. */
  checked(tags: readonly sdk.Tag[] | undefined): Tags;
  /** As `checked`. A tag that is there already takes the new value, and the key's new case. */
  added(tags: Tags, more: readonly sdk.Tag[] | undefined): Tags;
  without(tags: Tags, keys: readonly string[]): Tags;
}

function tagRules(duplicates: string, identityOf: (key: string) => string): TagRules {
  const without = (tags: Tags, keys: readonly string[]): Tags => {
    const gone = new Set(keys.map(identityOf));
    return new Map([...tags].filter(([key]) => !gone.has(identityOf(key))));
  };
  const checked = (tags: readonly sdk.Tag[] | undefined): Tags => {
    const found = new Map<string, string>();
    const seen = new Set<string>();
    for (const { Key, Value } of tags ?? []) {
      if (seen.has(identityOf(Key!))) throw invalidInput(duplicates);
      if (Key!.toLowerCase().startsWith("aws:")) {
        throw validationError(`Caller is not allowed to set or delete tags whose keys start with aws: (${Key})`);
      }
      seen.add(identityOf(Key!));
      found.set(Key!, Value!);
    }
    return few(found);
  };
  return {
    checked,
    added(tags, more) {
      const found = checked(more);
      return few(new Map([...without(tags, [...found.keys()]), ...found]));
    },
    without,
  };
}

/** Of users and roles: "Tag key values for IAM users and roles are not case sensitive, but case is preserved." */
export const entityTags = tagRules("Duplicate tag keys found. Please note that Tag keys are case insensitive.", (key) =>
  key.toLowerCase(),
);

/**
 * Of policies, instance profiles, identity providers, server certificates and MFA devices: "For other IAM resource types, tag
 * key values are case sensitive. That means you can have separate Costcenter and costcenter tag keys."
 */
export const resourceTags = tagRules("Duplicate tag keys found.", (key) => key);

/** The condition keys `aws:RequestTag/…` and `aws:TagKeys`. */
export function requestTags(tags: readonly sdk.Tag[] | undefined): ContextKeys {
  const keys = Object.fromEntries(
    (tags ?? []).map(({ Key, Value }) => [`aws:requesttag/${Key!.toLowerCase()}`, Value]),
  );
  return tags ? { ...keys, "aws:tagkeys": tags.map(({ Key }) => Key!) } : {};
}

function few(tags: Tags): Tags {
  if (tags.size > MAX_TAGS) throw limitExceeded(`Cannot exceed quota for TagsPerResource: ${MAX_TAGS}`);
  return tags;
}
