/**
 * A build's artifact from the tar stream of its source folder: listed, as single files, or as one zip. Everything
 * streams; a file's content is held in memory only where it goes into the artifact under a second name.
 */
import { posix } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { ZipFile } from "yazl";
import { type ArtifactEntry, ArtifactError, type ArtifactSelection, type SelectedFile } from "./artifacts.ts";

export interface ArchiveLimits {
  /** Things in the source folder. */
  readonly maximumEntries: number;
  /** Bytes of an artifact's content before compression. */
  readonly maximumBytes: number;
}

/** The largest object that one S3 PutObject takes is 5 GB; a checkout with its dependencies has some 100,000 files. */
export const defaultArchiveLimits: ArchiveLimits = { maximumEntries: 1_000_000, maximumBytes: 5 * 1024 ** 3 };

type TarEntry = Readable & { readonly header: Header };

/** A file that has a second name in the artifact is held in memory up to this size. */
const maximumSharedBytes = 64 * 1024 ** 2;

/**
 * What the tar holds, content skipped. Entries other than files, folders and links, and names that leave the folder,
 * are left out. Throws ArtifactError above the limits.
 */
export async function listedEntries(tar: Readable, limits = defaultArchiveLimits): Promise<readonly ArtifactEntry[]> {
  const entries: ArtifactEntry[] = [];
  for await (const entry of tarEntries(tar)) {
    const listed = listedEntry(entry.header);
    if (listed !== undefined) {
      entries.push(listed);
    }
    if (entries.length > limits.maximumEntries) {
      throw new ArtifactError(`the source directory holds more than ${limits.maximumEntries} files`);
    }
    entry.resume();
  }
  return entries;
}

export interface ArtifactFile {
  readonly name: string;
  readonly size: number;
  /** File permission bits. */
  readonly mode: number;
  /** The text of a symbolic link; `content` is empty then. */
  readonly symlink: string | undefined;
  /** Must be read to its end, or destroyed, before the next file is asked for. */
  readonly content: Readable;
}

/**
 * The selection's files from a second tar stream of the same folder, in the stream's order. Throws ArtifactError above
 * the limits, or when a selected file is missing in the stream.
 */
export async function* artifactFiles(
  tar: Readable,
  selection: ArtifactSelection,
  limits = defaultArchiveLimits,
): AsyncGenerator<ArtifactFile> {
  const total = selection.files.reduce((sum, file) => sum + file.size, 0);
  if (total > limits.maximumBytes) {
    throw new ArtifactError(`the artifact has ${total} bytes; the maximum is ${limits.maximumBytes}`);
  }
  const wanted = Map.groupBy(selection.files, (file) => file.source);
  for await (const entry of tarEntries(tar)) {
    const path = entryPath(entry.header.name);
    const files = path === undefined ? undefined : wanted.get(path);
    if (path === undefined || files === undefined) {
      entry.resume();
      continue;
    }
    wanted.delete(path);
    yield* filesOf(entry, files);
    entry.resume();
  }
  const missing = [...wanted.keys()][0];
  if (missing !== undefined) {
    throw new ArtifactError(`artifact file ${missing} disappeared while the artifact was packed`);
  }
}

/**
 * The selection as a zip. The same content gives the same bytes: times are constant, order is the tar's. An error ends
 * the stream with it.
 */
export function zipArchive(tar: Readable, selection: ArtifactSelection, limits = defaultArchiveLimits): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  // Local time on purpose: the format's fields have no zone, so that every machine writes the same ones.
  const constant = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true };
  const fill = async () => {
    for await (const file of artifactFiles(tar, selection, limits)) {
      if (file.symlink === undefined) {
        const mode = 0o100000 | file.mode;
        zip.addReadStream(file.content, file.name, { ...constant, mode, size: file.size });
        await finished(file.content, { writable: false });
      } else {
        zip.addBuffer(Buffer.from(file.symlink), file.name, { ...constant, mode: 0o120777, compress: false });
      }
    }
    zip.end();
  };
  output.once("close", () => tar.destroy());
  zip.on("error", (error: Error) => output.destroy(error));
  fill().catch((error: Error) => output.destroy(error));
  return output;
}

async function* filesOf(entry: TarEntry, files: readonly SelectedFile[]): AsyncGenerator<ArtifactFile> {
  const mode = (entry.header.mode ?? 0o644) & 0o777;
  const [first] = files;
  if (files.length === 1 || first === undefined || first.symlink !== undefined) {
    for (const { name, size, symlink } of files) {
      yield { name, size, mode, symlink, content: symlink === undefined ? entry : Readable.from([]) };
    }
    return;
  }
  if (first.size > maximumSharedBytes) {
    throw new ArtifactError(
      `${first.source} is in the artifact more than once and larger than ${maximumSharedBytes} bytes`,
    );
  }
  const content = await buffer(entry);
  for (const { name, size } of files) {
    yield { name, size, mode, symlink: undefined, content: Readable.from([content]) };
  }
}

async function* tarEntries(tar: Readable): AsyncGenerator<TarEntry> {
  const unpacked = extract();
  // A fault of the source stream reaches the loop below through `unpacked`, which pipeline destroys with it.
  const transfer = pipeline(tar, unpacked);
  transfer.catch(() => {});
  for await (const entry of unpacked) {
    // streamx's Readable, which node's own functions take for a stream of theirs.
    yield entry as unknown as TarEntry;
  }
  await transfer;
}

function listedEntry(header: Header): ArtifactEntry | undefined {
  const path = entryPath(header.name);
  if (path === undefined || path === ".") {
    return undefined;
  }
  switch (header.type) {
    case "file":
    case "contiguous-file":
      return { path, type: "file", size: header.size ?? 0 };
    case "directory":
      return { path, type: "directory", size: 0 };
    case "symlink":
      return { path, type: "symlink", size: 0, linkTarget: header.linkname ?? "" };
    case "link": {
      const target = entryPath(header.linkname ?? "");
      return target === undefined ? undefined : { path, type: "file", size: 0, linkTarget: target };
    }
    default:
      return undefined;
  }
}

/** A tar entry's name as a path relative to the folder; undefined where it leaves it. */
function entryPath(name: string): string | undefined {
  const path = posix.normalize(name).replace(/(?<=.)\/$/, "");
  return path.startsWith("/") || path === ".." || path.startsWith("../") ? undefined : path;
}
