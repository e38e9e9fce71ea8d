/** AWS CodePipeline. */
import * as sdk from "@aws-sdk/client-codepipeline";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { resourceTags } from "./lookup.ts";
import { pipelineTables } from "./migrations/0001-pipelines.ts";
import { registerRunner } from "./runner.ts";
import { registerWatch } from "./watch.ts";

export const codepipeline = defineService({
  name: "codepipeline",
  sdk,
  Client: sdk.CodePipelineClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "ValidationException" },
  migrations: [pipelineTables],
  resourceTags,
  registerWork(system) {
    registerRunner(system);
    registerWatch(system);
  },
});
