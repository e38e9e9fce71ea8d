/** AWS CodeBuild: build projects, builds that really run, webhooks and badges. */
import * as sdk from "@aws-sdk/client-codebuild";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { badgePlane } from "./badge-plane.ts";
import { registerBuilds } from "./build-work.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { codebuildTables } from "./migrations/0001-codebuild.ts";
import { resourceTags } from "./resource-tags.ts";
import { webhookPlane } from "./webhooks/webhook-plane.ts";

export const codebuild = defineService({
  name: "codebuild",
  sdk,
  Client: sdk.CodeBuildClient,
  operations: async () => (await import("./operations/table.ts")).operations,
  limits: limits as Limits,
  validation: { code: "InvalidInputException" },
  migrations: [codebuildTables],
  dataPlanes: [badgePlane, webhookPlane],
  resourceTags,
  registerWork: registerBuilds,
});
