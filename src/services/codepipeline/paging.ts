/** Page tokens: where the next page begins, readable only by the list that gave it. */
import { invalidNextToken } from "./errors.ts";

export function pageToken(list: string, place: string | number): string {
  return Buffer.from(JSON.stringify([list, place])).toString("base64url");
}

/** Throws InvalidNextTokenException on anything that `pageToken` did not make for the same list. */
export function placeOf<T extends string | number>(
  list: string,
  type: "string" | "number",
  token: string | undefined,
): T | undefined {
  if (token === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw invalidNextToken();
  }
  if (!Array.isArray(parsed) || parsed[0] !== list || typeof parsed[1] !== type) throw invalidNextToken();
  return parsed[1] as T;
}

/** A page of a list of which one more than the page holds was read. */
export function pageOf<T>(
  list: string,
  found: readonly T[],
  size: number,
  placeAt: (last: T) => string | number,
): { items: readonly T[]; nextToken: string | undefined } {
  const items = found.slice(0, size);
  const last = items.at(-1);
  const nextToken = found.length > size && last !== undefined ? pageToken(list, placeAt(last)) : undefined;
  return { items, nextToken };
}
