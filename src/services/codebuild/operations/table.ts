/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-codebuild";
import type { OperationTable } from "#gateway/operation.ts";
import { BatchDeleteBuilds, BatchGetBuilds, ListBuilds, ListBuildsForProject, StopBuild } from "./builds.ts";
import { ListCuratedEnvironmentImages } from "./curated-images.ts";
import { BatchGetProjects, ListProjects } from "./list-projects.ts";
import {
  CreateProject,
  DeleteProject,
  InvalidateProjectCache,
  UpdateProject,
  UpdateProjectVisibility,
} from "./projects.ts";
import { DeleteSourceCredentials, ImportSourceCredentials, ListSourceCredentials } from "./source-credentials.ts";
import { RetryBuild, StartBuild } from "./start-build.ts";
import { CreateWebhook, DeleteWebhook, UpdateWebhook } from "./webhooks.ts";

export const operations: OperationTable<typeof sdk> = {
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
};
