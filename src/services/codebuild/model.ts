/** The nouns of CodeBuild, their ARNs, and what Slipway keeps of them beside the shapes that AWS has. */
import type * as sdk from "@aws-sdk/client-codebuild";
import type { Principal } from "#gateway/context.ts";
import type { BuildspecArtifacts } from "./buildspec/buildspec.ts";

export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

/** What a project is beside what is made up anew for every answer (ARN, badge URL, webhook). */
export type ProjectSettings = Omit<
  sdk.Project,
  "name" | "arn" | "created" | "lastModified" | "webhook" | "badge" | "publicProjectAlias"
> & { readonly badgeEnabled: boolean; readonly badgeToken: string };

export interface StoredWebhook {
  /** The last part of its URL. */
  readonly id: string;
  readonly sealedSecret: string;
  readonly branchFilter?: string | undefined;
  readonly filterGroups: readonly (readonly sdk.WebhookFilter[])[];
  readonly manualCreation: boolean;
  /** Epoch milliseconds. */
  readonly lastModifiedSecret: number;
}

export interface ProjectRecord extends Scope {
  readonly name: string;
  readonly settings: ProjectSettings;
  readonly webhook: StoredWebhook | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** What a running build knows and its API shape does not show. */
export interface BuildRun {
  /** Of the control channel. */
  readonly sealedNonce: string;
  /** CODEBUILD_SRC_DIR. */
  readonly sourceDirectory: string;
  /** CODEBUILD_WEBHOOK_… of a build that a webhook started. */
  readonly webhookVariables: Readonly<Record<string, string>>;
  readonly logs: LogPosition;
  /** Primary first: the record shows where artifacts are, not how they are packed. */
  readonly artifactSettings: readonly sdk.ProjectArtifacts[];
  /** Of the environment's image, where it was pulled from ECR. */
  readonly imageDigest?: string | undefined;
  /** The source and the buildspec have been read, and the log says so. */
  readonly isPrepared?: boolean;
  /** The artifacts section of the buildspec, once it has been read. */
  readonly artifacts?: BuildspecArtifacts | undefined;
  /** Texts of the artifacts section that the user's shell expanded. */
  readonly expansions: Readonly<Record<string, string>>;
  /** What the program in the container said last. */
  readonly outcome?: { readonly status: "SUCCEEDED" | "FAILED" | "STOPPED"; readonly uploadArtifacts: boolean };
}

export interface LogPosition {
  /** How many of the container's lines have been delivered. */
  readonly cursor: number;
  /** Time of the last delivered event; CloudWatch Logs takes a batch only in order. */
  readonly lastTimestamp: number;
  /** Why nothing more is delivered, once that is so. */
  readonly failure?: string;
}

export interface BuildRecord extends Scope {
  readonly uuid: string;
  readonly build: sdk.Build;
  readonly run: BuildRun;
  /** Changes with every write: a runner that lost its lease must not overwrite its successor's. */
  readonly revision: number;
  readonly stopRequested: boolean;
}

export function projectArn({ accountId, region }: Scope, name: string): string {
  return `arn:aws:codebuild:${region}:${accountId}:project/${name}`;
}

export function buildArn({ accountId, region }: Scope, buildId: string): string {
  return `arn:aws:codebuild:${region}:${accountId}:build/${buildId}`;
}

/**
 * The name in what a caller calls a project, its name or its ARN; undefined for an ARN of another account or region,
 * whose projects do not exist for this caller.
 */
export function projectNameOf(scope: Scope, nameOrArn: string): string | undefined {
  return ownName(nameOrArn, projectArn(scope, ""));
}

/** `PROJECT:UUID` of a build id or a build's ARN; undefined for an ARN of another account or region. */
export function buildIdOf(scope: Scope, idOrArn: string): string | undefined {
  return ownName(idOrArn, buildArn(scope, ""));
}

function ownName(text: string, prefix: string): string | undefined {
  if (!text.startsWith("arn:")) return text;
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

export function uuidOf(buildId: string): string {
  return buildId.slice(buildId.lastIndexOf(":") + 1);
}

/**
 * Who started a build, as its record shows it: a user's name, `ROLE/SESSION` of a role session, `root`.
 * https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html
 */
export function initiatorOf(principal: Principal): string {
  const [, resource = ""] = /^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.*)$/.exec(principal.arn) ?? [];
  if (principal.type === "Service") return principal.service ?? principal.arn;
  return resource.replace(/^assumed-role\//, "").replace(/^user\/(.*\/)?/, "") || principal.userId;
}

/**
 * The branch that a source version names; undefined for none given, which is the default branch, and "" for what is
 * surely no branch: a commit, a tag, a pull request.
 */
export function branchOf(sourceVersion: string | undefined): string | undefined {
  if (!sourceVersion) return undefined;
  if (sourceVersion.startsWith("refs/heads/")) return sourceVersion.slice("refs/heads/".length);
  return /^(refs\/|pr\/|arn:|[0-9a-f]{40}([0-9a-f]{24})?$)/.test(sourceVersion) ? "" : sourceVersion;
}
