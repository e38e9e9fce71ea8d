/** Amazon CloudWatch Logs: log groups, streams and events. */
import * as sdk from "@aws-sdk/client-cloudwatch-logs";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { resourceTags } from "./lookup.ts";
import { logsTables } from "./migrations/0001-logs.ts";
import { registerRetention } from "./retention.ts";

export const logs = defineService({
  name: "logs",
  sdk,
  Client: sdk.CloudWatchLogsClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "InvalidParameterException" },
  migrations: [logsTables],
  resourceTags,
  registerWork: registerRetention,
});
