/**
 * What a pipeline's structure must be beyond its members' constraints. The messages are CodePipeline's own where they are
 * known from what people report of it.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html#pipeline-requirements
 */

import { invalidBlocker, invalidStage, invalidStructure } from "../errors.ts";
import type { Declaration, Scope } from "../model.ts";
import { validateActions } from "./validate-actions.ts";
import { validateTriggers } from "./validate-triggers.ts";

const MIN_STAGES = 2;
const MAX_STAGES = 50;
const MAX_VARIABLES = 50;

/** Throws InvalidStructure-, InvalidStage-, InvalidAction- or InvalidBlockerDeclarationException. */
export function validateStructure(declaration: Declaration, scope: Scope): void {
  validateStages(declaration);
  validateMode(declaration);
  validateVariables(declaration);
  validateActions(declaration, scope);
  validateArtifactStores(declaration, scope);
  validateTriggers(declaration);
}

function validateStages({ stages, pipelineType }: Declaration): void {
  if (stages.length < MIN_STAGES) {
    throw invalidStructure(
      `Pipeline has only ${stages.length} stages. There should be a minimum of ${MIN_STAGES} stages in a pipeline`,
    );
  }
  if (stages.length > MAX_STAGES) {
    throw invalidStructure(`Pipeline has too many stages. There can only be up to ${MAX_STAGES} stages in a pipeline`);
  }
  const names = new Set<string>();
  for (const [index, stage] of stages.entries()) {
    const { name, actions } = stage;
    if (names.has(name)) throw invalidStage(`Stage name '${name}' is used more than once`);
    names.add(name);
    if (actions.length === 0) throw invalidStage(`Stage '${name}' must contain at least 1 action`);
    if (stage.blockers?.length) throw invalidBlocker(`Stage '${name}' has blockers, which are reserved for future use`);
    const sources = actions.filter(({ actionTypeId }) => actionTypeId.category === "Source");
    if (index === 0 && sources.length < actions.length) {
      throw invalidStructure("Pipeline should start with a stage that only contains source actions");
    }
    if (index > 0 && sources.length > 0) {
      throw invalidStructure("Source actions can only be included in the first stage of the pipeline");
    }
    if (stage.onFailure || stage.onSuccess || stage.beforeEntry) {
      throw invalidStage(
        pipelineType === "V1"
          ? "Stage level conditions can only be used with V2 pipelines."
          : `Stage '${name}' has conditions, which are not built in this version of Slipway`,
      );
    }
  }
}

function validateMode({ executionMode, pipelineType }: Declaration): void {
  if (pipelineType === "V1" && executionMode !== "SUPERSEDED") {
    throw invalidStructure("QUEUED or PARALLEL mode can only be used with V2 pipelines");
  }
}

function validateVariables({ variables = [], pipelineType }: Declaration): void {
  if (variables.length > 0 && pipelineType === "V1") {
    throw invalidStructure("Pipeline variable can only be used with V2 pipelines");
  }
  if (variables.length > MAX_VARIABLES) {
    throw invalidStructure(`Pipeline has too many variables. There can only be up to ${MAX_VARIABLES} variables`);
  }
  const names = new Set<string | undefined>();
  for (const { name } of variables) {
    if (names.has(name)) {
      throw invalidStructure(`Variable names must be unique. The following variable name is already in use: ${name}`);
    }
    names.add(name);
  }
}

function validateArtifactStores({ artifactStore, artifactStores }: Declaration, { region }: Scope): void {
  if (artifactStore && artifactStores) {
    throw invalidStructure("Pipeline must have either artifactStore or artifactStores, not both");
  }
  if (artifactStore || artifactStores?.[region]) return;
  throw invalidStructure(
    artifactStores
      ? `Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have an action. The following region is missing in 'pipeline.artifactStores': ${region}.`
      : "Pipeline must have an artifact store: artifactStore or artifactStores",
  );
}
