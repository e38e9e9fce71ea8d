/** Session tags. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html */
import type { Tag } from "@aws-sdk/client-sts";
import type { Principal } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";
import { invalidParameterValue, validationError } from "./errors.ts";

export interface SessionTags {
  /** Those passed and those inherited from the session before. */
  readonly tags: Readonly<Record<string, string>>;
  /** Go on to sessions that this one makes. */
  readonly transitiveKeys: readonly string[];
}

export interface TagRequest {
  readonly Tags?: readonly Tag[] | undefined;
  readonly TransitiveTagKeys?: readonly string[] | undefined;
}

/**
 * Throws InvalidParameterValue for keys that occur twice (whatever their case) and for changes of inherited tags, ValidationError
 * for reserved keys.
 */
export function sessionTags(
  { Tags = [], TransitiveTagKeys = [] }: TagRequest,
  caller: Pick<Principal, "tags" | "transitiveTagKeys">,
): SessionTags {
  const inheritedKeys = caller.transitiveTagKeys ?? [];
  const inherited = inheritedKeys.map((key) => [key, caller.tags?.[key] ?? ""] as const);
  const taken = new Set(inheritedKeys.map((key) => key.toLowerCase()));
  /** As they are spelled, by the lower case that they are compared in. */
  const passed = new Map<string, string>();
  for (const { Key = "" } of Tags) {
    const key = Key.toLowerCase();
    if (taken.has(key)) {
      throw invalidParameterValue(
        `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.`,
      );
    }
    if (key.startsWith("aws:")) {
      throw validationError("Session tag keys that start with aws: are reserved for AWS.");
    }
    if (passed.has(key)) {
      throw invalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    passed.set(key, Key);
  }
  const transitiveKeys = TransitiveTagKeys.map((key) => {
    const spelled = passed.get(key.toLowerCase());
    if (spelled === undefined) {
      throw invalidParameterValue("The specified transitive tag key must be included in the requested tags.");
    }
    return spelled;
  });
  return {
    tags: Object.fromEntries([...inherited, ...Tags.map(({ Key, Value }) => [Key!, Value!] as const)]),
    transitiveKeys: [...new Set([...inheritedKeys, ...transitiveKeys])],
  };
}

/** The condition keys `aws:RequestTag/…`, `aws:TagKeys` and `sts:TransitiveTagKeys`; none of what is not passed. */
export function requestedTags({ Tags = [], TransitiveTagKeys = [] }: TagRequest): ContextKeys {
  return {
    ...Object.fromEntries(Tags.map(({ Key, Value }) => [`aws:requesttag/${Key!.toLowerCase()}`, Value])),
    ...(Tags.length > 0 && { "aws:tagkeys": Tags.map(({ Key }) => Key!) }),
    ...(TransitiveTagKeys.length > 0 && { "sts:transitivetagkeys": TransitiveTagKeys }),
  };
}

/** The role's own tags, or those of the user who is federated, hold where the session brings none of the same key. */
export function withOwnTags(
  ownTags: Readonly<Record<string, string>>,
  tags: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const overridden = new Set(Object.keys(tags).map((key) => key.toLowerCase()));
  const kept = Object.entries(ownTags).filter(([key]) => !overridden.has(key.toLowerCase()));
  return Object.fromEntries([...kept, ...Object.entries(tags)]);
}
