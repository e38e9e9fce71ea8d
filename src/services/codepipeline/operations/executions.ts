/** Pipeline executions. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { duplicatedStop, invalidRequest, notStoppable, tooManyExecutions } from "../errors.ts";
import { actionsOfExecutions, activeExecutions, listExecutions } from "../execution-store.ts";
import { existingExecution, existingPipeline, pipelineWithDeclaration } from "../lookup.ts";
import { type ActionExecution, type Declaration, type Execution, type Pipeline, pipelineArn } from "../model.ts";
import { pageOf, placeOf } from "../paging.ts";
import { defaultVariables, progress, startExecution } from "../progression.ts";
import { findDeclaration } from "../store.ts";

/** https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html */
const MAX_CONCURRENT = 50;
const DEFAULT_PAGE = 100;

export const StartPipelineExecution: OperationOf<sdk.StartPipelineExecutionCommand> = {
  authorize: {
    action: "codepipeline:StartPipelineExecution",
    resources: (input, call) => [pipelineArn(call, input.name!)],
  },
  async run(input, call) {
    const { pipeline, declaration } = await pipelineWithDeclaration(call, input.name!);
    const variables = resolvedVariables(declaration, input.variables ?? []);
    validateSourceRevisions(declaration, input.sourceRevisions ?? []);
    const pipelineExecutionId = await inTransaction(call.db, async (trx) => {
      if (declaration.executionMode !== "SUPERSEDED") {
        const active = await activeExecutions(trx, pipeline.id);
        if (active.length >= MAX_CONCURRENT) throw tooManyExecutions(MAX_CONCURRENT);
      }
      return startExecution(call.system, trx, pipeline, declaration, {
        trigger: { type: "StartPipelineExecution", detail: call.principal.arn },
        variables,
        sourceRevisions: input.sourceRevisions ?? [],
        clientToken: input.clientRequestToken,
      });
    });
    call.system.work.wake();
    return { pipelineExecutionId };
  },
};

/** Throws ValidationException for variables that the pipeline does not declare or that got no value. */
function resolvedVariables(declaration: Declaration, given: readonly sdk.PipelineVariable[]): Record<string, string> {
  const declared = (declaration.variables ?? []).map(({ name }) => name!);
  const variables = defaultVariables(declaration);
  for (const { name, value } of given) {
    if (!declared.includes(name!)) throw invalidRequest(`The pipeline does not declare the variable '${name}'`);
    variables[name!] = value!;
  }
  const missing = declared.find((name) => !Object.hasOwn(variables, name));
  if (missing !== undefined) {
    throw invalidRequest(`The pipeline variable '${missing}' has no default value: give one to start the pipeline`);
  }
  return variables;
}

function validateSourceRevisions({ stages }: Declaration, given: readonly sdk.SourceRevisionOverride[]): void {
  for (const { actionName, revisionType, revisionValue } of given) {
    const source = stages[0]?.actions.find(({ name }) => name === actionName);
    if (!source) throw invalidRequest(`The pipeline has no source action '${actionName}'`);
    if (revisionType !== "COMMIT_ID") {
      throw invalidRequest(`The revision type of the source action '${actionName}' must be COMMIT_ID`);
    }
    if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(revisionValue!)) {
      throw invalidRequest(`The revision of the source action '${actionName}' must be a full commit id`);
    }
  }
}

export const StopPipelineExecution: OperationOf<sdk.StopPipelineExecutionCommand> = {
  authorize: {
    action: "codepipeline:StopPipelineExecution",
    resources: (input, call) => [pipelineArn(call, input.pipelineName!)],
  },
  async run(input, call) {
    const pipeline = await existingPipeline(call, input.pipelineName!);
    const id = input.pipelineExecutionId!;
    const abandon = input.abandon ?? false;
    await inTransaction(call.db, async (trx) => {
      const { status } = await existingExecution(trx, pipeline, id);
      if (status === "Stopping" && !abandon) throw duplicatedStop(id);
      if (status !== "InProgress" && status !== "Stopping") throw notStoppable(id, status);
      await progress(call.system, trx, pipeline.id, { type: "stop", execution: id, abandon }, input.reason ?? "");
    });
    call.system.work.wake();
    return { pipelineExecutionId: id };
  },
};

