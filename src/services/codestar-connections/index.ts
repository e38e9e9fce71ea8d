/** AWS CodeStar Connections: access to repositories of Git providers. */
import * as sdk from "@aws-sdk/client-codestar-connections";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { resourceTags } from "./lookup.ts";
import { connectionTables } from "./migrations/0001-connections.ts";

export const codestarConnections = defineService({
  name: "codestar-connections",
  sdk,
  Client: sdk.CodeStarConnectionsClient,
  operations: async () => (await import("./operations/table.ts")).codestarOperations,
  limits: limits as Limits,
  validation: { code: "ValidationException" },
  migrations: [connectionTables],
  resourceTags,
});
