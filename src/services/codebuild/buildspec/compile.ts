/**
 * A buildspec to the POSIX shell program that is the build container's main process. The program needs nothing of
 * Slipway to run to its end: `supervisor.sh` drives the phases, `driver.sh` is the user's shell, and what this module
 * writes is their data and the list of steps.
 *
 * On the container's standard output stands the build log, the user's output and error in order; on its standard error
 * the events that `parseControlLine` reads. Exit status: 0 the build succeeded, 1 it failed, 143 it was stopped by
 * SIGTERM, 70 the nonce file is missing.
 */
import { readFileSync } from "node:fs";
import { type Buildspec, BuildspecError, type BuildspecShell, phaseNames, phaseType } from "./buildspec.ts";

export interface BuildEnvironment {
  /** Where commands start: CODEBUILD_SRC_DIR. */
  readonly sourceDirectory: string;
  /** Holds the nonce, `[A-Za-z0-9]+` and a newline; the program deletes it before user code runs. */
  readonly nonceFile: string;
  /**
   * The variables of the user's shell, over those of the container. Precedence is the caller's (see
   * `buildVariables`); values are literal. Names that a shell cannot hold belong into the container's environment.
   */
  readonly variables: Readonly<Record<string, string>>;
  /** Starts the image's dockerd, where it has one, before INSTALL; with the container's environment, proxy included. */
  readonly privileged: boolean;
  /** More arguments for dockerd, such as a storage driver that the host can nest. */
  readonly dockerdArguments?: readonly string[];
  /** The program's own folder, made if missing. CodeBuild's agent keeps its scripts in the default one too. */
  readonly agentDirectory?: string;
}

const supervisor = readFileSync(new URL("./supervisor.sh", import.meta.url), "utf8");
const driver = readFileSync(new URL("./driver.sh", import.meta.url), "utf8");

/** Throws BuildspecError when the buildspec asks for a shell that Linux containers do not have. */
export function compile(buildspec: Buildspec, environment: BuildEnvironment): { readonly script: string } {
  const agentDirectory = environment.agentDirectory ?? "/codebuild/output/tmp";
  const users = phaseNames.map((name) => buildspec.phases[name]?.runAs ?? buildspec.runAs ?? "");
  const script = [
    "#!/bin/sh",
    supervisor,
    `agent=${quoted(agentDirectory)}`,
    `nonce_file=${quoted(environment.nonceFile)}`,
    `user_shell=${quoted(linuxShell(buildspec.env.shell))}`,
    `isolated=${buildspec.version === "0.1" ? 1 : 0}`,
    `switches_user=${users.some((user) => user !== "") ? 1 : 0}`,
    "",
    // One function, called on one line: the shell has read the whole program before any user code runs, so that
    // nothing the user writes to this file can become part of it.
    "main() {",
    "begin_build",
    `printf '%s' ${quoted(initialState(environment))} >"$agent/state.initial"`,
    `printf '%s' ${quoted(driver)} >"$agent/driver.sh"`,
    ...(environment.privileged
      ? [["start_docker", ...(environment.dockerdArguments ?? []).map(quoted)].join(" ")]
      : []),
    ...phaseNames.flatMap((name, index) => phaseSteps(buildspec, name, users[index]!)),
    `phase_user=${quoted(buildspec.runAs ?? "")}`,
    ...exportedNames(buildspec).map((name) => `export_variable ${name}`),
    ...expansionSteps(buildspec),
    "end_build",
    "}",
    'main; exit "$?"',
    "",
  ].join("\n");
  return { script };
}

/**
 * The variables of a build by CodeBuild's precedence: StartBuild's over the project's over the buildspec's. `builtin`
 * (CODEBUILD_…, AWS_REGION) gives way to none of them in CodeBuild's reserved prefix, and to all of them elsewhere.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
 */
export function buildVariables(layers: {
  readonly builtin: Readonly<Record<string, string>>;
  readonly buildspec: Readonly<Record<string, string>>;
  readonly project: Readonly<Record<string, string>>;
  readonly startBuild: Readonly<Record<string, string>>;
}): Record<string, string> {
  const reserved = Object.entries(layers.builtin).filter(([name]) => name.startsWith("CODEBUILD_"));
  return {
    ...layers.builtin,
    ...layers.buildspec,
    ...layers.project,
    ...layers.startBuild,
    ...Object.fromEntries(reserved),
  };
}

/** A word that every shell reads as exactly this text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function linuxShell(shell: BuildspecShell | undefined): string {
  if (shell === "powershell.exe" || shell === "cmd.exe") {
    throw new BuildspecError(
      `shell '${shell}' is not supported by this build image, expecting bash or /bin/sh (env/shell)`,
    );
  }
  return shell ?? "sh";
}

function initialState(environment: BuildEnvironment): string {
  const variables = Object.entries(environment.variables).filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return [
    ...variables.map(([name, value]) => `export ${name}=${quoted(value)}`),
    `slipway_directory=${quoted(environment.sourceDirectory)}`,
    "",
  ].join("\n");
}

/** A phase that the file does not hold is entered and succeeds, as in CodeBuild's logs. */
function phaseSteps(buildspec: Buildspec, name: (typeof phaseNames)[number], user: string): readonly string[] {
  const phase = buildspec.phases[name];
  return [
    'if [ "$aborted" = 0 ]; then',
    `begin_phase ${phaseType(name)} ${quoted(user)}`,
    ...(phase?.commands ?? []).map((command) => `run_command ${quoted(command)}`),
    ...(phase?.finally ?? []).map((command) => `run_finally ${quoted(command)}`),
    `end_phase ${phase?.onFailure.action ?? "DEFAULT"}`,
    "fi",
  ];
}

/** Secrets and `AWS_…` cannot be exported, says the buildspec reference. */
function exportedNames(buildspec: Buildspec): readonly string[] {
  const { exportedVariables, parameterStore, secretsManager } = buildspec.env;
  return exportedVariables.filter(
    (name) => !name.startsWith("AWS_") && !(name in parameterStore) && !(name in secretsManager),
  );
}

/** Texts of the artifacts section that hold `$` or a back-quote are expanded by the user's shell, in a here-document. */
function expansionSteps(buildspec: Buildspec): readonly string[] {
  const { artifacts } = buildspec;
  if (artifacts === undefined) {
    return [];
  }
  const texts = [artifacts, ...Object.values(artifacts.secondaryArtifacts)].flatMap((artifact) => [
    ...artifact.files,
    ...artifact.excludePaths,
    artifact.name ?? "",
    artifact.baseDirectory ?? "",
    artifact.s3Prefix ?? "",
  ]);
  const expandable = [...new Set(texts)].filter((text) => /[$`]/.test(text) && !text.includes("\n"));
  if (expandable.length === 0) {
    return [];
  }
  const steps = expandable.map((text) => {
    const script = `cat <<SLIPWAY_END_OF_TEXT\n${text}\nSLIPWAY_END_OF_TEXT`;
    return `expand ${Buffer.from(text).toString("hex")} ${quoted(script)}`;
  });
  return ['if [ "$aborted" = 0 ]; then', ...steps, "fi"];
}
