/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { OperationTable } from "#gateway/operation.ts";
import { FilterLogEvents } from "./filter-log-events.ts";
import { GetLogEvents } from "./get-log-events.ts";
import {
  CreateLogGroup,
  DeleteLogGroup,
  DeleteRetentionPolicy,
  DescribeLogGroups,
  ListLogGroups,
  PutLogGroupDeletionProtection,
  PutRetentionPolicy,
} from "./log-groups.ts";
import { CreateLogStream, DeleteLogStream, DescribeLogStreams } from "./log-streams.ts";
import { PutLogEvents } from "./put-log-events.ts";
import {
  ListTagsForResource,
  ListTagsLogGroup,
  TagLogGroup,
  TagResource,
  UntagLogGroup,
  UntagResource,
} from "./tags.ts";

export const operations: OperationTable<typeof sdk> = {
  CreateLogGroup,
  CreateLogStream,
  DeleteLogGroup,
  DeleteLogStream,
  DeleteRetentionPolicy,
  DescribeLogGroups,
  DescribeLogStreams,
  FilterLogEvents,
  GetLogEvents,
  ListLogGroups,
  ListTagsForResource,
  ListTagsLogGroup,
  PutLogEvents,
  PutLogGroupDeletionProtection,
  PutRetentionPolicy,
  TagLogGroup,
  TagResource,
  UntagLogGroup,
  UntagResource,
};
