/**
 * The lines of a build log that CodeBuild's agent prints outside the phases that the compiled program runs:
 * DOWNLOAD_SOURCE before it, UPLOAD_ARTIFACTS after it. Wording and order are those of real build logs.
 */
import { type Buildspec, type PhaseName, phaseNames, phaseType } from "./buildspec.ts";

/** `[Container] 2023/03/01 10:00:00.123456 text`. Date has no microseconds: the last three digits are zero. */
export function agentLine(time: Date, text: string): string {
  const stamp = time.toISOString().replaceAll("-", "/").replace("T", " ").replace("Z", "000");
  return `[Container] ${stamp} ${text}`;
}

/** The agent's first lines, before there is a source. */
export function waitingLines(): readonly string[] {
  return ["Running on CodeBuild On-demand", "Waiting for agent ping", "Waiting for DOWNLOAD_SOURCE"];
}

/** `buildspecLocation`: path in the source folder, or /codebuild/readonly/buildspec.yml for one given inline. */
export function sourceLines(source: {
  readonly sourceDirectory: string;
  readonly buildspecLocation: string;
}): readonly string[] {
  return [
    "Phase is DOWNLOAD_SOURCE",
    `CODEBUILD_SRC_DIR=${source.sourceDirectory}`,
    `YAML location is ${source.buildspecLocation}`,
  ];
}

/** What follows once the buildspec has been read; ends DOWNLOAD_SOURCE. */
export function buildspecLines(buildspec: Buildspec, sourceDirectory: string): readonly string[] {
  const runtimes = Object.entries(buildspec.phases.install?.runtimeVersions ?? {});
  const present = phaseNames.filter((name) => buildspec.phases[name] !== undefined);
  return [
    "Processing environment variables",
    ...(runtimes.length === 0 ? ["No runtime version selected in buildspec."] : []),
    ...runtimes.map(
      ([name, version]) => `Selecting '${name}' runtime version '${version}' based on manual selections...`,
    ),
    `Moving to directory ${sourceDirectory}`,
    buildspec.cache === undefined
      ? "Cache is not defined in the buildspec"
      : "Skip cache due to: cache type is NO_CACHE",
    "Registering with agent",
    `Phases found in YAML: ${present.length}`,
    ...present.map((name) => ` ${phaseType(name)}: ${commandCount(buildspec, name)} commands`),
    ...phaseCompleteLines("DOWNLOAD_SOURCE", "SUCCEEDED"),
  ];
}

/** The two lines that end every phase. */
export function phaseCompleteLines(
  phase: string,
  state: "SUCCEEDED" | "FAILED",
  context: { readonly statusCode: string; readonly message: string } = { statusCode: "", message: "" },
): readonly string[] {
  return [
    `Phase complete: ${phase} State: ${state}`,
    `Phase context status code: ${context.statusCode} Message: ${context.message}`,
  ];
}

/** The message of a build whose source has no buildspec at the place where it must be. */
export function missingBuildspecMessage(path: string, isDefault: boolean): string {
  const advice = "add it to the source, or name another file in the project's buildspec";
  return isDefault
    ? `YAML file does not exist: there is no buildspec.yml; ${advice}`
    : `stat ${path}: no such file or directory; ${advice}`;
}

function commandCount(buildspec: Buildspec, name: PhaseName): number {
  return buildspec.phases[name]?.commands.length ?? 0;
}
