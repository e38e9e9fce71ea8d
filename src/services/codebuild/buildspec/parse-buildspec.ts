/**
 * The text of a buildspec file to a Buildspec. Messages are CodeBuild's where build logs show them; after them comes
 * the key's place and, where it helps, what to do.
 */
import {
  type Buildspec,
  type BuildspecEnvironment,
  BuildspecError,
  type BuildspecPhase,
  type BuildspecShell,
  knownRuntimes,
  type OnFailure,
  type PhaseName,
  phaseNames,
  phaseType,
  supportedShells,
} from "./buildspec.ts";
import { type Located, parseLocatedYaml } from "./located-yaml.ts";
import { nearest } from "./nearest.ts";
import { artifactsSection, cacheSection, reportsSection } from "./output-sections.ts";

const sections = ["version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"] as const;

/** How a build log calls a file whose root is not a mapping with the required sections. */
const wrongContainers = "wrong number of container tags, expected 1";

/** Throws BuildspecError; its message names the line and the key. */
export function parseBuildspec(text: string): Buildspec {
  const root = parseLocatedYaml(text);
  if (root.isNull) {
    throw new BuildspecError(`${wrongContainers}: the file is empty at line 1`);
  }
  let entries: ReturnType<Located["asRecord"]>;
  try {
    entries = root.asEntries();
  } catch (error) {
    throw error instanceof BuildspecError && error.message.startsWith("Expected buildspec")
      ? new BuildspecError(`${wrongContainers}: the file must be a mapping with the keys version and phases at line 1`)
      : error;
  }
  entries = root.asRecord(sections);
  const phases = entries.get("phases");
  return {
    version: version(entries.get("version")),
    runAs: userName(entries.get("run-as")),
    env: environmentSection(entries.get("env")),
    proxy: proxySection(entries.get("proxy")),
    phases: phasesSection(phases),
    reports: reportsSection(entries.get("reports")),
    artifacts: artifactsSection(entries.get("artifacts")),
    cache: cacheSection(entries.get("cache")),
    batch: entries.get("batch")?.asData(),
  };
}

function version(entry: Located | undefined): "0.1" | "0.2" {
  if (entry === undefined) {
    throw new BuildspecError(`${wrongContainers}: the required key version is missing at line 1`);
  }
  const text = entry.asString();
  if (text !== "0.1" && text !== "0.2") {
    throw entry.invalid(`invalid buildspec version '${text}', expecting 0.1 or 0.2`);
  }
  return text;
}

/** User names as useradd(8) takes them; anything else could be read as an option by su(1). */
function userName(entry: Located | undefined): string | undefined {
  const name = entry?.asString();
  if (entry !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(name ?? "")) {
    throw entry.invalid(`run-as must name a Linux user: found '${name}'`);
  }
  return name;
}

function environmentSection(entry: Located | undefined): BuildspecEnvironment {
  const entries = entry?.asRecord([
    "shell",
    "variables",
    "parameter-store",
    "secrets-manager",
    "exported-variables",
    "git-credential-helper",
  ]);
  return {
    shell: shell(entries?.get("shell")),
    variables: entries?.get("variables")?.asStringRecord() ?? {},
    parameterStore: entries?.get("parameter-store")?.asStringRecord() ?? {},
    secretsManager: entries?.get("secrets-manager")?.asStringRecord() ?? {},
    exportedVariables: entries?.get("exported-variables")?.asList().map(variableName) ?? [],
    gitCredentialHelper: entries?.get("git-credential-helper")?.asBoolean() ?? false,
  };
}

function variableName(entry: Located): string {
  const name = entry.asString();
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw entry.invalid(`exported-variables must list names of environment variables: found '${name}'`);
  }
  return name;
}

function shell(entry: Located | undefined): BuildspecShell | undefined {
  if (entry === undefined) {
    return undefined;
  }
  const name = entry.asString();
  const known = supportedShells.find((candidate) => candidate === name);
  if (known === undefined) {
    throw entry.invalid(`shell '${name}' is not supported, expecting bash, /bin/sh, powershell.exe or cmd.exe`);
  }
  return known;
}

