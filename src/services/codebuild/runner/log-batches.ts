/** Log lines in batches that are worth a transaction: soon enough for people who watch, few enough for the database. */
import type { LogLine } from "#engines/engine.ts";

export interface BatchLimits {
  readonly lines: number;
  readonly bytes: number;
  /** How long a line waits for others. */
  readonly waitMs: number;
}

/** A batch's bytes stay below PutLogEvents' 1 MiB with its 26 bytes an event. */
export const BATCH_LIMITS: BatchLimits = { lines: 100, bytes: 768 * 1024, waitMs: 200 };

/**
 * Every line once, in order, in batches of at least one. A batch also ends with a line for which `endsBatch` holds: what
 * it says should not wait.
 */
export async function* logBatches(
  source: AsyncIterable<LogLine>,
  endsBatch: (line: LogLine) => boolean,
  limits = BATCH_LIMITS,
): AsyncGenerator<readonly LogLine[]> {
  const iterator = source[Symbol.asyncIterator]();
  let batch: LogLine[] = [];
  let bytes = 0;
  let next = iterator.next();
  let timer: NodeJS.Timeout | undefined;
  let waited: Promise<"waited"> | undefined;
  const taken = () => {
    const full = batch;
    batch = [];
    bytes = 0;
    clearTimeout(timer);
    waited = undefined;
    return full;
  };
  try {
    for (;;) {
      const outcome = await (waited ? Promise.race([next, waited]) : next);
      if (outcome === "waited") {
        yield taken();
        continue;
      }
      if (outcome.done) break;
      const line = outcome.value;
      const size = Buffer.byteLength(line.text);
      if (batch.length > 0 && bytes + size > limits.bytes) yield taken();
      batch.push(line);
      bytes += size;
      next = iterator.next();
      if (endsBatch(line) || batch.length >= limits.lines || bytes >= limits.bytes) yield taken();
      else waited ??= new Promise((resolve) => (timer = setTimeout(resolve, limits.waitMs, "waited")));
    }
    if (batch.length > 0) yield taken();
  } finally {
    clearTimeout(timer);
    // What was asked for and is not wanted any more must not end the process when it fails.
    next.catch(() => {});
    await iterator.return?.();
  }
}
