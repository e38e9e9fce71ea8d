/** Pipelines and their structures. https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Operations.html */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { AccessRequest } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf, PassedRole } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { ActionFailure } from "../actions/action-provider.ts";
import { invalidRequest, invalidStructure, pipelineNameInUse, versionNotFound } from "../errors.ts";
import { existingPipeline } from "../lookup.ts";
import { type Declaration, type Pipeline, pipelineArn } from "../model.ts";
import { pageOf, placeOf } from "../paging.ts";
import { startExecution } from "../progression.ts";
import { roleClient } from "../role-session.ts";
import {
  addVersion,
  currentDeclarations,
  deletePipeline,
  findDeclaration,
  findPipeline,
  insertPipeline,
} from "../store.ts";
import { normalised } from "../structure/normalised.ts";
import { validateStructure } from "../structure/validate-structure.ts";
import { mergedTags, requestTags } from "../tag-rules.ts";
import { scheduleWatch } from "../watch.ts";

const SERVICE = "codepipeline.amazonaws.com";
const DEFAULT_PAGE = 1000;

export const CreatePipeline: OperationOf<sdk.CreatePipelineCommand> = {
  authorize: {
    action: "codepipeline:CreatePipeline",
    resources: ({ pipeline }, call) => [pipelineArn(call, pipeline!.name!)],
    context: ({ tags }) => requestTags(tags),
    additional: ({ pipeline, tags }, _call, resources) => [
      ...passedConnections(pipeline!),
      ...(tags?.length
        ? resources.map((resource) => ({ action: "codepipeline:TagResource", resource, context: requestTags(tags) }))
        : []),
    ],
    passedRoles: ({ pipeline }) => passedRoles(pipeline!),
  },
  async run(input, call) {
    const declaration = await checkedDeclaration(input.pipeline!, 1, call);
    const { accountId, region } = call;
    const now = call.now.getTime();
    const pipeline: Pipeline = {
      id: randomUUID(),
      accountId,
      region,
      name: declaration.name,
      version: 1,
      createdAt: now,
      updatedAt: now,
      tags: mergedTags({}, input.tags),
      stageExecutions: {},
    };
    if (await findPipeline(call.db, call, pipeline.name)) throw pipelineNameInUse(call, pipeline.name);
    await requireAssumable(declaration, call);
    // A pipeline runs once when it is made.
    await inTransaction(call.db, async (trx) => {
      if (!(await insertPipeline(trx, pipeline, declaration))) throw pipelineNameInUse(call, pipeline.name);
      const trigger = { type: "CreatePipeline", detail: call.principal.arn } as const;
      await startExecution(call.system, trx, pipeline, declaration, { trigger });
      await scheduleWatch(call.system, trx, pipeline.id);
    });
    call.system.work.wake();
    return { pipeline: shown(declaration), ...(input.tags && { tags: input.tags }) };
  },
};

export const UpdatePipeline: OperationOf<sdk.UpdatePipelineCommand> = {
  authorize: {
    action: "codepipeline:UpdatePipeline",
    resources: ({ pipeline }, call) => [pipelineArn(call, pipeline!.name!)],
    additional: ({ pipeline }) => passedConnections(pipeline!),
    passedRoles: ({ pipeline }) => passedRoles(pipeline!),
  },
  async run(input, call) {
    const existing = await existingPipeline(call, input.pipeline!.name!);
    const declaration = await checkedDeclaration(input.pipeline!, existing.version + 1, call);
    await requireAssumable(declaration, call);
    await inTransaction(call.db, async (trx) => {
      await addVersion(trx, existing, declaration, existing.version + 1, call.now.getTime());
      await scheduleWatch(call.system, trx, existing.id);
    });
    call.system.work.wake();
    return { pipeline: shown(declaration) };
  },
};

