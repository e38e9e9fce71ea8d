/**
 * Lists by key with a prefix, and with a delimiter that rolls keys up into common prefixes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
 */
import { invalidArgument } from "./errors.ts";
import { AFTER_PREFIX } from "./store/tables.ts";

export interface ListingOptions {
  readonly prefix: string;
  /** "" for none. */
  readonly delimiter: string;
  /** Entries and common prefixes together. */
  readonly limit: number;
}

/** Where a list goes on: behind a key, or behind one of several entries with that key. */
export interface Cursor<E> {
  readonly key: string;
  readonly entry?: E | undefined;
}

export interface Listing<E> {
  readonly entries: readonly E[];
  readonly commonPrefixes: readonly string[];
  /** What the page ended with; undefined where nothing follows. */
  readonly next: { readonly entry: E } | { readonly commonPrefix: string } | undefined;
}

const PORTION = 1000;

/** `read` gives so many entries behind the cursor, in order. */
export async function listing<E extends { readonly key: string }>(
  { prefix, delimiter, limit }: ListingOptions,
  start: Cursor<E>,
  read: (cursor: Cursor<E>, count: number) => Promise<readonly E[]>,
): Promise<Listing<E>> {
  const entries: E[] = [];
  const commonPrefixes: string[] = [];
  if (limit === 0) return { entries, commonPrefixes, next: undefined };
  let next: Listing<E>["next"];
  let cursor = start;
  const count = Math.min(limit + 1, PORTION);
  for (;;) {
    const portion = await read(cursor, count);
    for (const entry of portion) {
      if (isRolledUp(cursor, entry)) continue;
      if (entries.length + commonPrefixes.length === limit) return { entries, commonPrefixes, next };
      const commonPrefix = rolledUp(entry.key, prefix, delimiter);
      if (commonPrefix === undefined) {
        entries.push(entry);
        next = { entry };
        cursor = { key: entry.key, entry };
      } else {
        commonPrefixes.push(commonPrefix);
        next = { commonPrefix };
        cursor = behindPrefix(commonPrefix);
      }
    }
    if (portion.length < count) return { entries, commonPrefixes, next: undefined };
  }
}

/** Behind every key that starts with the prefix. */
export function behindPrefix<E>(commonPrefix: string): Cursor<E> {
  return { key: commonPrefix + AFTER_PREFIX };
}

/** Where the list goes on that the client continues from a marker: a common prefix among the markers is over as a whole. */
export function cursorAt<E>(
  marker: string,
  { prefix, delimiter }: Pick<ListingOptions, "prefix" | "delimiter">,
): Cursor<E> {
  return marker !== "" && rolledUp(marker, prefix, delimiter) === marker ? behindPrefix(marker) : { key: marker };
}

function isRolledUp<E extends { readonly key: string }>(cursor: Cursor<E>, entry: E): boolean {
  return cursor.key.endsWith(AFTER_PREFIX) && entry.key.startsWith(cursor.key.slice(0, -AFTER_PREFIX.length));
}

function rolledUp(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "" || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

const MAX_KEYS = 1000;

export function pageLimit(name: string, given: number | undefined): number {
  if (given !== undefined && (given < 0 || !Number.isInteger(given))) {
    throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, given);
  }
  return Math.min(given ?? MAX_KEYS, MAX_KEYS);
}

/** `EncodingType: url` for keys that XML cannot carry. */
export function keyEncoder(encodingType: string | undefined): (key: string) => string {
  if (encodingType !== "url") return (key) => key;
  return (key) => encodeURIComponent(key).replaceAll("%2F", "/");
}
