/** Pages of log events: up to 10,000 events or 1 MB, whichever is less. */
import type { LogEvent } from "./model.ts";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html */
export const MAX_PAGE_EVENTS = 10_000;
const MAX_PAGE_BYTES = 1024 * 1024;

/** Events can be 1 MB each, so they are read in portions and not 10,000 at once. */
const PORTION = 250;
/** An event goes on a page whatever its size, so that a reader always gets on. */
const MIN_PAGE_EVENTS = 1;

export interface Page {
  readonly events: readonly LogEvent[];
  /** The last event that was looked at, whether it is on the page or not; undefined where there was none. */
  readonly last: LogEvent | undefined;
  /** Nothing comes after `last` now. */
  readonly complete: boolean;
}

/**
 * `read` gives up to so many events after a given one. Events that `matches` refuses are left out; after
 * `maxExamined` events the page ends even where it is short or empty.
 */
export async function logEventsPage(
  limit: number,
  read: (after: LogEvent | undefined, count: number) => Promise<readonly LogEvent[]>,
  matches?: (event: LogEvent) => boolean,
  maxExamined = Number.POSITIVE_INFINITY,
): Promise<Page> {
  const events: LogEvent[] = [];
  let bytes = 0;
  let last: LogEvent | undefined;
  for (let examined = 0; examined < maxExamined; ) {
    // Without a filter every event counts, so no more are read than fit, and one to see whether there are more.
    const count = matches ? PORTION : Math.min(PORTION, limit - events.length + 1);
    const portion = await read(last, count);
    for (const event of portion) {
      if (!matches || matches(event)) {
        const size = Buffer.byteLength(event.message);
        const full = events.length >= limit || bytes + size > MAX_PAGE_BYTES;
        if (full && events.length >= MIN_PAGE_EVENTS) return { events, last, complete: false };
        events.push(event);
        bytes += size;
      }
      last = event;
    }
    if (portion.length < count) return { events, last, complete: true };
    examined += portion.length;
  }
  return { events, last, complete: false };
}
