/** An object's bytes: its segments one after the other, or a range over them. */
import { Readable } from "node:stream";
import type { BlobStore } from "#store/blobs/blob-store.ts";
import type { Segment } from "./model.ts";

/** Inclusive byte offsets. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export const sizeOf = (segments: readonly Segment[]): number => segments.reduce((sum, { size }) => sum + size, 0);

export interface Slice {
  readonly sha256: string;
  /** Inclusive offsets in the segment. */
  readonly start: number;
  readonly end: number;
}

/** The pieces of segments that a range covers. */
export function slices(segments: readonly Segment[], range: ByteRange): readonly Slice[] {
  const found: Slice[] = [];
  let offset = 0;
  for (const { sha256, size } of segments) {
    const start = Math.max(range.start - offset, 0);
    const end = Math.min(range.end - offset, size - 1);
    if (start <= end) found.push({ sha256, start, end });
    offset += size;
  }
  return found;
}

/** Opens the first piece at once, so that missing content is an exception here and not in a half-sent answer. */
export async function content(blobs: BlobStore, segments: readonly Segment[], range?: ByteRange): Promise<Readable> {
  const size = sizeOf(segments);
  if (size === 0) return Readable.from([]);
  const [first, ...rest] = slices(segments, range ?? { start: 0, end: size - 1 });
  if (!first) return Readable.from([]);
  const opened = await blobs.get(first.sha256, first);
  if (rest.length === 0) return opened;
  const all = Readable.from(chained(blobs, opened, rest), { objectMode: false });
  // A reader that gives up before the first byte never enters the generator.
  return all.on("close", () => opened.destroy());
}

async function* chained(blobs: BlobStore, first: Readable, rest: readonly Slice[]): AsyncGenerator<Buffer> {
  yield* first as AsyncIterable<Buffer>;
  for (const slice of rest) yield* (await blobs.get(slice.sha256, slice)) as AsyncIterable<Buffer>;
}

/**
 * `bytes=0-9`, `bytes=10-`, `bytes=-5` against a size. undefined where the header is to be ignored: other units, several
 * ranges, nonsense (RFC 9110, 14.2). "unsatisfiable" where nothing of it lies inside.
 */
export function byteRange(header: string, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== "" && Number(match[2]) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}
