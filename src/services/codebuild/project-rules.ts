/**
 * What CodeBuild demands of a project beyond its model, and what of AWS's choices this machine cannot offer. All throw
 * InvalidInputException.
 * https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
 */
import type {
  EnvironmentVariable,
  LogsConfig,
  ProjectArtifacts,
  ProjectEnvironment,
  ProjectSource,
  Tag,
} from "@aws-sdk/client-codebuild";
import { invalidInput } from "./errors.ts";
import type { ProjectSettings } from "./model.ts";

/** vCPUs and memory of what a build gets. https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html */
export const COMPUTE_TYPES: Readonly<Record<string, { readonly cpus: number; readonly memoryMiB: number }>> = {
  BUILD_GENERAL1_SMALL: { cpus: 2, memoryMiB: 3 * 1024 },
  BUILD_GENERAL1_MEDIUM: { cpus: 4, memoryMiB: 7 * 1024 },
  BUILD_GENERAL1_LARGE: { cpus: 8, memoryMiB: 15 * 1024 },
  BUILD_GENERAL1_XLARGE: { cpus: 36, memoryMiB: 70 * 1024 },
  BUILD_GENERAL1_2XLARGE: { cpus: 72, memoryMiB: 145 * 1024 },
};

/** Source types that are cloned with git, and what src/git calls their provider. */
export const GIT_PROVIDERS: Readonly<Record<string, string>> = {
  GITHUB: "github",
  GITHUB_ENTERPRISE: "githubenterpriseserver",
  BITBUCKET: "bitbucket",
  GITLAB: "gitlab",
  GITLAB_SELF_MANAGED: "gitlab",
};

const ENVIRONMENT_TYPES: readonly string[] = process.arch === "arm64" ? ["ARM_CONTAINER"] : ["LINUX_CONTAINER"];
const IDENTIFIER = /^[A-Za-z0-9_]{1,128}$/;
const ROLE_ARN = /^arn:aws:iam::(\d{12}):role\/[\w+=,.@/-]+$/;

export function requireValidProject(settings: ProjectSettings, accountId: string): void {
  requireServiceRole(settings.serviceRole!, accountId);
  requireSource(settings.source!);
  requireArtifacts(settings.artifacts!);
  requirePipelinePair(settings.source!, settings.artifacts!);
  requireSecondary(settings);
  requireEnvironment(settings.environment!);
  requireLogs(settings.logsConfig);
  requireTags(settings.tags ?? []);
  if (settings.vpcConfig?.vpcId) {
    throw invalidInput("vpcConfig: builds run on this machine's own network; remove vpcConfig");
  }
  if (settings.fileSystemLocations?.length) {
    throw invalidInput("fileSystemLocations: there is no Amazon EFS here; remove fileSystemLocations");
  }
  if (settings.concurrentBuildLimit !== undefined && settings.concurrentBuildLimit < 1) {
    throw invalidInput("concurrentBuildLimit must be greater than or equal to 1");
  }
}

export function requireServiceRole(roleArn: string, accountId: string): void {
  if (ROLE_ARN.exec(roleArn)?.[1] !== accountId) throw invalidInput("Invalid service role");
}

export function requireSource(source: ProjectSource): void {
  const { type, location, buildspec } = source;
  if (type === "CODECOMMIT") throw invalidInput("Source type CODECOMMIT is not available: there is no CodeCommit yet");
  if (type === "NO_SOURCE") {
    if (location) throw invalidInput("Invalid project source: location must be empty for source type NO_SOURCE");
    if (!isInlineBuildspec(buildspec)) {
      throw invalidInput("Invalid project source: NO_SOURCE requires an inline buildspec");
    }
  } else if (type === "S3") {
    if (!s3Location(location)) {
      throw invalidInput(
        "Invalid project source: location must be a valid S3 source, bucket/path/object.zip or bucket/folder/",
      );
    }
  } else if (type! in GIT_PROVIDERS && !isCloneUrl(location)) {
    throw invalidInput(`Invalid project source: location must be a valid ${type} repository URL`);
  }
}

