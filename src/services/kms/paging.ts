import { invalidMarker } from "./errors.ts";
import type { Slice } from "./store.ts";

export interface Page<T> {
  readonly items: T[];
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

interface PageRequest {
  readonly Limit?: number | undefined;
  readonly Marker?: string | undefined;
}

/** `list` answers up to `limit` items whose keys come after `after`, in the order of their keys. */
export async function page<T>(
  request: PageRequest,
  defaultLimit: number,
  list: (slice: Slice) => Promise<T[]> | T[],
  keyOf: (item: T) => string,
): Promise<Page<T>> {
  const limit = request.Limit ?? defaultLimit;
  const found = await list({ after: fromMarker(request.Marker), limit: limit + 1 });
  if (found.length <= limit) return { items: found, Truncated: false };
  const items = found.slice(0, limit);
  return { items, Truncated: true, NextMarker: Buffer.from(`1${keyOf(items.at(-1)!)}`).toString("base64url") };
}

function fromMarker(marker: string | undefined): string | undefined {
  if (marker === undefined) return undefined;
  const decoded = Buffer.from(marker, "base64url").toString();
  if (!decoded.startsWith("1")) throw invalidMarker();
  return decoded.slice(1);
}
