/** Pages of connections and hosts. */
import { invalidToken } from "./errors.ts";

const DEFAULT_PAGE = 100;

/** The id that the page comes after; undefined for the first page. Throws ValidationException. */
export function afterToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const [version, id] = Buffer.from(token, "base64url").toString().split(":", 2);
  if (version !== "1" || !id) throw invalidToken();
  return id;
}

/** `read` gives up to so many items; one more than the page holds tells whether another page follows. */
export async function pageOf<T extends { readonly id: string }>(
  maxResults: number | undefined,
  read: (limit: number) => Promise<T[]>,
): Promise<{ items: T[]; nextToken: string | undefined }> {
  const size = maxResults || DEFAULT_PAGE;
  const found = await read(size + 1);
  const items = found.slice(0, size);
  const last = items.at(-1);
  const nextToken = found.length > size && last ? Buffer.from(`1:${last.id}`).toString("base64url") : undefined;
  return { items, nextToken };
}
