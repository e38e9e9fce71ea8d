/** Triggers of V2 pipelines. */
import { globMatcher } from "../../glob.ts";
import { invalidStructure } from "../errors.ts";
import type { Declaration } from "../model.ts";

/** Throws InvalidStructureException. */
export function validateTriggers({ triggers = [], stages, pipelineType }: Declaration): void {
  if (triggers.length === 0) return;
  if (pipelineType === "V1") throw invalidStructure("Triggers on tag can only be used with V2 pipelines");
  const sources = stages[0]?.actions ?? [];
  for (const { gitConfiguration } of triggers) {
    const source = sources.find(({ name }) => name === gitConfiguration?.sourceActionName);
    if (source?.actionTypeId.provider !== "CodeStarSourceConnection") {
      throw invalidStructure("Triggers for connections must reference a CodeStarSourceConnection action.");
    }
    const other =
      gitConfiguration?.pullRequest?.length ||
      gitConfiguration?.push?.some(({ tags, filePaths }) => tags !== undefined || filePaths !== undefined);
    if (other) {
      throw invalidStructure(
        `The trigger for '${source.name}' filters by pull request, tag or file path, which is not built in this version of Slipway; filter by branches`,
      );
    }
    for (const { branches } of gitConfiguration?.push ?? []) {
      assertGlobs(source.name, [...(branches?.includes ?? []), ...(branches?.excludes ?? [])]);
    }
  }
}

/** AWS does not document how it refuses a pattern that is none; the sentence is ours. */
function assertGlobs(source: string, patterns: readonly string[]): void {
  for (const pattern of patterns) {
    try {
      globMatcher(pattern);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw invalidStructure(`A branch pattern of the trigger for '${source}' is not valid: ${error.message}`);
    }
  }
}
