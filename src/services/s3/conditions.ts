/**
 * Conditional requests. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html and RFC 9110, 13.2.2.
 */
import { unquoted } from "./model.ts";

export interface Conditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

interface Version {
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/** What a read answers; If-Match outweighs If-Unmodified-Since, and If-None-Match If-Modified-Since. */
export function readOutcome(conditions: Conditions, version: Version): "send" | "not-modified" | "failed" {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const seconds = Math.floor(version.lastModified / 1000); // HTTP dates have no milliseconds
  if (IfMatch !== undefined) {
    if (!matches(IfMatch, version.etag)) return "failed";
  } else if (IfUnmodifiedSince && seconds > Math.floor(IfUnmodifiedSince.getTime() / 1000)) return "failed";
  if (IfNoneMatch !== undefined) {
    if (matches(IfNoneMatch, version.etag)) return "not-modified";
  } else if (IfModifiedSince && seconds <= Math.floor(IfModifiedSince.getTime() / 1000)) return "not-modified";
  return "send";
}

/** `current` is undefined where there is no object, or its latest version is a delete marker. */
export function writeOutcome(
  { IfMatch, IfNoneMatch }: Pick<Conditions, "IfMatch" | "IfNoneMatch">,
  current: Version | undefined,
): "write" | "failed" | "absent" {
  if (IfNoneMatch !== undefined && current && matches(IfNoneMatch, current.etag)) return "failed";
  if (IfMatch === undefined) return "write";
  if (!current) return "absent";
  return matches(IfMatch, current.etag) ? "write" : "failed";
}

function matches(header: string, etag: string): boolean {
  return header.split(",").some((candidate) => candidate.trim() === "*" || unquoted(candidate) === etag);
}
