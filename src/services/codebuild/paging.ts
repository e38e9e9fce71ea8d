/** Page tokens: where the next page begins, sealed in base64url and bound to what was asked. */
import { invalidInput } from "./errors.ts";

/** ListProjects and ListBuilds answer at most 100 at a time. */
export const PAGE_SIZE = 100;

/** `purpose`: the operation with everything that decides the order; a token of another list is refused. */
export function pageToken(purpose: string, place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([purpose, ...place])).toString("base64url");
}

/** Throws InvalidInputException on a token that `pageToken` did not make for the same purpose. */
export function parsedPageToken(purpose: string, token: string | undefined): readonly (string | number)[] | undefined {
  if (token === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    parsed = undefined;
  }
  const isPlace = Array.isArray(parsed) && parsed.slice(1).every((part) => /^(string|number)$/.test(typeof part));
  if (!isPlace || (parsed as unknown[])[0] !== purpose) throw invalidInput("Invalid nextToken");
  return (parsed as (string | number)[]).slice(1);
}
