interface PageRequest {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** The most that may be asked for, and what comes unasked. */
const PAGE_SIZE = 20;

export interface Page<T> {
  readonly items: T[];
  readonly NextToken?: string;
}

/**
 * A page of `all`, in its order. The token names the last item of the page before, so that a list which changes meanwhile
 * repeats and loses nothing that stays.
 */
export function pageOf<T>(request: PageRequest, all: readonly T[], keyOf: (item: T) => string): Page<T> {
  const start = request.NextToken === undefined ? 0 : placeAfter(request.NextToken, all, keyOf);
  const end = start + (request.MaxResults ?? PAGE_SIZE);
  const items = all.slice(start, end);
  if (end >= all.length) return { items };
  return { items, NextToken: JSON.stringify([keyOf(items.at(-1)!), end]) };
}

/** `token` is one of `pageOf`. */
function placeAfter<T>(token: string, all: readonly T[], keyOf: (item: T) => string): number {
  const [key, place] = JSON.parse(token) as [key: string, place: number];
  const found = all.findIndex((item) => keyOf(item) === key);
  return found < 0 ? Math.min(place, all.length) : found + 1;
}
