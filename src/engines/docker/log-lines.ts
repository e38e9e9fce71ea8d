/**
 * Lines out of a docker log response: frames of `[stream, 0, 0, 0, length as uint32 BE][payload]`
 * (https://docs.docker.com/engine/api/v1.41/#operation/ContainerAttach, "Stream format"). With timestamps on, one frame
 * is one record of the log: the timestamp, a space, and a line's next 16 KiB at most. A record that is shorter ends its
 * line, whether or not it has a newline: docker 20.10's "local" log driver leaves it out after a line of several records.
 */
import type { LogLine } from "#engines/engine.ts";

/** A longer line is split: engine.ts. */
export const longestLine = 256 * 1024;

/** A record of a line that goes on has exactly this much of it. */
const recordSize = 16 * 1024;

const frameHeader = 8;
const streams = [undefined, "stdout", "stderr"] as const;
const newline = 0x0a;
const space = 0x20;

interface Frame {
  readonly stream: LogLine["stream"];
  readonly payload: Buffer;
}

export async function* frames(response: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let waiting: Buffer[] = [];
  let size = 0;
  let wanted = frameHeader;
  for await (const chunk of response) {
    waiting.push(chunk);
    size += chunk.length;
    // Chunks of a frame are joined once, when the frame is complete.
    if (size < wanted) continue;
    let bytes = Buffer.concat(waiting);
    for (;;) {
      wanted = bytes.length < frameHeader ? frameHeader : frameHeader + bytes.readUInt32BE(4);
      if (bytes.length < wanted) break;
      const stream = streams[bytes.readUInt8(0)];
      if (stream === undefined) throw new Error(`Docker's log stream has a frame of the unknown kind ${bytes[0]}`);
      yield { stream, payload: bytes.subarray(frameHeader, wanted) };
      bytes = bytes.subarray(wanted);
    }
    waiting = [bytes];
    size = bytes.length;
  }
}

interface UnfinishedLine {
  readonly timestamp: Date;
  readonly parts: Buffer[];
  size: number;
}

/** Joins records to lines and numbers these in the log's order, which is the same at every reading. */
export class LineAssembler {
  #index = 0;
  /** In the order in which the lines began. */
  readonly #unfinished = new Map<LogLine["stream"], UnfinishedLine>();

  /** The lines that this record completes: none or one, more where a line is split. */
  *add(stream: LogLine["stream"], record: Buffer): Generator<LogLine> {
    const textStart = record.indexOf(space) + 1;
    const hasNewline = record.at(-1) === newline;
    const text = record.subarray(textStart, hasNewline ? -1 : undefined);
    const ended = hasNewline || text.length < recordSize;
    const line = this.#unfinished.get(stream) ?? {
      timestamp: new Date(record.toString("latin1", 0, textStart - 1)),
      parts: [],
      size: 0,
    };
    line.parts.push(text);
    line.size += text.length;
    this.#unfinished.set(stream, line);
    if (line.size > longestLine) yield* this.#split(stream, line);
    if (ended) yield this.#finished(stream);
  }

  /** The lines that only the end of the log completes. */
  *end(): Generator<LogLine> {
    for (const stream of [...this.#unfinished.keys()]) yield this.#finished(stream);
  }

  *#split(stream: LogLine["stream"], line: UnfinishedLine): Generator<LogLine> {
    let rest = Buffer.concat(line.parts);
    while (rest.length > longestLine) {
      const end = characterBoundary(rest, longestLine);
      yield this.#line(stream, line.timestamp, rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    line.parts.splice(0, line.parts.length, rest);
    line.size = rest.length;
  }

  #finished(stream: LogLine["stream"]): LogLine {
    const line = this.#unfinished.get(stream)!;
    this.#unfinished.delete(stream);
    return this.#line(stream, line.timestamp, Buffer.concat(line.parts));
  }

  #line(stream: LogLine["stream"], timestamp: Date, text: Buffer): LogLine {
    return { stream, timestamp, text: text.toString("utf8"), index: this.#index++ };
  }
}

/** The last place at or before `limit` where no UTF-8 sequence is cut (RFC 3629: at most three continuation bytes). */
function characterBoundary(bytes: Buffer, limit: number): number {
  for (let end = limit; end > limit - 4; end--) {
    if ((bytes[end]! & 0xc0) !== 0x80) return end;
  }
  return limit;
}