/** An ARN `arn:aws:s3:::bucket/key` or `bucket/key`. undefined where it is neither. */
export function s3Location(location: string | undefined): { bucket: string; key: string } | undefined {
  const [, bucket, key] = /^(?:arn:aws:s3:::)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/.exec(location ?? "") ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
}

/** A buildspec is a path in the source, an S3 object's ARN, or the text itself, which has more than one line. */
export function isInlineBuildspec(buildspec: string | undefined): boolean {
  return buildspec !== undefined && /[\n:{]/.test(buildspec) && !buildspec.startsWith("arn:aws:s3:::");
}

export function requireArtifacts(artifacts: ProjectArtifacts): void {
  if (artifacts.type === "S3" && !artifacts.location) {
    throw invalidInput("Invalid artifacts: location must be set to the name of a bucket for artifacts type S3");
  }
}

function requirePipelinePair(source: ProjectSource, artifacts: ProjectArtifacts): void {
  if ((source.type === "CODEPIPELINE") !== (artifacts.type === "CODEPIPELINE")) {
    throw invalidInput("When using CodePipeline both sourceType, and artifactTypes must be set to: CODEPIPELINE");
  }
}

function requireSecondary({ secondarySources = [], secondaryArtifacts = [] }: ProjectSettings): void {
  secondarySources.forEach(requireSource);
  secondaryArtifacts.forEach(requireArtifacts);
  const identifiers = [
    ["secondarySources", secondarySources.map((source) => source.sourceIdentifier)],
    ["secondaryArtifacts", secondaryArtifacts.map((artifacts) => artifacts.artifactIdentifier)],
  ] as const;
  for (const [member, names] of identifiers) {
    if (names.some((name) => !IDENTIFIER.test(name ?? ""))) {
      throw invalidInput(`${member}: each needs an identifier of letters, digits and underscores`);
    }
    if (new Set(names).size < names.length) throw invalidInput(`${member}: identifiers must be unique`);
  }
}

export function requireEnvironment(environment: ProjectEnvironment): void {
  if (!ENVIRONMENT_TYPES.includes(environment.type!)) {
    throw invalidInput(
      `Environment type ${environment.type} is not available on this machine; use ${ENVIRONMENT_TYPES[0]}`,
    );
  }
  if (!(environment.computeType! in COMPUTE_TYPES)) {
    throw invalidInput(
      `Compute type ${environment.computeType} is not available; use one of ${Object.keys(COMPUTE_TYPES).join(", ")}`,
    );
  }
  if (environment.fleet?.fleetArn)
    throw invalidInput("There are no reserved capacity fleets; remove environment.fleet");
  if (environment.registryCredential) {
    throw invalidInput("registryCredential needs AWS Secrets Manager, which is not available; remove it");
  }
  requireEnvironmentVariables(environment.environmentVariables ?? []);
}

export function requireEnvironmentVariables(variables: readonly EnvironmentVariable[]): void {
  const names = variables.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalidInput(`Environment variable ${twice} is given more than once`);
}

export function requireLogs(config: LogsConfig | undefined): void {
  if (config?.s3Logs?.status === "ENABLED") {
    throw invalidInput("s3Logs: logs are delivered to CloudWatch Logs only; set its status to DISABLED");
  }
}

function requireTags(tags: readonly Tag[]): void {
  const keys = tags.map(({ key }) => key);
  if (new Set(keys).size < keys.length) throw invalidInput("Duplicate tag keys");
  if (keys.some((key) => key === undefined)) throw invalidInput("Tag keys must not be empty");
  if (keys.some((key) => /^aws:/i.test(key!))) throw invalidInput("Tag keys must not begin with aws:");
}

function isCloneUrl(location: string | undefined): boolean {
  return location !== undefined && /^https?:\/\/[^\s/]+\/[^\s]+$/.test(location);
}
