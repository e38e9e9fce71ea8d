/** AWS CodeConnections: the name that CodeStar Connections has since March 2024. Same model, same resources. */
import * as sdk from "@aws-sdk/client-codestar-connections";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { resourceTags } from "../codestar-connections/lookup.ts";
import limits from "./limits.generated.json" with { type: "json" };

export const codeconnections = defineService({
  name: "codeconnections",
  sdk,
  Client: sdk.CodeStarConnectionsClient,
  operations: async () => (await import("../codestar-connections/operations/table.ts")).codeconnectionsOperations,
  limits: limits as Limits,
  validation: { code: "ValidationException" },
  migrations: [],
  resourceTags,
  rename: {
    signingName: "codeconnections",
    target: "CodeConnections_20231201",
    endpointPrefix: "codeconnections",
  },
});