export const GetPipeline: OperationOf<sdk.GetPipelineCommand> = {
  authorize: {
    action: "codepipeline:GetPipeline",
    resources: (input, call) => [pipelineArn(call, input.name!)],
  },
  async run(input, call) {
    const pipeline = await existingPipeline(call, input.name!);
    const version = input.version ?? pipeline.version;
    const declaration = await findDeclaration(call.db, pipeline.id, version);
    if (!declaration) throw versionNotFound(pipeline.name, version);
    return {
      pipeline: shown(declaration),
      metadata: {
        pipelineArn: pipelineArn(pipeline, pipeline.name),
        created: new Date(pipeline.createdAt),
        updated: new Date(pipeline.updatedAt),
      },
    };
  },
};

/** What does not exist is deleted already. Actions that run end unnoticed. */
export const DeletePipeline: OperationOf<sdk.DeletePipelineCommand> = {
  authorize: {
    action: "codepipeline:DeletePipeline",
    resources: (input, call) => [pipelineArn(call, input.name!)],
  },
  async run(input, call) {
    const pipeline = await findPipeline(call.db, call, input.name!);
    if (pipeline) await deletePipeline(call.db, pipeline.id);
    return {};
  },
};

export const ListPipelines: OperationOf<sdk.ListPipelinesCommand> = {
  authorize: { action: "codepipeline:ListPipelines", resources: (_input, call) => [pipelineArn(call, "*")] },
  async run(input, call) {
    const size = input.maxResults ?? DEFAULT_PAGE;
    const { accountId, region } = call;
    const after = placeOf<string>("pipelines", "string", input.nextToken);
    const found = await currentDeclarations(call.db, { accountId, region, after, limit: size + 1 });
    const { items, nextToken } = pageOf("pipelines", found, size, ({ pipeline }) => pipeline.name);
    return {
      pipelines: items.map(({ pipeline, declaration }) => ({
        name: pipeline.name,
        version: pipeline.version,
        pipelineType: declaration.pipelineType,
        executionMode: declaration.executionMode,
        created: new Date(pipeline.createdAt),
        updated: new Date(pipeline.updatedAt),
      })),
      nextToken,
    };
  },
};

async function checkedDeclaration(input: sdk.PipelineDeclaration, version: number, call: Call): Promise<Declaration> {
  const declaration = normalised(input, version);
  if (!declaration.roleArn.split(":")[4]?.match(/^\d{12}$/))
    throw invalidRequest("The roleArn is not the ARN of a role");
  validateStructure(declaration, call);
  return declaration;
}

/** CodePipeline tries the pipeline's role before it takes a structure. */
async function requireAssumable({ name, roleArn }: Declaration, call: Call): Promise<void> {
  const { accountId, region } = call;
  try {
    await roleClient(call.system, { accountId, region, name }, roleArn, undefined, call.requestId);
  } catch (error) {
    throw error instanceof ActionFailure ? invalidStructure(error.message) : error;
  }
}

function shown(declaration: Declaration): sdk.PipelineDeclaration {
  return declaration as unknown as sdk.PipelineDeclaration;
}

/**
 * What a pipeline is given beside its name, as "API operations defined by AWS CodePipeline" lists it: the roles of the
 * pipeline and of its actions, and the connections of its sources.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
 */
function passedRoles({ roleArn, stages }: sdk.PipelineDeclaration): PassedRole[] {
  const roles = [roleArn, ...actionsOf(stages).map((action) => action.roleArn)].filter((role) => role !== undefined);
  return [...new Set(roles)].map((role) => ({ roleArn: role, service: SERVICE }));
}

function passedConnections({ stages }: sdk.PipelineDeclaration): AccessRequest[] {
  const arns = actionsOf(stages).map(({ configuration }) => configuration?.ConnectionArn);
  return [...new Set(arns.filter((arn) => arn !== undefined))].map((resource) => {
    // "When specifying a resource in the IAM policy, the service prefix needs to match that of the resource."
    const prefix = resource.startsWith("arn:aws:codeconnections:") ? "codeconnections" : "codestar-connections";
    return { action: `${prefix}:PassConnection`, resource, context: { [`${prefix}:passedtoservice`]: SERVICE } };
  });
}

function actionsOf(stages: readonly sdk.StageDeclaration[] | undefined): readonly sdk.ActionDeclaration[] {
  return (stages ?? []).flatMap(({ actions }) => actions ?? []);
}
