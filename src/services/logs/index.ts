/** Amazon CloudWatch Logs: log groups, streams and events. */
import * as sdk from "@aws-sdk/client-cloudwatch-logs";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { resourceTags } from "./lookup.ts";
import { logsTables } from "./migrations/0001-logs.ts";
import { FilterLogEvents } from "./operations/filter-log-events.ts";
import { GetLogEvents } from "./operations/get-log-events.ts";
import {
  CreateLogGroup,
  DeleteLogGroup,
  DeleteRetentionPolicy,
  DescribeLogGroups,
  ListLogGroups,
  PutLogGroupDeletionProtection,
  PutRetentionPolicy,
} from "./operations/log-groups.ts";
import { CreateLogStream, DeleteLogStream, DescribeLogStreams } from "./operations/log-streams.ts";
import { PutLogEvents } from "./operations/put-log-events.ts";
import {
  ListTagsForResource,
  ListTagsLogGroup,
  TagLogGroup,
  TagResource,
  UntagLogGroup,
  UntagResource,
} from "./operations/tags.ts";
import { registerRetention } from "./retention.ts";

export const logs = defineService({
  name: "logs",
  sdk,
  Client: sdk.CloudWatchLogsClient,
  operations: {
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
  },
  limits: limits as Limits,
  validation: { code: "InvalidParameterException" },
  migrations: [logsTables],
  resourceTags,
  registerWork: registerRetention,
});
