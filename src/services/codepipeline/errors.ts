/** CodePipeline's modelled exceptions, in its words. */
import * as sdk from "@aws-sdk/client-codepipeline";
import type { Scope } from "./model.ts";

const $metadata = {};

export const pipelineNotFound = ({ accountId }: Scope, name: string) =>
  new sdk.PipelineNotFoundException({
    message: `Account '${accountId}' does not have a pipeline with name '${name}'`,
    $metadata,
  });

export const pipelineNameInUse = ({ accountId }: Scope, name: string) =>
  new sdk.PipelineNameInUseException({
    message: `A pipeline with the name '${name}' already exists in account '${accountId}'`,
    $metadata,
  });

export const versionNotFound = (name: string, version: number) =>
  new sdk.PipelineVersionNotFoundException({
    message: `Pipeline '${name}' does not have a version ${version}`,
    $metadata,
  });

export const executionNotFound = (name: string, id: string) =>
  new sdk.PipelineExecutionNotFoundException({
    message: `Pipeline '${name}' does not have a pipeline execution with id '${id}'`,
    $metadata,
  });

export const stageNotFound = (pipeline: string, stage: string) =>
  new sdk.StageNotFoundException({ message: `Stage '${stage}' not found in pipeline '${pipeline}'`, $metadata });

export const actionNotFound = (stage: string, action: string) =>
  new sdk.ActionNotFoundException({ message: `Action '${action}' not found in stage '${stage}'`, $metadata });

export const notStoppable = (id: string, status: string) =>
  new sdk.PipelineExecutionNotStoppableException({
    message: `Pipeline execution '${id}' cannot be stopped because its status is ${status}`,
    $metadata,
  });

export const duplicatedStop = (id: string) =>
  new sdk.DuplicatedStopRequestException({
    message: `Pipeline execution '${id}' is already stopping; request abandon to stop it without waiting`,
    $metadata,
  });

export const stageNotRetryable = (stage: string) =>
  new sdk.StageNotRetryableException({
    message: `Stage '${stage}' cannot be retried: it has not failed or been stopped in that pipeline execution`,
    $metadata,
  });

export const notLatestExecution = (stage: string, id: string) =>
  new sdk.NotLatestPipelineExecutionException({
    message: `Pipeline execution '${id}' is not the latest one in stage '${stage}'`,
    $metadata,
  });

export const tooManyExecutions = (limit: number) =>
  new sdk.ConcurrentPipelineExecutionsLimitExceededException({
    message: `The pipeline has reached the limit of ${limit} concurrent executions`,
    $metadata,
  });

export const invalidApprovalToken = () =>
  new sdk.InvalidApprovalTokenException({
    message: "The approval token is not the one of the pending approval",
    $metadata,
  });

export const approvalCompleted = (action: string) =>
  new sdk.ApprovalAlreadyCompletedException({
    message: `The approval action '${action}' has already been approved or rejected`,
    $metadata,
  });

export const actionTypeNotFound = (category: string, owner: string, provider: string, version: string) =>
  new sdk.ActionTypeNotFoundException({
    message: `Action type (Category: '${category}', Provider: '${provider}', Owner: '${owner}', Version: '${version}') could not be found`,
    $metadata,
  });

export const invalidStructure = (message: string) => new sdk.InvalidStructureException({ message, $metadata });

export const invalidStage = (message: string) => new sdk.InvalidStageDeclarationException({ message, $metadata });

export const invalidAction = (message: string) => new sdk.InvalidActionDeclarationException({ message, $metadata });

export const invalidBlocker = (message: string) => new sdk.InvalidBlockerDeclarationException({ message, $metadata });

export const invalidRequest = (message: string) => new sdk.ValidationException({ message, $metadata });

export const invalidNextToken = () =>
  new sdk.InvalidNextTokenException({ message: "The next token was specified in an invalid format", $metadata });

export const invalidArn = (arn: string) =>
  new sdk.InvalidArnException({ message: `The resource ARN is not the ARN of a pipeline: ${arn}`, $metadata });

export const resourceNotFound = (arn: string) =>
  new sdk.ResourceNotFoundException({ message: `The resource was not found: ${arn}`, $metadata });

export const tooManyTags = () =>
  new sdk.TooManyTagsException({ message: "A resource can have no more than 50 tags", $metadata });

export const invalidTags = (message: string) => new sdk.InvalidTagsException({ message, $metadata });
