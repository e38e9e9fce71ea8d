/** Amazon Elastic Container Service: clusters, task definitions, services and the tasks that really run. */
import * as sdk from "@aws-sdk/client-ecs";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { resourceTags } from "./lookup.ts";
import { ecsTables } from "./migrations/0001-ecs.ts";
import { registerTaskRunner } from "./running/task-runner.ts";
import { registerServiceRunner } from "./scheduling/service-runner.ts";

export const ecs = defineService({
  name: "ecs",
  sdk,
  Client: sdk.ECSClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "InvalidParameterException" },
  migrations: [ecsTables],
  resourceTags,
  registerWork(system) {
    registerTaskRunner(system);
    registerServiceRunner(system);
  },
});
