/** Zip archives from outside into a folder of this machine: nothing in them can reach beyond it or fill the disk. */
import { createWriteStream } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { type Entry, openPromise, type ZipFile } from "yauzl";

/** The archive is damaged, or holds what no source may hold. `message` says which entry. */
export class ZipError extends Error {
  override readonly name = "ZipError";
}

export interface UnzipLimits {
  readonly entries: number;
  /** Of the content, unpacked. */
  readonly bytes: number;
}

/** As for artifacts: S3 takes objects of 5 GB, and a checkout with its dependencies has some 100,000 files. */
export const UNZIP_LIMITS: UnzipLimits = { entries: 1_000_000, bytes: 5 * 1024 ** 3 };

const FILE_TYPE = 0o170000;
const SYMBOLIC_LINK = 0o120000;
const MAX_LINK_BYTES = 4096;

/** Throws ZipError. */
export async function unzip(archive: string, folder: string, limits = UNZIP_LIMITS): Promise<void> {
  const zip = await openPromise(archive, { lazyEntries: true, strictFileNames: true }).catch(damaged);
  const links = new Map<string, string>();
  let entries = 0;
  let bytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      entries += 1;
      if (entries > limits.entries) throw new ZipError(`The archive holds more than ${limits.entries} files`);
      const name = safeName(entry.fileName);
      const mode = entry.externalFileAttributes >>> 16;
      if (entry.fileName.endsWith("/")) {
        await mkdir(join(folder, name), { recursive: true });
      } else if ((mode & FILE_TYPE) === SYMBOLIC_LINK) {
        links.set(name, await linkTarget(zip, entry, name));
      } else {
        bytes += entry.uncompressedSize;
        if (bytes > limits.bytes) throw new ZipError(`The archive holds more than ${limits.bytes} bytes`);
        await writeFile(zip, entry, join(folder, name), mode);
      }
    }
  } catch (error) {
    damaged(error);
  } finally {
    zip.close();
  }
  // Last, so that no file is written through a link.
  for (const [name, target] of links) await makeLink(folder, name, target, links);
}

/** yauzl has refused absolute names and steps up already; this is for what is left. */
function safeName(fileName: string): string {
  const name = posix.normalize(fileName).replace(/\/$/, "");
  if (name.startsWith("/") || name === ".." || name.startsWith("../") || name.includes("\0")) {
    throw new ZipError(`${fileName} would lie outside the source folder`);
  }
  return name;
}

async function linkTarget(zip: ZipFile, entry: Entry, name: string): Promise<string> {
  if (entry.uncompressedSize > MAX_LINK_BYTES) throw new ZipError(`The symbolic link ${name} is too long`);
  const target = (await buffer(await zip.openReadStreamPromise(entry))).toString();
  const resolved = posix.normalize(posix.join(posix.dirname(name), target));
  if (target.startsWith("/") || resolved === ".." || resolved.startsWith("../")) {
    throw new ZipError(`The symbolic link ${name} leads out of the source folder`);
  }
  return target;
}

async function writeFile(zip: ZipFile, entry: Entry, path: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const content: Readable = await zip.openReadStreamPromise(entry);
  // The size in the directory bounds what was added up above; yauzl fails where the content is another.
  await pipeline(content, createWriteStream(path, { mode: mode & 0o777 || 0o644, flags: "wx" }));
}

async function makeLink(
  folder: string,
  name: string,
  target: string,
  links: ReadonlyMap<string, string>,
): Promise<void> {
  for (let parent = posix.dirname(name); parent !== "."; parent = posix.dirname(parent)) {
    if (links.has(parent)) throw new ZipError(`${name} lies below the symbolic link ${parent}`);
  }
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await symlink(target, join(folder, name)).catch(damaged);
}

function damaged(error: unknown): never {
  if (error instanceof ZipError) throw error;
  throw new ZipError(`The archive cannot be unpacked: ${(error as Error).message}`, { cause: error });
}
