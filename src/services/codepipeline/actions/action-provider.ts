/** What an action provider is: its type as users configure it, and how one run of an action goes. */
import type { Client } from "#gateway/client.ts";
import type { System } from "#gateway/context.ts";
import type { ActionDetail, ActionError, ActionTypeId, Artifact, Declaration, Pipeline } from "../model.ts";

export interface ConfigurationProperty {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  /** The values that it may have; anything where absent. */
  readonly values?: readonly string[];
}

export interface ActionType {
  readonly id: ActionTypeId;
  readonly description: string;
  readonly properties: readonly ConfigurationProperty[];
  /** https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html */
  readonly inputs: { readonly minimum: number; readonly maximum: number };
  readonly outputs: { readonly minimum: number; readonly maximum: number };
}

/** One run of an action. */
export interface ActionJob {
  /** The action execution's id: the token of everything that must not be done twice. */
  readonly id: string;
  readonly system: System;
  readonly pipeline: Pipeline;
  readonly executionId: string;
  readonly actionName: string;
  readonly roleArn: string;
  /** With variables resolved. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly artifactStore: NonNullable<Declaration["artifactStore"]>;
  readonly inputs: readonly Artifact[];
  /** Where the action's outputs have to be put. */
  readonly outputs: readonly Artifact[];
  /** The commit, version or key that the caller of StartPipelineExecution asked for. */
  readonly requestedRevision: string | undefined;
  readonly timeoutInMinutes: number | undefined;
  readonly startedAt: Date;
  readonly now: Date;
  /** What the action last showed and noted. */
  readonly detail: ActionDetail;
  readonly progress: unknown;
  readonly signal: AbortSignal;
  /** Acts as the action's role. The role is assumed at the first call. */
  role(): Promise<Client>;
  /** Calls other services as the role and notes how far it got, both or neither. */
  atomically(effect: (client: Client) => Promise<{ progress: unknown; detail?: ActionDetail }>): Promise<void>;
}

export type ActionOutcome =
  | { readonly status: "Succeeded"; readonly detail?: ActionDetail; readonly observed?: ObservedSource }
  | { readonly status: "InProgress"; readonly again: Date; readonly detail?: ActionDetail; readonly progress?: unknown }
  | {
      readonly status: "Failed";
      readonly error: ActionError;
      readonly detail?: ActionDetail;
      readonly observed?: ObservedSource;
    };

/** What a source action found: from then on another revision starts the pipeline. "" where there was none. */
export interface ObservedSource {
  readonly source: string;
  readonly revision: string;
}

export interface ActionProvider {
  readonly type: ActionType;
  /** What is wrong with a configuration beyond missing and unknown keys; undefined where nothing is. */
  mistake?(configuration: Readonly<Record<string, string>>): string | undefined;
  /** Where the console shows what the action is about. */
  entityUrl?(configuration: Readonly<Record<string, string>>, region: string): string;
  /**
   * Called until it says something else than InProgress: at `again`, or when what it waits for changes, and anew after a
   * crash at any point. Throws ActionFailure; other exceptions are faults of the platform, after which it is called again.
   */
  run(job: ActionJob): Promise<ActionOutcome>;
}

/** The action failed for a reason that its user can do something about. */
export class ActionFailure extends Error {
  override readonly name = "ActionFailure";
  readonly code: ActionError["code"];

  constructor(code: ActionError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export function after(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() + milliseconds);
}
