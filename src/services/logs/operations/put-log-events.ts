/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
import type * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { invalidParameter, noLogStream } from "../errors.ts";
import { appendLogEvents } from "../event-store.ts";
import { existingLogGroup, existingLogStream, namedLogGroup, streamResources } from "../lookup.ts";
import { DAY_MS, EVENT_OVERHEAD_BYTES, retentionStart } from "../model.ts";
import { sequenceToken } from "./log-streams.ts";

const MAX_BATCH_BYTES = 1024 * 1024;
const MAX_AGE_MS = 14 * DAY_MS;
const MAX_AHEAD_MS = 2 * 60 * 60 * 1000;
const MAX_SPAN_MS = DAY_MS;

interface Event {
  readonly timestamp: number;
  readonly message: string;
}

/** The topic that tells "the group's id has new events". */
export const EVENTS_TOPIC = "logs-events";

export const PutLogEvents: OperationOf<sdk.PutLogEventsCommand> = {
  authorize: { action: "logs:PutLogEvents", resources: streamResources },
  async run(input, call) {
    const events = input.logEvents! as readonly Event[];
    requireSize(events);
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    const stream = await existingLogStream(group, input.logStreamName!, call);
    requireOrder(events);
    const expiry = retentionStart(group, call.now);
    const { accepted, rejected } = sorted(events, call.now.getTime(), expiry);
    requireSpan(accepted);
    if (accepted.length > 0) {
      const appended = await inTransaction(call.db, (trx) => appendLogEvents(trx, stream, accepted, call.now));
      if (!appended) throw noLogStream();
      call.system.bus.publish(EVENTS_TOPIC, group.id);
    }
    return {
      nextSequenceToken: sequenceToken(stream.nextSequence + accepted.length),
      rejectedLogEventsInfo: rejected,
    };
  },
};

/** Lone surrogates cannot be stored as UTF-8 and count as the replacement character that they become. */
function requireSize(events: readonly Event[]): void {
  let total = 0;
  for (const { message } of events) total += Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES;
  if (total > MAX_BATCH_BYTES) {
    throw invalidParameter(`Upload too large: ${total} bytes exceeds limit of ${MAX_BATCH_BYTES}`);
  }
}

function requireOrder(events: readonly Event[]): void {
  for (let index = 1; index < events.length; index++) {
    if (events[index]!.timestamp < events[index - 1]!.timestamp) {
      throw invalidParameter("Log events in a single PutLogEvents request must be in chronological order.");
    }
  }
}

function requireSpan(events: readonly Event[]): void {
  const span = events.length === 0 ? 0 : events.at(-1)!.timestamp - events[0]!.timestamp;
  if (span > MAX_SPAN_MS) {
    throw invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
}

/** Splits a chronological batch at the limits of time; `rejected` is undefined where everything is accepted. */
function sorted(
  events: readonly Event[],
  now: number,
  expiry: number | undefined,
): { accepted: readonly Event[]; rejected: sdk.RejectedLogEventsInfo | undefined } {
  const countBefore = (time: number) => {
    const index = events.findIndex((event) => event.timestamp >= time);
    return index < 0 ? events.length : index;
  };
  const tooOld = countBefore(now - MAX_AGE_MS);
  const expired = expiry === undefined ? 0 : countBefore(expiry);
  const tooNew = countBefore(now + MAX_AHEAD_MS + 1);
  const accepted = events.slice(Math.max(tooOld, expired), tooNew);
  if (accepted.length === events.length) return { accepted, rejected: undefined };
  return {
    accepted,
    rejected: {
      ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
      ...(expired > 0 && { expiredLogEventEndIndex: expired }),
      ...(tooNew < events.length && { tooNewLogEventStartIndex: tooNew }),
    },
  };
}
