/** Blobs in a folder: `sha256/ab/abcdef…`, uploads and temporary files beside them on the same filesystem. */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type BlobInfo, BlobMismatchError, BlobNotFoundError, type BlobStore } from "./blob-store.ts";

export class FolderBlobStore implements BlobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(source: Readable | Uint8Array): Promise<BlobInfo> {
    const temporary = join(await this.#folder("tmp"), randomUUID());
    const hashes = { sha256: createHash("sha256"), md5: createHash("md5") };
    let size = 0;
    const file = await open(temporary, "wx", 0o600);
    try {
      await writeAll(file, source, (chunk) => {
        hashes.sha256.update(chunk);
        hashes.md5.update(chunk);
        size += chunk.length;
      });
      await file.sync();
    } catch (error) {
      await file.close();
      await rm(temporary, { force: true });
      throw error;
    }
    await file.close();
    const info = { sha256: hashes.sha256.digest("hex"), md5: hashes.md5.digest("hex"), size };
    await this.#adopt(temporary, info.sha256);
    return info;
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.size(sha256)) !== undefined;
  }

  size(sha256: string): Promise<number | undefined> {
    return fileSize(this.#path(sha256));
  }

  async get(sha256: string, range?: { start: number; end: number }): Promise<Readable> {
    // Opened here, so that a missing blob is an exception of this call and not of somebody's stream later.
    const file = await open(this.#path(sha256), "r").catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? new BlobNotFoundError(`There is no blob ${sha256}`) : error;
    });
    return file.createReadStream({ ...range, highWaterMark: 256 * 1024 });
  }

  delete(sha256: string): Promise<void> {
    return rm(this.#path(sha256), { force: true });
  }

  async append(upload: string, source: Readable | Uint8Array): Promise<number> {
    const path = await this.#uploadPath(upload);
    const before = (await fileSize(path)) ?? 0;
    const file = await open(path, "a", 0o600);
    try {
      await writeAll(file, source, () => {});
      await file.sync();
    } catch (error) {
      await file.truncate(before); // a broken request leaves the upload as it was
      throw error;
    } finally {
      await file.close();
    }
    return (await fileSize(path)) ?? 0;
  }

  async uploadSize(upload: string): Promise<number | undefined> {
    return fileSize(await this.#uploadPath(upload));
  }

  async commit(upload: string, expectedSha256?: string): Promise<BlobInfo> {
    const path = await this.#uploadPath(upload);
    if ((await fileSize(path)) === undefined) throw new BlobNotFoundError(`There is no upload ${upload}`);
    const hashes = { sha256: createHash("sha256"), md5: createHash("md5") };
    let size = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
      hashes.sha256.update(chunk);
      hashes.md5.update(chunk);
      size += chunk.length;
    }
    const info = { sha256: hashes.sha256.digest("hex"), md5: hashes.md5.digest("hex"), size };
    if (expectedSha256 !== undefined && info.sha256 !== expectedSha256) {
      await rm(path, { force: true });
      throw new BlobMismatchError(expectedSha256, info);
    }
    await this.#adopt(path, info.sha256);
    return info;
  }

  scoped(owner: string): BlobStore {
    return new FolderBlobStore(join(this.#root, owner));
  }

  async discard(upload: string): Promise<void> {
    await rm(await this.#uploadPath(upload), { force: true });
  }

  #path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new BlobNotFoundError(`${sha256} is not a sha256`);
    return join(this.#root, "sha256", sha256.slice(0, 2), sha256);
  }

  async #uploadPath(upload: string): Promise<string> {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(upload)) throw new BlobNotFoundError(`${upload} is not an upload`);
    return join(await this.#folder("uploads"), upload);
  }

  async #folder(name: string): Promise<string> {
    const path = join(this.#root, name);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  async #adopt(path: string, sha256: string): Promise<void> {
    const target = this.#path(sha256);
    const folder = join(target, "..");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(path, target);
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close()); // the name is durable too
  }
}

async function writeAll(
  file: FileHandle,
  source: Readable | Uint8Array,
  seen: (chunk: Uint8Array) => void,
): Promise<void> {
  const chunks = source instanceof Readable ? (source as AsyncIterable<Buffer>) : [source];
  for await (const chunk of chunks) {
    seen(chunk);
    await file.writeFile(chunk);
  }
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
