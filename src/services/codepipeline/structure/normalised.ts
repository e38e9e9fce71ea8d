/** A structure as CodePipeline keeps and shows it: with every default. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { Declaration } from "../model.ts";

/** For a structure that was found valid. */
export function normalised(declaration: sdk.PipelineDeclaration, version: number): Declaration {
  return {
    ...declaration,
    stages: (declaration.stages ?? []).map((stage) => ({
      ...stage,
      actions: (stage.actions ?? []).map((action) => ({
        ...action,
        runOrder: action.runOrder ?? 1,
        configuration: action.configuration ?? {},
        inputArtifacts: action.inputArtifacts ?? [],
        outputArtifacts: action.outputArtifacts ?? [],
      })),
    })),
    version,
    executionMode: declaration.executionMode ?? "SUPERSEDED",
    pipelineType: declaration.pipelineType ?? "V1",
  } as Declaration;
}
