/** The nouns of CodePipeline and their ARNs. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { ExecutionState, ExecutionStatus } from "./states.ts";

export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

export interface Pipeline extends Scope {
  /** Internal: a pipeline that is deleted and made again under its name is another one. */
  readonly id: string;
  readonly name: string;
  /** Of the current structure, from 1. */
  readonly version: number;
  /** Epoch milliseconds, like every time here. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: Tags;
  /** Which execution was last in each stage. */
  readonly stageExecutions: Readonly<Record<string, string>>;
}

export type Tags = Readonly<Record<string, string>>;

/** A pipeline's structure as it is stored: every default filled in. */
export interface Declaration extends Omit<sdk.PipelineDeclaration, "stages"> {
  readonly name: string;
  readonly roleArn: string;
  readonly stages: readonly DeclaredStage[];
  readonly executionMode: sdk.ExecutionMode;
  readonly pipelineType: sdk.PipelineType;
}

export interface DeclaredStage extends Omit<sdk.StageDeclaration, "actions"> {
  readonly name: string;
  readonly actions: readonly DeclaredAction[];
}

export interface DeclaredAction extends Omit<sdk.ActionDeclaration, "inputArtifacts" | "outputArtifacts"> {
  readonly name: string;
  readonly actionTypeId: ActionTypeId;
  readonly runOrder: number;
  readonly configuration: Record<string, string>;
  readonly inputArtifacts: readonly (sdk.InputArtifact & { readonly name: string })[];
  readonly outputArtifacts: readonly (sdk.OutputArtifact & { readonly name: string })[];
}

export interface ActionTypeId {
  readonly category: sdk.ActionCategory;
  readonly owner: sdk.ActionOwner;
  readonly provider: string;
  readonly version: string;
}

export interface Trigger {
  readonly type: sdk.TriggerType;
  readonly detail: string;
}

export interface Execution {
  readonly id: string;
  readonly pipelineId: string;
  /** Counts what the pipeline does; later executions have higher ones. */
  readonly sequence: number;
  readonly version: number;
  readonly status: ExecutionStatus;
  readonly statusSummary: string | undefined;
  readonly mode: sdk.ExecutionMode;
  readonly trigger: Trigger;
  /** Pipeline variables, resolved at the start. */
  readonly variables: Readonly<Record<string, string>>;
  /** What the caller wants of source actions, by action name. */
  readonly sourceRevisions: readonly sdk.SourceRevisionOverride[];
  readonly stopReason: string | undefined;
  readonly state: ExecutionState;
  readonly startedAt: number;
  readonly updatedAt: number;
}

export type ActionStatus = "InProgress" | "Succeeded" | "Failed" | "Abandoned";

/** One run of an action; a retry is another one. */
export interface ActionExecution {
  readonly id: string;
  readonly pipelineId: string;
  readonly executionId: string;
  readonly sequence: number;
  readonly version: number;
  readonly stage: string;
  readonly action: string;
  readonly status: ActionStatus;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly detail: ActionDetail;
  /** The provider's own notes, so that it goes on where it was. */
  readonly progress: unknown;
}

export interface Artifact {
  readonly name: string;
  readonly bucket: string;
  readonly key: string;
}

/** What is shown of an action execution. */
export interface ActionDetail {
  readonly resolvedConfiguration?: Readonly<Record<string, string>>;
  readonly inputs?: readonly Artifact[];
  readonly outputs?: readonly Artifact[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly externalId?: string;
  readonly externalUrl?: string;
  readonly summary?: string;
  readonly error?: ActionError;
  /** Of a source action. */
  readonly revision?: { readonly id: string; readonly summary?: string; readonly url?: string };
  /** What a manual approval must be answered with. */
  readonly token?: string;
  /** The ARN of who answered. */
  readonly updatedBy?: string;
}

export interface ActionError {
  readonly code: sdk.FailureType;
  readonly message: string;
}

export interface StageTransition {
  readonly stage: string;
  readonly type: sdk.StageTransitionType;
  readonly enabled: boolean;
  readonly reason: string | undefined;
  readonly changedBy: string;
  readonly changedAt: number;
}

export function pipelineArn({ region, accountId }: Scope, name: string): string {
  return `arn:aws:codepipeline:${region}:${accountId}:${name}`;
}

export function stageArn(scope: Scope, pipeline: string, stage: string): string {
  return `${pipelineArn(scope, pipeline)}/${stage}`;
}

export function actionArn(scope: Scope, pipeline: string, stage: string, action: string): string {
  return `${stageArn(scope, pipeline, stage)}/${action}`;
}

/** undefined where the text is not a pipeline's ARN. */
export function parsedPipelineArn(arn: string): (Scope & { name: string }) | undefined {
  const match = /^arn:aws[\w-]*:codepipeline:([^:]+):(\d{12}):([A-Za-z0-9.@\-_]+)$/.exec(arn);
  return match ? { region: match[1]!, accountId: match[2]!, name: match[3]! } : undefined;
}

/** The structure as a new state of an execution: nothing has started. */
export function initialState(id: string, sequence: number, declaration: Declaration): ExecutionState {
  return {
    id,
    sequence,
    status: "InProgress",
    stages: declaration.stages.map(({ name, actions }) => ({
      name,
      status: "NotStarted",
      actions: actions.map((action) => ({ name: action.name, runOrder: action.runOrder, status: "NotStarted" })),
    })),
  };
}

export function declaredAction(declaration: Declaration, stage: string, action: string): DeclaredAction | undefined {
  return declaration.stages.find(({ name }) => name === stage)?.actions.find(({ name }) => name === action);
}
