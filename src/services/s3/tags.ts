/** Tags of objects and buckets. */
import type { Tag } from "@aws-sdk/client-s3";
import { s3Error } from "./errors.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const MAX_KEY = 128;
const MAX_VALUE = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export type Tags = Readonly<Record<string, string>>;

/** `x-amz-tagging: a=1&b=2` */
export function headerTags(header: string | undefined): Tags {
  if (!header) return {};
  return toTags(
    [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value })),
    10,
  );
}

/** Throws InvalidTag on what AWS refuses. */
export function toTags(set: readonly Tag[], maximum: number): Tags {
  if (set.length > maximum) {
    throw s3Error("InvalidTag", { message: `Object tags cannot be greater than ${maximum}` });
  }
  const tags: Record<string, string> = {};
  for (const { Key = "", Value = "" } of set) {
    if (Key === "" || Key.length > MAX_KEY || !ALLOWED.test(Key)) throw s3Error("InvalidTag");
    if (Value.length > MAX_VALUE || !ALLOWED.test(Value)) {
      throw s3Error("InvalidTag", { message: "The TagValue you have provided is invalid" });
    }
    if (Key.startsWith("aws:")) {
      throw s3Error("InvalidTag", { message: "System tags cannot be added/updated by requester" });
    }
    if (Object.hasOwn(tags, Key)) {
      throw s3Error("InvalidTag", { message: "Cannot provide multiple Tags with the same key" });
    }
    tags[Key] = Value;
  }
  return tags;
}

export const toTagSet = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
