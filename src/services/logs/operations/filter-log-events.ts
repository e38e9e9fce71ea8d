/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html */
import type * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidParameter, noLogStream } from "../errors.ts";
import { type GroupPosition, groupEvents } from "../event-store.ts";
import { filterPattern } from "../filter-pattern/filter-pattern.ts";
import { existingLogGroup, groupResources, namedLogGroup } from "../lookup.ts";
import { type LogGroup, retentionStart } from "../model.ts";
import { logEventsPage, MAX_PAGE_EVENTS } from "../page.ts";
import { findLogStream, listLogStreams, logStreamNames } from "../store.ts";
import { eventId, groupPosition, pageToken, parsedPageToken } from "../tokens.ts";
import { later } from "./get-log-events.ts";

/** A page ends after so many events even where none matched; the next token goes on from there. */
const MAX_EXAMINED = 100_000;
const STREAMS_PORTION = 500;

export const FilterLogEvents: OperationOf<sdk.FilterLogEventsCommand> = {
  authorize: { action: "logs:FilterLogEvents", resources: groupResources },
  async run(input, call) {
    if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined) {
      throw invalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
    }
    const matches = filterPattern(input.filterPattern ?? "");
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    const streamIds = await searchedStreams(group, input, call);
    const purpose = `filter/${group.id}`;
    const start = parsedPageToken<GroupPosition>(purpose, input.nextToken);
    const page = await logEventsPage(
      input.limit ?? MAX_PAGE_EVENTS,
      async (last, limit) =>
        streamIds?.length === 0
          ? []
          : groupEvents(call.db, {
              groupId: group.id,
              streamIds,
              from: later(input.startTime, retentionStart(group, call.now)),
              // Unlike GetLogEvents', this endTime is inclusive: "Events with a timestamp later than this time are not returned".
              before: input.endTime === undefined ? undefined : input.endTime + 1,
              after: last ? groupPosition(last) : start,
              limit,
            }),
      (event) => matches(event.message),
      MAX_EXAMINED,
    );
    const names = await logStreamNames(call.db, [...new Set(page.events.map((event) => event.streamId))]);
    const goesOn = !page.complete && page.last !== undefined;
    return {
      events: page.events.map((event) => ({
        logStreamName: names.get(event.streamId),
        timestamp: event.timestamp,
        message: event.message,
        ingestionTime: event.ingestedAt,
        eventId: eventId(event),
      })),
      // "As of May 15, 2020, this parameter is no longer supported" and AWS answers an empty list.
      searchedLogStreams: [],
      nextToken: goesOn ? pageToken(purpose, groupPosition(page.last)) : undefined,
    };
  },
};

/** Ids of the streams that the input names; undefined for all of the group's. */
async function searchedStreams(
  group: LogGroup,
  input: { readonly logStreamNames?: string[] | undefined; readonly logStreamNamePrefix?: string | undefined },
  call: Call,
): Promise<string[] | undefined> {
  if (input.logStreamNames) {
    const streams = await Promise.all(input.logStreamNames.map((name) => findLogStream(call.db, group.id, name)));
    return streams.map((stream) => {
      if (!stream) throw noLogStream();
      return stream.id;
    });
  }
  const prefix = input.logStreamNamePrefix;
  if (prefix === undefined) return undefined;
  const ids: string[] = [];
  for (let after: { name: string; lastEventAt: number } | undefined; ; ) {
    const portion = await listLogStreams(call.db, {
      groupId: group.id,
      prefix,
      orderBy: "LogStreamName",
      descending: false,
      after,
      limit: STREAMS_PORTION,
    });
    ids.push(...portion.map((stream) => stream.id));
    if (portion.length < STREAMS_PORTION) return ids;
    after = { name: portion.at(-1)!.name, lastEventAt: -1 };
  }
}
