/** The container that a build runs in: one group of one container, named by the build. */
import type { Build } from "@aws-sdk/client-codebuild";
import type { EngineImage, GroupSpec } from "#engines/engine.ts";
import { containerEnvironment } from "#gateway/container-environment.ts";
import type { System } from "#gateway/context.ts";
import type { Buildspec } from "../buildspec/buildspec.ts";
import { buildVariables } from "../buildspec/compile.ts";
import { type BuildRecord, projectArn } from "../model.ts";
import { COMPUTE_TYPES, GIT_PROVIDERS, s3Location } from "../project-rules.ts";
import { buildSessionScope, CODEBUILD_PRINCIPAL } from "../service-role.ts";
import { logPlace } from "./log-delivery.ts";

export const CONTAINER = "build";
/** Where CodeBuild's agent keeps what the build may read but has not made. */
export const PROGRAM_FILE = "/codebuild/readonly/build.sh";
export const NONCE_FILE = "/codebuild/readonly/nonce";

/** Between SIGTERM and SIGKILL: the program gives the user's commands and an inner dockerd one second each. */
const STOP_TIMEOUT_SECONDS = 10;

export function sessionName(uuid: string): string {
  return `AWSCodeBuild-${uuid}`;
}

export async function groupSpec(system: System, record: BuildRecord, image: EngineImage): Promise<GroupSpec> {
  const { build, accountId, region, uuid } = record;
  const id = `build-${uuid}`;
  const { cpus, memoryMiB } = COMPUTE_TYPES[build.environment!.computeType!]!;
  const environment = await containerEnvironment(system, {
    service: CODEBUILD_PRINCIPAL,
    roleArn: build.serviceRole!,
    sessionName: sessionName(uuid),
    ...buildSessionScope(record),
    groupId: id,
  });
  return {
    id,
    labels: { service: "codebuild", account: accountId, region, build: uuid },
    containers: [
      {
        name: CONTAINER,
        image: image.id,
        entrypoint: ["/bin/sh"],
        command: [PROGRAM_FILE],
        environment: { HOME: "/root", ...environment, ...unusualVariables(build) },
        workingDirectory: "/",
        // Builds run as root unless the buildspec's run-as says otherwise, whatever the image's own user is.
        user: "0",
        cpus,
        memoryMiB,
        privileged: build.environment!.privilegedMode ?? false,
        stopTimeoutSeconds: STOP_TIMEOUT_SECONDS,
      },
    ],
  };
}

/** Names that no shell can hold, which the program in the container therefore cannot set. */
function unusualVariables(build: Build): Record<string, string> {
  const plain = plainVariables(build);
  return Object.fromEntries(Object.entries(plain).filter(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)));
}

function plainVariables({ environment }: Build): Record<string, string> {
  const plain = (environment!.environmentVariables ?? []).filter(({ type }) => (type ?? "PLAINTEXT") === "PLAINTEXT");
  return Object.fromEntries(plain.map(({ name, value }) => [name!, value ?? ""]));
}

/** What the user's commands see; the buildspec's give way to the project's, those of StartBuild are among the latter. */
export function shellVariables(record: BuildRecord, buildspec: Buildspec): Record<string, string> {
  return buildVariables({
    builtin: builtinVariables(record),
    buildspec: buildspec.env.variables,
    project: plainVariables(record.build),
    startBuild: {},
  });
}

/** https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html */
function builtinVariables(record: BuildRecord): Record<string, string> {
  const { build, region, run } = record;
  const source = build.source!;
  const s3 = source.type === "S3" ? s3Location(source.location) : undefined;
  const isGit = source.type! in GIT_PROVIDERS;
  const stream = logPlace(build)?.logStreamName;
  return {
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
    HOME: "/root",
    CODEBUILD_BUILD_ARN: build.arn!,
    CODEBUILD_BUILD_ID: build.id!,
    CODEBUILD_BUILD_IMAGE: build.environment!.image!,
    CODEBUILD_BUILD_NUMBER: String(build.buildNumber),
    CODEBUILD_CI: "true",
    CODEBUILD_INITIATOR: build.initiator!,
    CODEBUILD_KMS_KEY_ID: build.encryptionKey!,
    ...(stream !== undefined && { CODEBUILD_LOG_PATH: stream }),
    CODEBUILD_PROJECT_ARN: projectArn(record, build.projectName!),
    ...(build.resolvedSourceVersion && { CODEBUILD_RESOLVED_SOURCE_VERSION: build.resolvedSourceVersion }),
    ...(isGit && { CODEBUILD_SOURCE_REPO_URL: source.location! }),
    CODEBUILD_SOURCE_VERSION: s3 ? `arn:aws:s3:::${s3.bucket}/${s3.key}` : (build.sourceVersion ?? ""),
    CODEBUILD_SRC_DIR: run.sourceDirectory,
    CODEBUILD_START_TIME: String(build.startTime!.getTime()),
    ...run.webhookVariables,
  };
}
