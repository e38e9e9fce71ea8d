/**
 * Lines of a container's log gathered into what one PutLogEvents takes.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
 */
import type { LogLine } from "#engines/engine.ts";

const MAX_EVENTS = 10_000;
const MAX_BYTES = 1024 * 1024;
const EVENT_OVERHEAD_BYTES = 26;
const MAX_SPAN_MS = 24 * 60 * 60 * 1000;
/** How long a line waits for others. */
const GATHER_MS = 200;

export interface LogBatch {
  readonly events: readonly { readonly timestamp: number; readonly message: string }[];
  /** The index of the line after the batch's last. */
  readonly nextLine: number;
}

/**
 * In order, every line once. Empty lines are no events, as with docker's own awslogs driver; two streams' clocks may
 * disagree, and PutLogEvents wants its events in the order of time, so no line is older than the one before it.
 */
export async function* logBatches(lines: AsyncIterable<LogLine>): AsyncGenerator<LogBatch> {
  const iterator = lines[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<LogLine>> | undefined;
  let latest = 0;
  try {
    for (;;) {
      pending ??= iterator.next();
      const first = await pending;
      if (first.done) return;
      const gathered = new Gathering(latest);
      gathered.add(first.value);
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<"over">((resolve) => {
        timer = setTimeout(() => resolve("over"), GATHER_MS);
      });
      for (;;) {
        pending = iterator.next();
        const next = await Promise.race([pending, over]);
        if (next === "over" || next.done || !gathered.hasRoomFor(next.value)) break;
        gathered.add(next.value);
      }
      clearTimeout(timer);
      latest = gathered.latest;
      yield gathered.batch();
    }
  } finally {
    // Not awaited: a reader that waits for a line ends with its signal, not with this.
    void iterator.return?.()?.catch(() => {});
  }
}

class Gathering {
  readonly #events: { timestamp: number; message: string }[] = [];
  #bytes = 0;
  #nextLine = 0;
  latest: number;

  constructor(latest: number) {
    this.latest = latest;
  }

  hasRoomFor({ text, timestamp }: LogLine): boolean {
    const first = this.#events[0]?.timestamp ?? timestamp.getTime();
    return (
      this.#events.length < MAX_EVENTS &&
      this.#bytes + Buffer.byteLength(text) + EVENT_OVERHEAD_BYTES <= MAX_BYTES &&
      timestamp.getTime() - first < MAX_SPAN_MS
    );
  }

  add({ text, timestamp, index }: LogLine): void {
    this.#nextLine = index + 1;
    this.latest = Math.max(this.latest, timestamp.getTime());
    if (text === "") return;
    this.#events.push({ timestamp: this.latest, message: text });
    this.#bytes += Buffer.byteLength(text) + EVENT_OVERHEAD_BYTES;
  }

  batch(): LogBatch {
    return { events: this.#events, nextLine: this.#nextLine };
  }
}
