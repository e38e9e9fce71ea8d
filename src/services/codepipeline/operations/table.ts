/** What is built of the service, by AWS's names; loaded with its first request. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { OperationTable } from "#gateway/operation.ts";
import { ListActionExecutions } from "./action-executions.ts";
import { GetActionType, ListActionTypes } from "./action-types.ts";
import { PutApprovalResult } from "./approvals.ts";
import {
  GetPipelineExecution,
  ListPipelineExecutions,
  StartPipelineExecution,
  StopPipelineExecution,
} from "./executions.ts";
import { GetPipelineState } from "./pipeline-state.ts";
import { CreatePipeline, DeletePipeline, GetPipeline, ListPipelines, UpdatePipeline } from "./pipelines.ts";
import { DisableStageTransition, EnableStageTransition, RetryStageExecution } from "./stages.ts";
import { ListTagsForResource, TagResource, UntagResource } from "./tags.ts";

export const operations: OperationTable<typeof sdk> = {
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
};
