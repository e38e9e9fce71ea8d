/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html */
import type * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { OperationOf } from "#gateway/operation.ts";
import { type Position, streamEvents } from "../event-store.ts";
import { existingLogGroup, existingLogStream, namedLogGroup, streamResources } from "../lookup.ts";
import { type LogEvent, retentionStart } from "../model.ts";
import { logEventsPage, MAX_PAGE_EVENTS } from "../page.ts";
import { type Direction, parsedStreamToken, streamToken } from "../tokens.ts";

/** Before every event. */
const HEAD: Position = { timestamp: 0, sequence: 0, inclusive: false };

export const GetLogEvents: OperationOf<sdk.GetLogEventsCommand> = {
  authorize: { action: "logs:GetLogEvents", resources: streamResources },
  async run(input, call) {
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    const stream = await existingLogStream(group, input.logStreamName!, call);
    // A token knows its direction; startFromHead matters only without one.
    const given = input.nextToken === undefined ? undefined : parsedStreamToken(input.nextToken, stream.id);
    const direction: Direction = given?.direction ?? (input.startFromHead ? "forward" : "backward");
    const page = await logEventsPage(input.limit ?? MAX_PAGE_EVENTS, (last, limit) =>
      streamEvents(call.db, {
        streamId: stream.id,
        direction,
        from: later(input.startTime, retentionStart(group, call.now)),
        before: input.endTime,
        position: last ? after(last) : given?.position,
        limit,
      }),
    );
    const events = direction === "forward" ? page.events : page.events.toReversed();
    const [first, last] = [events[0], events.at(-1)];
    const token = (towards: Direction, event: LogEvent | undefined) => {
      if (event) return streamToken(towards, stream.id, after(event));
      // At the end, the token that was passed in comes back; the other one turns round at the same place.
      if (given?.direction === towards) return input.nextToken;
      if (given) return streamToken(towards, stream.id, { ...given.position, inclusive: !given.position.inclusive });
      return streamToken(towards, stream.id, HEAD);
    };
    return {
      events: events.map(({ timestamp, message, ingestedAt }) => ({ timestamp, message, ingestionTime: ingestedAt })),
      nextForwardToken: token("forward", last),
      nextBackwardToken: token("backward", first),
    };
  },
};

const after = ({ timestamp, sequence }: LogEvent): Position => ({ timestamp, sequence, inclusive: false });

/** The later of two times that may be absent. */
export function later(first: number | undefined, second: number | undefined): number | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return Math.max(first, second);
}
