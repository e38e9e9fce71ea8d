/** Finds what a call names. Pipelines of other accounts and regions are as good as absent. */
import type { Call } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { executionNotFound, pipelineNotFound, stageNotFound } from "./errors.ts";
import { findExecution } from "./execution-store.ts";
import {
  type Declaration,
  type DeclaredStage,
  type Execution,
  type Pipeline,
  parsedPipelineArn,
  type Tags,
} from "./model.ts";
import { findDeclaration, findPipeline } from "./store.ts";

/** Throws PipelineNotFoundException. */
export async function existingPipeline(call: Call, name: string): Promise<Pipeline> {
  const pipeline = await findPipeline(call.db, call, name);
  if (!pipeline) throw pipelineNotFound(call, name);
  return pipeline;
}

/** The pipeline with its current structure. Throws PipelineNotFoundException. */
export async function pipelineWithDeclaration(
  call: Call,
  name: string,
): Promise<{ pipeline: Pipeline; declaration: Declaration }> {
  const pipeline = await existingPipeline(call, name);
  return { pipeline, declaration: (await findDeclaration(call.db, pipeline.id, pipeline.version))! };
}

/** `aws:ResourceTag/…` of a pipeline, which are its stages' and actions' too. */
export async function resourceTags(arn: string, call: Call): Promise<Tags | undefined> {
  const address = parsedPipelineArn(arn.split("/", 1)[0]!);
  return address && (await findPipeline(call.db, address, address.name))?.tags;
}

/** Throws PipelineExecutionNotFoundException. */
export async function existingExecution(db: Database, pipeline: Pipeline, id: string): Promise<Execution> {
  const execution = await findExecution(db, pipeline.id, id);
  if (!execution) throw executionNotFound(pipeline.name, id);
  return execution;
}

/** Throws StageNotFoundException. */
export function existingStage({ name, stages }: Declaration, stageName: string): DeclaredStage {
  const stage = stages.find((candidate) => candidate.name === stageName);
  if (!stage) throw stageNotFound(name, stageName);
  return stage;
}
