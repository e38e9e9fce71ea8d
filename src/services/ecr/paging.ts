/** Pages of a list that is ordered by a text key: the token says after which key the next page begins. */
import { invalidParameter } from "./errors.ts";

export const DEFAULT_PAGE = 100;

export interface PageRequest {
  readonly nextToken?: string | undefined;
  readonly maxResults?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/** The key after which the page starts; "" for the first. Throws InvalidParameterException on a token that is not ours. */
export function afterKey(token: string | undefined): string {
  if (token === undefined) return "";
  const match = /^after:([\s\S]+)$/.exec(Buffer.from(token, "base64url").toString());
  if (!match || tokenAfter(match[1]!) !== token) throw invalidParameter("nextToken", "Invalid nextToken");
  return match[1]!;
}

function tokenAfter(key: string): string {
  return Buffer.from(`after:${key}`).toString("base64url");
}

/** `items` in the order of their keys, which are unique. */
export function page<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  request: PageRequest,
  size = DEFAULT_PAGE,
): Page<T> {
  const after = afterKey(request.nextToken);
  const rest = after === "" ? items : items.filter((item) => keyOf(item) > after);
  const taken = rest.slice(0, request.maxResults ?? size);
  const more = rest.length > taken.length;
  return { items: taken, nextToken: more ? tokenAfter(keyOf(taken.at(-1)!)) : undefined };
}
