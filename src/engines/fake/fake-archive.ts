/** Tar streams to and from a map of files. Folders exist by what is in them. */
import { posix } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, pack } from "tar-stream";

const gzipMagic = 0x1f8b;

export async function unpackInto(files: Map<string, Buffer>, path: string, tar: Readable): Promise<void> {
  const archive = await buffer(tar);
  const isGzip = archive.length >= 2 && archive.readUInt16BE(0) === gzipMagic;
  const entries = extract();
  const source = new PassThrough();
  source.end(archive);
  const reading = isGzip ? pipeline(source, createGunzip(), entries) : pipeline(source, entries);
  for await (const entry of entries) {
    const content = await buffer(entry);
    if (entry.header.type === "file") files.set(posix.join(path, entry.header.name), content);
  }
  await reading;
}

/** undefined where the path is neither a file nor a folder of one. */
export function packed(files: ReadonlyMap<string, Buffer>, path: string): Readable | undefined {
  const archive = pack();
  const file = files.get(path);
  const folder = path.endsWith("/") ? path : `${path}/`;
  const members = [...files].filter(([name]) => name.startsWith(folder));
  if (file === undefined && members.length === 0) return undefined;
  if (file !== undefined) archive.entry({ name: posix.basename(path) }, file);
  for (const [name, content] of members) archive.entry({ name: name.slice(folder.length) }, content);
  archive.finalize();
  return archive.pipe(new PassThrough());
}
