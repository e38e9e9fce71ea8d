/** Files that are made once, whole, whoever comes first: the authority's key and certificate. */
import { randomUUID } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * The text of the file at `path`; where there is none, of the one made with `make`.
 *
 * The file appears under its name complete and on disk, or not at all. When several processes make it at the same time, one
 * wins and all return the winner's text: link(2) fails on an existing name where rename(2) would replace it.
 */
export async function publishedFile(path: string, mode: number, make: () => Promise<string>): Promise<string> {
  const existing = await textOf(path);
  if (existing !== undefined) {
    return existing;
  }
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeDurably(draft, mode, await make());
    await link(draft, path);
    await sync(dirname(path));
  } catch (error) {
    if (!isErrno(error, "EEXIST")) {
      throw error;
    }
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, "utf8");
}

/** undefined where there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) {
      return undefined;
    }
    throw error;
  }
}

async function writeDurably(path: string, mode: number, text: string): Promise<void> {
  await using file = await open(path, "wx", mode);
  await file.writeFile(text);
  await file.sync();
}

/** A new name in a folder survives a power cut only once the folder itself is synced. */
async function sync(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
