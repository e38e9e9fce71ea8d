/** A build's record from its project and what StartBuild overrides. Pure but for the ids that are handed in. */
import { hash } from "node:crypto";
import type {
  Build,
  BuildArtifacts,
  LogsConfig,
  ProjectArtifacts,
  ProjectSource,
  StartBuildInput,
} from "@aws-sdk/client-codebuild";
import { invalidInput } from "./errors.ts";
import { type BuildRun, branchOf, buildArn, type ProjectRecord } from "./model.ts";
import {
  GIT_PROVIDERS,
  requireArtifacts,
  requireEnvironment,
  requireLogs,
  requireServiceRole,
  requireSource,
} from "./project-rules.ts";
import { submittedPhases } from "./states.ts";

export type BuildRequest = Omit<StartBuildInput, "projectName" | "idempotencyToken">;

export interface BuildIdentity {
  readonly uuid: string;
  readonly number: number;
  readonly now: Date;
  readonly initiator: string;
}

/** Throws InvalidInputException where the request and the project do not make a build that can run. */
export function newBuild(project: ProjectRecord, request: BuildRequest, identity: BuildIdentity): Build {
  requireAvailable(request);
  const { settings } = project;
  const source = toSource(settings.source!, request);
  const artifacts = request.artifactsOverride ?? settings.artifacts!;
  const serviceRole = request.serviceRoleOverride ?? settings.serviceRole!;
  const environment = toEnvironment(settings.environment!, request);
  if (source.type === "CODEPIPELINE") {
    throw invalidInput("A project with source type CODEPIPELINE is built by its pipeline, or with sourceTypeOverride");
  }
  requireSource(source);
  requireArtifacts(artifacts);
  requireServiceRole(serviceRole, project.accountId);
  requireEnvironment(environment);
  const secondarySources = request.secondarySourcesOverride ?? settings.secondarySources ?? [];
  const secondaryArtifacts = request.secondaryArtifactsOverride ?? settings.secondaryArtifacts ?? [];
  secondarySources.forEach(requireSource);
  secondaryArtifacts.forEach(requireArtifacts);
  // The project's version is one of the project's source: "prod" says nothing about a pipeline's zip.
  const overridden = request.sourceTypeOverride !== undefined || request.sourceLocationOverride !== undefined;
  const sourceVersion = request.sourceVersion || (overridden ? undefined : settings.sourceVersion);
  const id = `${project.name}:${identity.uuid}`;
  const logs = request.logsConfigOverride ?? settings.logsConfig;
  requireLogs(logs);
  return {
    id,
    arn: buildArn(project, id),
    buildNumber: identity.number,
    startTime: identity.now,
    ...submittedPhases(identity.now),
    ...(sourceVersion && { sourceVersion }),
    projectName: project.name,
    source,
    secondarySources,
    secondarySourceVersions: request.secondarySourcesVersionOverride ?? settings.secondarySourceVersions ?? [],
    artifacts: toBuildArtifacts(artifacts, id),
    secondaryArtifacts: secondaryArtifacts.map((one) => toBuildArtifacts(one, id)),
    cache: request.cacheOverride ?? settings.cache ?? { type: "NO_CACHE" },
    environment,
    serviceRole,
    logs: toLogs(logs),
    timeoutInMinutes: request.timeoutInMinutesOverride ?? settings.timeoutInMinutes!,
    queuedTimeoutInMinutes: request.queuedTimeoutInMinutesOverride ?? settings.queuedTimeoutInMinutes!,
    initiator: identity.initiator,
    encryptionKey: request.encryptionKeyOverride ?? settings.encryptionKey!,
  };
}

export function newRun(
  build: Build,
  uuid: string,
  sealedNonce: string,
  artifacts: readonly ProjectArtifacts[],
): BuildRun {
  return {
    sealedNonce,
    sourceDirectory: sourceDirectory(build.source!, uuid),
    webhookVariables: {},
    logs: { cursor: 0, lastTimestamp: 0 },
    expansions: {},
    artifactSettings: artifacts,
  };
}

/** The branch that the build is of, for badges; see branchOf. */
export function builtBranch({ source, sourceVersion }: Build): string | undefined {
  return source!.type! in GIT_PROVIDERS ? branchOf(sourceVersion) : undefined;
}