export const GetPipelineExecution: OperationOf<sdk.GetPipelineExecutionCommand> = {
  authorize: {
    action: "codepipeline:GetPipelineExecution",
    resources: (input, call) => [pipelineArn(call, input.pipelineName!)],
  },
  async run(input, call) {
    const pipeline = await existingPipeline(call, input.pipelineName!);
    const execution = await existingExecution(call.db, pipeline, input.pipelineExecutionId!);
    const declaration = (await findDeclaration(call.db, pipeline.id, execution.version))!;
    const sources = sourceActions(await actionsOfExecutions(call.db, [execution.id]), execution.id);
    return { pipelineExecution: executionView(pipeline, execution, declaration, sources) };
  },
};

function executionView(
  pipeline: Pipeline,
  execution: Execution,
  declaration: Declaration,
  sources: readonly ActionExecution[],
): sdk.PipelineExecution {
  return {
    pipelineName: pipeline.name,
    pipelineVersion: execution.version,
    pipelineExecutionId: execution.id,
    status: execution.status,
    statusSummary: execution.statusSummary,
    artifactRevisions: sources.flatMap(({ detail, updatedAt }) =>
      (detail.outputs ?? []).map(({ name }) => ({
        name,
        revisionId: detail.revision!.id,
        revisionSummary: detail.revision!.summary,
        revisionUrl: detail.revision!.url,
        created: new Date(updatedAt),
      })),
    ),
    variables: (declaration.variables ?? []).map(({ name }) => ({
      name: name!,
      resolvedValue: execution.variables[name!],
    })),
    trigger: { triggerType: execution.trigger.type, triggerDetail: execution.trigger.detail },
    executionMode: execution.mode,
    executionType: "STANDARD",
  };
}

export const ListPipelineExecutions: OperationOf<sdk.ListPipelineExecutionsCommand> = {
  authorize: {
    action: "codepipeline:ListPipelineExecutions",
    resources: (input, call) => [pipelineArn(call, input.pipelineName!)],
  },
  async run(input, call) {
    const pipeline = await existingPipeline(call, input.pipelineName!);
    const size = input.maxResults ?? DEFAULT_PAGE;
    let before = placeOf<number>("executions", "number", input.nextToken);
    const stageName = input.filter?.succeededInStage?.stageName;
    const found: Execution[] = [];
    // A filter looks into the executions' states, so portions are read until the page is full.
    for (;;) {
      const portion = await listExecutions(call.db, pipeline.id, before, size + 1);
      found.push(...portion.filter((execution) => succeededIn(execution, stageName)));
      if (found.length > size || portion.length <= size) break;
      before = portion.at(-1)!.sequence;
    }
    const { items, nextToken } = pageOf("executions", found, size, ({ sequence }) => sequence);
    const actions = await actionsOfExecutions(
      call.db,
      items.map(({ id }) => id),
    );
    return {
      pipelineExecutionSummaries: items.map((execution) =>
        summaryView(execution, sourceActions(actions, execution.id)),
      ),
      nextToken,
    };
  },
};

function succeededIn({ state }: Execution, stageName: string | undefined): boolean {
  return (
    stageName === undefined || state.stages.some(({ name, status }) => name === stageName && status === "Succeeded")
  );
}

function summaryView(execution: Execution, sources: readonly ActionExecution[]): sdk.PipelineExecutionSummary {
  return {
    pipelineExecutionId: execution.id,
    status: execution.status,
    statusSummary: execution.statusSummary,
    startTime: new Date(execution.startedAt),
    lastUpdateTime: new Date(execution.updatedAt),
    sourceRevisions: sources.map(({ action, detail }) => ({
      actionName: action,
      revisionId: detail.revision!.id,
      revisionSummary: detail.revision!.summary,
      revisionUrl: detail.revision!.url,
    })),
    trigger: { triggerType: execution.trigger.type, triggerDetail: execution.trigger.detail },
    ...(execution.stopReason !== undefined && { stopTrigger: { reason: execution.stopReason } }),
    executionMode: execution.mode,
    executionType: "STANDARD",
  };
}

/** The source actions of an execution that found a revision. */
function sourceActions(actions: readonly ActionExecution[], executionId: string): ActionExecution[] {
  return actions.filter((action) => action.executionId === executionId && action.detail.revision !== undefined);
}
