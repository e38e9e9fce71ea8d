/** AWS CodePipeline. */
import * as sdk from "@aws-sdk/client-codepipeline";
import { defineService } from "#gateway/service.ts";
import type { Limits } from "#gateway/validate.ts";
import limits from "./limits.generated.json" with { type: "json" };
import { resourceTags } from "./lookup.ts";
import { pipelineTables } from "./migrations/0001-pipelines.ts";
import { ListActionExecutions } from "./operations/action-executions.ts";
import { GetActionType, ListActionTypes } from "./operations/action-types.ts";
import { PutApprovalResult } from "./operations/approvals.ts";
import {
  GetPipelineExecution,
  ListPipelineExecutions,
  StartPipelineExecution,
  StopPipelineExecution,
} from "./operations/executions.ts";
import { GetPipelineState } from "./operations/pipeline-state.ts";
import { CreatePipeline, DeletePipeline, GetPipeline, ListPipelines, UpdatePipeline } from "./operations/pipelines.ts";
import { DisableStageTransition, EnableStageTransition, RetryStageExecution } from "./operations/stages.ts";
import { ListTagsForResource, TagResource, UntagResource } from "./operations/tags.ts";
import { registerRunner } from "./runner.ts";
import { registerWatch } from "./watch.ts";

export const codepipeline = defineService({
  name: "codepipeline",
  sdk,
  Client: sdk.CodePipelineClient,
  operations: {
    CreatePipeline,
    DeletePipeline,
    DisableStageTransition,
    EnableStageTransition,
    GetActionType,
    GetPipeline,
    GetPipelineExecution,
    GetPipelineState,
    ListActionExecutions,
    ListActionTypes,
    ListPipelineExecutions,
    ListPipelines,
    ListTagsForResource,
    PutApprovalResult,
    RetryStageExecution,
    StartPipelineExecution,
    StopPipelineExecution,
    TagResource,
    UntagResource,
    UpdatePipeline,
  },
  limits: limits as Limits,
  validation: { code: "ValidationException" },
  migrations: [pipelineTables],
  resourceTags,
  registerWork(system) {
    registerRunner(system);
    registerWatch(system);
  },
});
