/**
 * What policies can ask of CodeBuild's requests. Objects are there as "true", for the operator Null; so is a buildspec,
 * whose content is not evaluated.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html
 */
import type * as sdk from "@aws-sdk/client-codebuild";
import type { ContextKeys } from "#gateway/operation.ts";

const SOURCE = [
  "auth.resource",
  "auth.type",
  "buildStatusConfig.context",
  "buildStatusConfig.targetUrl",
  "buildspec",
  "insecureSsl",
  "location",
];
const ARTIFACTS = ["bucketOwnerAccess", "encryptionDisabled", "location"];
const COMPUTE = ["disk", "instanceType", "machineType", "memory", "vCpu"];

/** Paths of members that are one value or a list of values, and of the objects themselves. */
const MEMBERS: readonly string[] = [
  "artifacts",
  ...ARTIFACTS.map((path) => `artifacts.${path}`),
  "autoRetryLimit",
  "buildBatchConfig",
  "buildBatchConfig.restrictions.computeTypesAllowed",
  "buildBatchConfig.restrictions.fleetsAllowed",
  "buildBatchConfig.serviceRole",
  "cache",
  "cache.location",
  "cache.modes",
  "cache.type",
  "concurrentBuildLimit",
  "encryptionKey",
  "environment",
  "environment.certificate",
  "environment.computeConfiguration",
  ...COMPUTE.map((path) => `environment.computeConfiguration.${path}`),
  "environment.computeType",
  "environment.environmentVariables",
  "environment.fleet.fleetArn",
  "environment.image",
  "environment.imagePullCredentialsType",
  "environment.privilegedMode",
  "environment.registryCredential",
  "environment.registryCredential.credential",
  "environment.registryCredential.credentialProvider",
  "environment.type",
  "logsConfig",
  "logsConfig.s3Logs",
  "logsConfig.s3Logs.bucketOwnerAccess",
  "logsConfig.s3Logs.encryptionDisabled",
  "logsConfig.s3Logs.location",
  "logsConfig.s3Logs.status",
  "secondaryArtifacts",
  "secondarySources",
  "serviceRole",
  "source",
  ...SOURCE.map((path) => `source.${path}`),
  "vpcConfig",
  "vpcConfig.securityGroupIds",
  "vpcConfig.subnets",
  "vpcConfig.vpcId",
];

/** Lists of objects: a key has all their values, and another one the value of the object that its name names. */
const LISTS: readonly { readonly path: string; readonly id: string; readonly members: readonly string[] }[] = [
  { path: "environment.environmentVariables", id: "name", members: ["value"] },
  { path: "fileSystemLocations", id: "identifier", members: ["location", "type"] },
  { path: "secondaryArtifacts", id: "artifactIdentifier", members: ARTIFACTS },
  { path: "secondarySources", id: "sourceIdentifier", members: SOURCE },
];

type Settings = Partial<
  Omit<sdk.CreateProjectCommandInput, "source" | "environment"> & {
    source: Partial<sdk.ProjectSource>;
    environment: Partial<sdk.ProjectEnvironment>;
  }
>;

/** Of a project as a request gives it; what the request leaves out has no key. */
export function projectKeys(settings: Settings): ContextKeys {
  const keys: Record<string, string | readonly string[] | undefined> = {};
  const set = (path: string, value: string | readonly string[] | undefined) => {
    keys[`codebuild:${path.toLowerCase()}`] = value;
  };
  for (const path of MEMBERS) set(path, valueAt(settings, path));
  for (const { path, id, members } of LISTS) {
    const items = at(settings, path);
    if (!Array.isArray(items)) continue;
    set(`${path}.${id}`, texts(items, id));
    for (const member of members) {
      set(`${path}.${member}`, member === "buildspec" ? presence(texts(items, member)) : texts(items, member));
      for (const item of items) set(`${path}/${item[id]}.${member}`, valueAt(item, member));
    }
  }
  return keys;
}

/** Of a build: what it overrides of its project, by the project's names. */
export function startBuildKeys(input: sdk.StartBuildCommandInput): ContextKeys {
  return projectKeys({
    source: given({
      type: input.sourceTypeOverride,
      location: input.sourceLocationOverride,
      auth: input.sourceAuthOverride,
      buildspec: input.buildspecOverride,
      buildStatusConfig: input.buildStatusConfigOverride,
      insecureSsl: input.insecureSslOverride,
      gitCloneDepth: input.gitCloneDepthOverride,
      gitSubmodulesConfig: input.gitSubmodulesConfigOverride,
      reportBuildStatus: input.reportBuildStatusOverride,
    }),
    environment: given({
      certificate: input.certificateOverride,
      computeType: input.computeTypeOverride,
      environmentVariables: input.environmentVariablesOverride,
      fleet: input.fleetOverride,
      image: input.imageOverride,
      imagePullCredentialsType: input.imagePullCredentialsTypeOverride,
      privilegedMode: input.privilegedModeOverride,
      registryCredential: input.registryCredentialOverride,
      type: input.environmentTypeOverride,
    }),
    artifacts: input.artifactsOverride,
    autoRetryLimit: input.autoRetryLimitOverride,
    cache: input.cacheOverride,
    encryptionKey: input.encryptionKeyOverride,
    logsConfig: input.logsConfigOverride,
    secondaryArtifacts: input.secondaryArtifactsOverride,
    secondarySources: input.secondarySourcesOverride,
    serviceRole: input.serviceRoleOverride,
  });
}

export function webhookKeys(input: sdk.CreateWebhookCommandInput | sdk.UpdateWebhookCommandInput): ContextKeys {
  const paths = ["buildType", "manualCreation", "scopeConfiguration.domain", "scopeConfiguration.name"];
  return memberKeys(input, [...paths, "scopeConfiguration.scope"]);
}

/** One key a member, by its path. */
export function memberKeys(input: object, paths: readonly string[]): ContextKeys {
  return Object.fromEntries(paths.map((path) => [`codebuild:${path.toLowerCase()}`, valueAt(input, path)]));
}

/** undefined where no member is given, so that the object counts as absent. */
function given<T extends object>(object: T): T | undefined {
  return Object.values(object).some((value) => value !== undefined) ? object : undefined;
}

function at(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((found, name) => (found as Record<string, unknown> | undefined)?.[name], object);
}

function valueAt(object: unknown, path: string): string | readonly string[] | undefined {
  const value = at(object, path);
  if (value === undefined || value === null) return undefined;
  if (path.endsWith("buildspec")) return "true";
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return typeof value[0] === "object" ? "true" : value.map(String);
  }
  return typeof value === "object" ? "true" : String(value);
}

function texts(items: readonly unknown[], path: string): readonly string[] {
  return items
    .map((item) => at(item, path))
    .filter((value) => value !== undefined)
    .map(String);
}

function presence(values: readonly string[]): string | undefined {
  return values.length > 0 ? "true" : undefined;
}
