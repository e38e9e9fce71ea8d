/** Reading one file out of an artifact. Artifacts come from builds, so nothing in them is believed. */
import { buffer } from "node:stream/consumers";

/** undefined where the zip has no such file. Throws Error where it is no zip, or the file is larger than `maxBytes`. */
export async function fileInZip(zip: Buffer, name: string, maxBytes: number): Promise<Buffer | undefined> {
  const { fromBufferPromise } = await import("yauzl");
  const archive = await fromBufferPromise(zip, { lazyEntries: true });
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName !== name) continue;
    if (entry.uncompressedSize > maxBytes) throw new Error(`${name} is larger than ${maxBytes} bytes`);
    return buffer(await archive.openReadStreamPromise(entry));
  }
  return undefined;
}