function proxySection(entry: Located | undefined): Buildspec["proxy"] {
  const entries = entry?.asRecord(["upload-artifacts", "logs"]);
  return {
    uploadArtifacts: entries?.get("upload-artifacts")?.asBoolean() ?? false,
    logs: entries?.get("logs")?.asBoolean() ?? false,
  };
}

function phasesSection(entry: Located | undefined): Buildspec["phases"] {
  if (entry === undefined) {
    throw new BuildspecError(`${wrongContainers}: the required key phases is missing at line 1`);
  }
  const phases: Partial<Record<PhaseName, BuildspecPhase>> = {};
  for (const [name, value] of entry.asEntries()) {
    const known = phaseNames.find((candidate) => candidate === name);
    if (known === undefined) {
      throw unknownPhase(name, value);
    }
    phases[known] = phase(known, value);
  }
  if (Object.keys(phases).length === 0) {
    throw entry.wrongType("mapping");
  }
  return phases;
}

/** As in logs: `Invalid buildspec phase name: POSTBUILD. Expecting: BUILD,INSTALL,POST_BUILD,PRE_BUILD`. */
function unknownPhase(name: string, entry: Located): BuildspecError {
  const suggestion = nearest(name, phaseNames);
  return new BuildspecError(
    `Invalid buildspec phase name: ${name.toUpperCase()}. Expecting: ${phaseNames.map(phaseType).sort().join(",")} ` +
      `at line ${entry.keyLine} (${entry.path})${suggestion === undefined ? "" : `. Did you mean '${suggestion}'?`}`,
  );
}

function phase(name: PhaseName, entry: Located): BuildspecPhase {
  const entries = entry.asRecord([
    "run-as",
    "on-failure",
    ...(name === "install" ? ["runtime-versions"] : []),
    "commands",
    "finally",
  ]);
  return {
    runAs: userName(entries.get("run-as")),
    onFailure: onFailure(entries.get("on-failure")),
    runtimeVersions: runtimeVersions(entries.get("runtime-versions")),
    commands: commands(entries.get("commands")),
    finally: commands(entries.get("finally")),
  };
}

/** `- echo "a: b"` is a mapping to YAML: the classic trap. */
const unquotedColon = "A command that holds ': ' must stand in quotation marks: - 'command'";

function commands(entry: Located | undefined): readonly string[] {
  if (entry === undefined || entry.isNull) {
    return [];
  }
  return entry.asList().map((item) => {
    if (item.isNull) {
      throw item.wrongType("string", "Remove the empty item or write a command after '- '");
    }
    return item.asString(unquotedColon);
  });
}

function runtimeVersions(entry: Located | undefined): Readonly<Record<string, string>> {
  if (entry === undefined) {
    return {};
  }
  const versions = entry.asStringRecord();
  if (Object.keys(versions).length === 0) {
    throw entry.invalid("This build image requires selecting at least one runtime version");
  }
  for (const [name, value] of entry.asEntries()) {
    if (!knownRuntimes.some((runtime) => runtime === name)) {
      throw new BuildspecError(
        `Unknown runtime named '${name}'. This build image has the following runtimes: ${knownRuntimes.join(", ")} ` +
          `at line ${value.keyLine} (${value.path})`,
      );
    }
    if (!/^[A-Za-z0-9._+${}-]+$/.test(versions[name] ?? "")) {
      throw value.invalid(`Unknown runtime version named '${versions[name]}' of ${name}`);
    }
  }
  return versions;
}

/** `RETRY`, `RETRY-count`, `RETRY-regex`, `RETRY-count-regex`; without count 3 times, without regex on any message. */
function onFailure(entry: Located | undefined): OnFailure {
  if (entry === undefined) {
    return { action: "DEFAULT" };
  }
  const text = entry.asString();
  if (text === "ABORT" || text === "CONTINUE") {
    return { action: text };
  }
  const retry = /^RETRY(?:-(\d{1,3})(?=-|$))?(?:-(.+))?$/.exec(text);
  if (retry === null) {
    throw entry.invalid(`on-failure must be ABORT, CONTINUE or RETRY: found '${text}'`);
  }
  const count = Number(retry[1] ?? 3);
  if (count > 100) {
    throw entry.invalid(`on-failure may retry at most 100 times: found '${text}'`);
  }
  return { action: "RETRY", count, pattern: retry[2] ?? ".*" };
}