/** As AWS names CODEBUILD_SRC_DIR: `/codebuild/output/src123456789/src/github.com/OWNER/REPO`, without host for S3. */
export function sourceDirectory(source: ProjectSource, uuid: string): string {
  const digits = Number.parseInt(hash("sha256", uuid, "hex").slice(0, 12), 16) % 1e9;
  const root = `/codebuild/output/src${String(digits).padStart(9, "0")}/src`;
  if (!(source.type! in GIT_PROVIDERS)) return root;
  const { host, pathname } = new URL(source.location!);
  const safe = `${host}${pathname}`.replace(/(\.git)?\/*$/, "").split("/");
  return [root, ...safe.filter((part) => part !== "" && part !== "." && part !== "..")].join("/");
}

/**
 * Where an S3 artifact lies: `path/BUILD-UUID/name`. The name "/" stands for the folder itself.
 * https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html
 */
export function artifactKey(artifacts: ProjectArtifacts, buildId: string, name = artifacts.name): string {
  const [projectName = "", uuid = ""] = buildId.split(":");
  const parts = [
    artifacts.path ?? "",
    artifacts.namespaceType === "BUILD_ID" ? uuid : "",
    name === undefined || name === "" ? projectName : name,
  ];
  return parts
    .flatMap((part) => part.split("/"))
    .filter((part) => part !== "")
    .join("/");
}

function toBuildArtifacts(artifacts: ProjectArtifacts, buildId: string): BuildArtifacts {
  const identifier = artifacts.artifactIdentifier && { artifactIdentifier: artifacts.artifactIdentifier };
  if (artifacts.type !== "S3") return { location: "", ...identifier };
  const bucket = artifacts.location!.replace(/^arn:aws:s3:::/, "");
  return {
    location: `arn:aws:s3:::${[bucket, artifactKey(artifacts, buildId)].filter(Boolean).join("/")}`,
    overrideArtifactName: artifacts.overrideArtifactName ?? false,
    encryptionDisabled: artifacts.encryptionDisabled ?? false,
    ...identifier,
  };
}

function requireAvailable(request: BuildRequest): void {
  if (request.debugSessionEnabled) throw invalidInput("Debug sessions are not available; unset debugSessionEnabled");
  if (request.fleetOverride?.fleetArn) throw invalidInput("There are no reserved capacity fleets; unset fleetOverride");
  if (request.registryCredentialOverride) {
    throw invalidInput("registryCredentialOverride needs AWS Secrets Manager, which is not available; unset it");
  }
}

function toSource(source: ProjectSource, request: BuildRequest): ProjectSource {
  const overrides: Partial<ProjectSource> = {
    type: request.sourceTypeOverride,
    location: request.sourceLocationOverride,
    auth: request.sourceAuthOverride,
    gitCloneDepth: request.gitCloneDepthOverride,
    gitSubmodulesConfig: request.gitSubmodulesConfigOverride,
    buildspec: request.buildspecOverride,
    insecureSsl: request.insecureSslOverride,
    reportBuildStatus: request.reportBuildStatusOverride,
    buildStatusConfig: request.buildStatusConfigOverride,
  };
  const merged = { ...source, ...given(overrides) };
  if (request.sourceTypeOverride === "NO_SOURCE") return { ...merged, location: undefined };
  return merged;
}

function toEnvironment(environment: NonNullable<Build["environment"]>, request: BuildRequest) {
  const overridden = new Set(request.environmentVariablesOverride?.map(({ name }) => name));
  const kept = (environment.environmentVariables ?? []).filter(({ name }) => !overridden.has(name));
  return {
    ...environment,
    ...given({
      type: request.environmentTypeOverride,
      image: request.imageOverride,
      computeType: request.computeTypeOverride,
      certificate: request.certificateOverride,
      privilegedMode: request.privilegedModeOverride,
      imagePullCredentialsType: request.imagePullCredentialsTypeOverride,
    }),
    environmentVariables: [...kept, ...(request.environmentVariablesOverride ?? [])],
  } as NonNullable<Build["environment"]>;
}

function toLogs(config: LogsConfig | undefined): Build["logs"] {
  return {
    cloudWatchLogs: config?.cloudWatchLogs ?? { status: "ENABLED" },
    s3Logs: config?.s3Logs ?? { status: "DISABLED", encryptionDisabled: false },
  };
}

function given<T extends object>(overrides: T): Partial<T> {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) as Partial<T>;
}
