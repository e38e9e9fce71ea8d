/**
 * A buildspec as CodeBuild understands it, after parsing: defaults filled in, scalars as strings, names as in the file.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
 */

/** The build file is not acceptable: the build fails at DOWNLOAD_SOURCE with this code and message. */
export class BuildspecError extends Error {
  override readonly name = "BuildspecError";
  readonly code = "YAML_FILE_ERROR";
}

/** The phases a buildspec may hold, in the order in which CodeBuild runs them. */
export const phaseNames = ["install", "pre_build", "build", "post_build"] as const;
export type PhaseName = (typeof phaseNames)[number];

/** A phase's name in the CodeBuild API and in build logs. */
export type PhaseType = "INSTALL" | "PRE_BUILD" | "BUILD" | "POST_BUILD";

export function phaseType(name: PhaseName): PhaseType {
  return name.toUpperCase() as PhaseType;
}

export const supportedShells = ["sh", "/bin/sh", "bash", "/bin/bash", "powershell.exe", "cmd.exe"] as const;
export type BuildspecShell = (typeof supportedShells)[number];

/**
 * Runtimes that `runtime-versions` may name: those of AWS's standard images, of all generations.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html
 */
export const knownRuntimes = [
  "android",
  "docker",
  "dotnet",
  "golang",
  "java",
  "nodejs",
  "php",
  "powershell",
  "python",
  "ruby",
] as const;

/**
 * What becomes of the build when a phase fails. DEFAULT follows the phase transitions of the user guide. RETRY runs
 * the whole build again, up to `count` times, when the error message matches `pattern`.
 */
export type OnFailure =
  | { readonly action: "DEFAULT" | "ABORT" | "CONTINUE" }
  | { readonly action: "RETRY"; readonly count: number; readonly pattern: string };

export interface BuildspecPhase {
  readonly runAs: string | undefined;
  readonly onFailure: OnFailure;
  /** Only `install` has any; runtime name → version as written. */
  readonly runtimeVersions: Readonly<Record<string, string>>;
  readonly commands: readonly string[];
  readonly finally: readonly string[];
}

export interface BuildspecEnvironment {
  readonly shell: BuildspecShell | undefined;
  /** Literal values: CodeBuild does not expand `$NAME` in them. */
  readonly variables: Readonly<Record<string, string>>;
  /** Variable name → name of the parameter. */
  readonly parameterStore: Readonly<Record<string, string>>;
  /** Variable name → `secret-id:json-key:version-stage:version-id`. */
  readonly secretsManager: Readonly<Record<string, string>>;
  readonly exportedVariables: readonly string[];
  readonly gitCredentialHelper: boolean;
}

export interface BuildspecArtifact {
  /** Globs relative to `baseDirectory`. */
  readonly files: readonly string[];
  /** Shell command language: may hold `$NAME` and `$(command)`, expanded in the build environment. */
  readonly name: string | undefined;
  readonly discardPaths: boolean;
  /** A glob of folders relative to the source; undefined: the source folder itself. */
  readonly baseDirectory: string | undefined;
  readonly excludePaths: readonly string[];
  readonly enableSymlinks: boolean;
  readonly s3Prefix: string | undefined;
}

export interface BuildspecArtifacts extends BuildspecArtifact {
  /** By artifact identifier. */
  readonly secondaryArtifacts: Readonly<Record<string, BuildspecArtifact>>;
}

export interface BuildspecReport {
  readonly files: readonly string[];
  readonly baseDirectory: string | undefined;
  readonly discardPaths: boolean;
  /** Upper case; JUNITXML where the buildspec names none. */
  readonly fileFormat: string;
}

export interface BuildspecCache {
  readonly paths: readonly string[];
  readonly key: string | undefined;
  readonly fallbackKeys: readonly string[];
}

export interface Buildspec {
  /** In 0.1 every command runs in a shell of its own; in 0.2 all share one. */
  readonly version: "0.1" | "0.2";
  readonly runAs: string | undefined;
  readonly env: BuildspecEnvironment;
  readonly proxy: { readonly uploadArtifacts: boolean; readonly logs: boolean };
  /** Only the phases that the file holds. */
  readonly phases: Readonly<Partial<Record<PhaseName, BuildspecPhase>>>;
  /** By report group name or ARN. */
  readonly reports: Readonly<Record<string, BuildspecReport>>;
  /** undefined where the file has no artifacts section. */
  readonly artifacts: BuildspecArtifacts | undefined;
  readonly cache: BuildspecCache | undefined;
  /** The batch section as plain data; single builds ignore it. */
  readonly batch: unknown;
}
