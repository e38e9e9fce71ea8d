/** ListActionExecutions: the history of actions, with what went in and came out. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { OperationOf } from "#gateway/operation.ts";
import { invalidRequest } from "../errors.ts";
import { listActions } from "../execution-store.ts";
import { existingExecution, existingPipeline } from "../lookup.ts";
import {
  type ActionExecution,
  type Artifact,
  type Declaration,
  declaredAction,
  type Pipeline,
  pipelineArn,
} from "../model.ts";
import { pageOf, placeOf } from "../paging.ts";
import { findDeclaration } from "../store.ts";

const DEFAULT_PAGE = 100;

export const ListActionExecutions: OperationOf<sdk.ListActionExecutionsCommand> = {
  authorize: {
    action: "codepipeline:ListActionExecutions",
    resources: (input, call) => [pipelineArn(call, input.pipelineName!)],
  },
  async run(input, call) {
    const pipeline = await existingPipeline(call, input.pipelineName!);
    const { pipelineExecutionId, latestInPipelineExecution } = input.filter ?? {};
    if (pipelineExecutionId !== undefined && latestInPipelineExecution) {
      throw invalidRequest("Filter by either pipelineExecutionId or latestInPipelineExecution, not both");
    }
    const executionId = pipelineExecutionId ?? latestInPipelineExecution?.pipelineExecutionId;
    if (executionId !== undefined) await existingExecution(call.db, pipeline, executionId);
    const size = input.maxResults ?? DEFAULT_PAGE;
    const before = placeOf<number>("actions", "number", input.nextToken);
    const found = await listActions(call.db, { pipelineId: pipeline.id, executionId, before, limit: size + 1 });
    const { items, nextToken } = pageOf("actions", found, size, ({ sequence }) => sequence);
    const declarations = new Map<number, Declaration>();
    for (const version of new Set(items.map((item) => item.version))) {
      declarations.set(version, (await findDeclaration(call.db, pipeline.id, version))!);
    }
    const shown = latestInPipelineExecution?.startTimeRange === "Latest" ? latestOnly(items) : items;
    return {
      actionExecutionDetails: shown.map((item) => detailView(pipeline, item, declarations.get(item.version)!)),
      nextToken,
    };
  },
};

/** Without the runs that a retry repeated; newest come first. */
function latestOnly(items: readonly ActionExecution[]): ActionExecution[] {
  const seen = new Set<string>();
  return items.filter(({ stage, action }) => {
    const key = JSON.stringify([stage, action]);
    return seen.has(key) ? false : seen.add(key);
  });
}

function detailView(pipeline: Pipeline, run: ActionExecution, declaration: Declaration): sdk.ActionExecutionDetail {
  const action = declaredAction(declaration, run.stage, run.action)!;
  const { detail } = run;
  return {
    pipelineExecutionId: run.executionId,
    actionExecutionId: run.id,
    pipelineVersion: run.version,
    stageName: run.stage,
    actionName: run.action,
    startTime: new Date(run.startedAt),
    lastUpdateTime: new Date(run.updatedAt),
    updatedBy: detail.updatedBy,
    status: run.status,
    input: {
      actionTypeId: action.actionTypeId,
      configuration: action.configuration,
      resolvedConfiguration: { ...(detail.resolvedConfiguration ?? action.configuration) },
      roleArn: action.roleArn,
      region: action.region ?? pipeline.region,
      inputArtifacts: (detail.inputs ?? []).map(artifactView),
      namespace: action.namespace,
    },
    output: {
      outputArtifacts: (detail.outputs ?? []).map(artifactView),
      executionResult: {
        externalExecutionId: detail.externalId,
        externalExecutionSummary: detail.summary ?? detail.error?.message,
        externalExecutionUrl: detail.externalUrl,
        errorDetails: detail.error,
      },
      outputVariables: { ...detail.variables },
    },
  };
}

function artifactView({ name, bucket, key }: Artifact): sdk.ArtifactDetail {
  return { name, s3location: { bucket, key } };
}
