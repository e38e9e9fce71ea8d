/** AWS CodeBuild: build projects, builds that really run, webhooks and badges. */
import * as sdk from "@aws-sdk/client-codebuild";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import { badgePlane } from "./badge-plane.ts";
import { registerBuilds } from "./build-work.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { codebuildTables } from "./migrations/0001-codebuild.ts";
import { BatchDeleteBuilds, BatchGetBuilds, ListBuilds, ListBuildsForProject, StopBuild } from "./operations/builds.ts";
import { ListCuratedEnvironmentImages } from "./operations/curated-images.ts";
import { BatchGetProjects, ListProjects } from "./operations/list-projects.ts";
import {
  CreateProject,
  DeleteProject,
  InvalidateProjectCache,
  UpdateProject,
  UpdateProjectVisibility,
} from "./operations/projects.ts";
import {
  DeleteSourceCredentials,
  ImportSourceCredentials,
  ListSourceCredentials,
} from "./operations/source-credentials.ts";
import { RetryBuild, StartBuild } from "./operations/start-build.ts";
import { CreateWebhook, DeleteWebhook, UpdateWebhook } from "./operations/webhooks.ts";
import { resourceTags } from "./resource-tags.ts";
import { webhookPlane } from "./webhooks/webhook-plane.ts";

export const codebuild = defineService({
  name: "codebuild",
  sdk,
  Client: sdk.CodeBuildClient,
  operations: {
    BatchDeleteBuilds,
    BatchGetBuilds,
    BatchGetProjects,
    CreateProject,
    CreateWebhook,
    DeleteProject,
    DeleteSourceCredentials,
    DeleteWebhook,
    ImportSourceCredentials,
    InvalidateProjectCache,
    ListBuilds,
    ListBuildsForProject,
    ListCuratedEnvironmentImages,
    ListProjects,
    ListSourceCredentials,
    RetryBuild,
    StartBuild,
    StopBuild,
    UpdateProject,
    UpdateProjectVisibility,
    UpdateWebhook,
  },
  limits: limits as Limits,
  validation: { code: "InvalidInputException" },
  migrations: [codebuildTables],
  dataPlanes: [badgePlane, webhookPlane],
  resourceTags,
  registerWork: registerBuilds,
});
