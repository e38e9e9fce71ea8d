/** DOWNLOAD_SOURCE: everything that the container's program needs, as one tar stream for the container's root. */
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Build, EnvironmentVariable } from "@aws-sdk/client-codebuild";
import { pack } from "tar-stream";
import type { Client } from "#gateway/client.ts";
import { CA_BUNDLE_PATH } from "#gateway/container-environment.ts";
import type { System } from "#gateway/context.ts";
import { buildspecLines } from "../buildspec/agent-log.ts";
import { type Buildspec, BuildspecError } from "../buildspec/buildspec.ts";
import { compile } from "../buildspec/compile.ts";
import type { BuildRecord } from "../model.ts";
import { sourceDirectory } from "../new-build.ts";
import { NONCE_PURPOSE } from "../submit-build.ts";
import { NONCE_FILE, PROGRAM_FILE, shellVariables } from "./build-container.ts";
import { type FetchedSource, fetchSource } from "./fetch-source.ts";
import { addFolder } from "./folder-tar.ts";
import { PhaseFailure } from "./phase-failure.ts";
import { readBuildspec } from "./read-buildspec.ts";

export interface PreparedSource {
  readonly buildspec: Buildspec;
  readonly resolvedVersion: string | undefined;
  /** For "/" of the container. */
  readonly tar: Readable;
  readonly lines: readonly string[];
}

/** All sources of a build, the primary one first. Fetched beside the making of the container. */
export async function fetchSources(
  system: System,
  role: Client,
  build: Build,
  signal: AbortSignal,
): Promise<readonly FetchedSource[]> {
  const versions = new Map(
    build.secondarySourceVersions?.map(({ sourceIdentifier, sourceVersion }) => [sourceIdentifier, sourceVersion]),
  );
  const requests = [
    { source: build.source!, version: build.sourceVersion, label: "primary source" },
    ...(build.secondarySources ?? []).map((source) => ({
      source,
      version: versions.get(source.sourceIdentifier!),
      label: `source ${source.sourceIdentifier}`,
    })),
  ];
  const outcomes = await Promise.allSettled(requests.map((request) => fetchSource(system, role, request, signal)));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  const fetched = outcomes.filter((outcome) => outcome.status === "fulfilled").map(({ value }) => value);
  if (!failed) return fetched;
  await Promise.all(fetched.map((source) => source[Symbol.asyncDispose]()));
  throw failed.reason;
}

/** Throws PhaseFailure. The folders of `sources` must last until the tar stream has been read. */
export async function preparedSource(
  system: System,
  record: BuildRecord,
  role: Client,
  sources: readonly FetchedSource[],
): Promise<PreparedSource> {
  const [primary] = sources;
  const { run } = record;
  const directory = run.sourceDirectory;
  const { buildspec, lines } = await readBuildspec(record.build, directory, primary!.folder, role);
  requireVariables(record.build.environment!.environmentVariables ?? [], buildspec, lines);
  const resolved: BuildRecord = {
    ...record,
    build: { ...record.build, ...(primary!.resolvedVersion && { resolvedSourceVersion: primary!.resolvedVersion }) },
  };
  const directories = [directory, ...secondaryDirectories(resolved)];
  const tar = pack();
  const output = new PassThrough();
  const program = toProgram(resolved, buildspec, lines);
  const fill = async () => {
    for (const folder of ["codebuild", "codebuild/output", "codebuild/readonly"]) {
      tar.entry({ name: `${folder}/`, type: "directory", mode: 0o755 });
    }
    tar.entry({ name: CA_BUNDLE_PATH.slice(1), mode: 0o644 }, system.caBundle());
    tar.entry({ name: PROGRAM_FILE.slice(1), mode: 0o755 }, program);
    const nonce = system.cipher.open(NONCE_PURPOSE, run.sealedNonce)!.toString();
    tar.entry({ name: NONCE_FILE.slice(1), mode: 0o600 }, `${nonce}\n`);
    for (const [index, source] of sources.entries()) await addFolder(tar, source.folder, directories[index]!.slice(1));
    tar.finalize();
  };
  // An error on either side ends the other; whoever reads the output sees it.
  pipeline(tar, output).catch(() => {});
  fill().catch((error: Error) => tar.destroy(error));
  return {
    buildspec,
    resolvedVersion: primary!.resolvedVersion,
    tar: output,
    lines: [...lines, ...buildspecLines(buildspec, directory)],
  };
}

function toProgram(record: BuildRecord, buildspec: Buildspec, lines: readonly string[]): string {
  const { build, run } = record;
  const directories = secondaryDirectories(record);
  const secondary = Object.fromEntries(
    (build.secondarySources ?? []).map(({ sourceIdentifier }, index) => [
      `CODEBUILD_SRC_DIR_${sourceIdentifier}`,
      directories[index]!,
    ]),
  );
  try {
    return compile(buildspec, {
      sourceDirectory: run.sourceDirectory,
      nonceFile: NONCE_FILE,
      variables: { ...shellVariables(record, buildspec), ...secondary },
      privileged: build.environment!.privilegedMode ?? false,
    }).script;
  } catch (error) {
    if (error instanceof BuildspecError) throw new PhaseFailure(error.code, error.message, lines);
    throw error;
  }
}

/** Each lies in a folder of its own beside the primary source's. */
function secondaryDirectories({ build, uuid }: BuildRecord): readonly string[] {
  return (build.secondarySources ?? []).map((source) => sourceDirectory(source, `${uuid}/${source.sourceIdentifier}`));
}

/**
 * Variables whose values are kept elsewhere: there is neither a Parameter Store nor a Secrets Manager yet, so that none
 * of them is found. Status codes are those of real builds, spaces included.
 */
function requireVariables(
  variables: readonly EnvironmentVariable[],
  { env }: Buildspec,
  lines: readonly string[],
): void {
  const valuesOf = (type: string) => variables.filter((one) => one.type === type).map(({ value }) => value ?? "");
  const parameter = [...valuesOf("PARAMETER_STORE"), ...Object.values(env.parameterStore)][0];
  if (parameter !== undefined) {
    throw new PhaseFailure("Decrypted Variables Error", `parameter does not exist: ${parameter}`, [
      ...lines,
      "Processing environment variables",
      "Decrypting parameter store environment variables",
    ]);
  }
  if (valuesOf("SECRETS_MANAGER").length > 0 || Object.keys(env.secretsManager).length > 0) {
    throw new PhaseFailure(
      "Secrets Manager Error Message",
      "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
      [...lines, "Processing environment variables"],
    );
  }
}
