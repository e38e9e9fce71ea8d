/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html */
import type * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { invalidParameter, logStreamExists } from "../errors.ts";
import { existingLogGroup, existingLogStream, groupResources, namedLogGroup, streamResources } from "../lookup.ts";
import { type LogGroup, type LogStream, logStreamArn } from "../model.ts";
import { deleteLogStream, insertLogStream, listLogStreams } from "../store.ts";
import { pageToken, parsedPageToken } from "../tokens.ts";

const DEFAULT_PAGE = 50;

export const CreateLogStream: OperationOf<sdk.CreateLogStreamCommand> = {
  authorize: { action: "logs:CreateLogStream", resources: streamResources },
  async run(input, call) {
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    const created = await insertLogStream(call.db, group.id, input.logStreamName!, call.now);
    if (!created) throw logStreamExists();
    return {};
  },
};

export const DeleteLogStream: OperationOf<sdk.DeleteLogStreamCommand> = {
  authorize: { action: "logs:DeleteLogStream", resources: streamResources },
  async run(input, call) {
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    const stream = await existingLogStream(group, input.logStreamName!, call);
    await inTransaction(call.db, (trx) => deleteLogStream(trx, stream.id));
    return {};
  },
};

interface StreamPlace {
  readonly name: string;
  readonly lastEventAt: number;
}

export const DescribeLogStreams: OperationOf<sdk.DescribeLogStreamsCommand> = {
  authorize: { action: "logs:DescribeLogStreams", resources: groupResources },
  async run(input, call) {
    const orderBy = input.orderBy ?? "LogStreamName";
    if (orderBy === "LastEventTime" && input.logStreamNamePrefix !== undefined) {
      throw invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
    }
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    const descending = input.descending ?? false;
    const limit = input.limit ?? DEFAULT_PAGE;
    const purpose = `streams/${group.id}/${orderBy}/${descending}`;
    const found = await listLogStreams(call.db, {
      groupId: group.id,
      prefix: input.logStreamNamePrefix,
      orderBy,
      descending,
      after: parsedPageToken<StreamPlace>(purpose, input.nextToken),
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const more = found.length > limit && last !== undefined;
    return {
      logStreams: page.map((stream) => logStreamView(group, stream)),
      nextToken: more
        ? pageToken(purpose, { name: last.name, lastEventAt: last.lastEventAt ?? -1 } satisfies StreamPlace)
        : undefined,
    };
  },
};

/** `storedBytes` of streams is always zero: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html */
function logStreamView(group: LogGroup, stream: LogStream): sdk.LogStream {
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAt,
    firstEventTimestamp: stream.firstEventAt,
    lastEventTimestamp: stream.lastEventAt,
    lastIngestionTime: stream.lastIngestionAt,
    uploadSequenceToken: stream.nextSequence > 1 ? sequenceToken(stream.nextSequence) : undefined,
    arn: logStreamArn(group, group.name, stream.name),
    storedBytes: 0,
  };
}

/** Nobody reads it any more, but older clients expect one. */
export function sequenceToken(nextSequence: number): string {
  return String(nextSequence).padStart(56, "0");
}
