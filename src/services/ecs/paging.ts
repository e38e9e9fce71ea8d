/** Pages of lists of ARNs, which is how every List operation of ECS answers. */
import { invalidToken } from "./errors.ts";

const DEFAULT_PAGE = 100;

export interface PageRequest {
  readonly nextToken?: string | undefined;
  readonly maxResults?: number | undefined;
}

/** A token names the last item of the page before it, so that items which come and go in between shift nothing. */
export function page<T>(
  purpose: string,
  items: readonly T[],
  keyOf: (item: T) => string,
  { nextToken, maxResults }: PageRequest,
): { items: readonly T[]; nextToken: string | undefined } {
  const after = nextToken ? parsedToken(purpose, nextToken) : undefined;
  const from = after === undefined ? 0 : startAfter(items.map(keyOf), after);
  const size = Math.min(maxResults || DEFAULT_PAGE, DEFAULT_PAGE);
  const part = items.slice(from, from + size);
  const more = from + size < items.length;
  return { items: part, nextToken: more ? pageToken(purpose, keyOf(part.at(-1)!), from + size) : undefined };
}

interface Place {
  readonly purpose: string;
  readonly after: string;
  readonly position: number;
}

const pageToken = (purpose: string, after: string, position: number) =>
  Buffer.from(JSON.stringify({ purpose, after, position } satisfies Place)).toString("base64");

/** Throws InvalidParameterException on what `pageToken` did not make for the same list. */
function parsedToken(purpose: string, token: string): Place {
  try {
    const place = JSON.parse(Buffer.from(token, "base64").toString()) as Place | null;
    if (place?.purpose === purpose && typeof place.after === "string" && Number.isInteger(place.position)) return place;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalidToken();
}

/** Where the item is gone, its old place is as good as any. */
function startAfter(keys: readonly string[], { after, position }: Place): number {
  const index = keys.indexOf(after);
  return index < 0 ? position - 1 : index + 1;
}
