/**
 * Which files of the source folder a build's artifacts section names, by CodeBuild's rules.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts
 */
import { posix } from "node:path";
import { globMatcher, hasWildcard } from "../../glob.ts";
import type { BuildspecArtifact, BuildspecArtifacts } from "./buildspec.ts";

/** UPLOAD_ARTIFACTS fails with this code and message. `log` is what the agent had printed until then. */
export class ArtifactError extends Error {
  override readonly name = "ArtifactError";
  readonly code = "CLIENT_ERROR";
  readonly log: readonly string[];
  constructor(message: string, log: readonly string[] = []) {
    super(message);
    this.log = log;
  }
}

/** One thing in the source folder. Paths are relative to it, with `/`, without a leading `./`. */
export interface ArtifactEntry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** In bytes; 0 but for files. */
  readonly size: number;
  /** Of a symbolic link: its text. Of a further hard link: the path of the file that holds the content. */
  readonly linkTarget?: string;
}

export interface SelectedFile {
  /** In the artifact; `/` separates folders. */
  readonly name: string;
  /** The file in the source folder whose content it has. */
  readonly source: string;
  readonly size: number;
  /** The artifact holds a symbolic link with this text, not content. */
  readonly symlink?: string;
}

export interface ArtifactSelection {
  /** At least one; names are unique, in the order of the entries. */
  readonly files: readonly SelectedFile[];
  /** The agent's lines for the build log, without `[Container]` and time. */
  readonly log: readonly string[];
}

const maximumPatternLength = 1024;

/**
 * `sourceDirectory` is the absolute path of the folder that the entries are relative to; patterns may begin with it.
 * Throws ArtifactError where nothing matches, or a pattern leaves the source folder. Symbolic links are kept where the
 * artifact enables them, else replaced by the file they lead to; one that leads out of the source folder, or to a
 * folder, is skipped with a line in the log.
 */
export function selectArtifacts(
  entries: readonly ArtifactEntry[],
  artifact: BuildspecArtifact,
  sourceDirectory: string,
): ArtifactSelection {
  const log: string[] = [];
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const bases = baseDirectories(entries, artifact, sourceDirectory, log);
  const chosen = new Map<string, SelectedFile>();
  for (const base of bases) {
    log.push(`Expanding file paths for base directory ${base}`, "Assembling file list");
    const candidates = entries
      .filter((entry) => entry.type !== "directory" && isWithin(entry.path, base))
      .map((entry) => ({ entry, name: base === "." ? entry.path : entry.path.slice(base.length + 1) }));
    const excluded = matchers(artifact.excludePaths, sourceDirectory, base, log);
    for (const pattern of artifact.files) {
      log.push(`Expanding ${pattern}`);
      const [matches] = matchers([pattern], sourceDirectory, base, log);
      const matching = candidates.filter(({ name }) => matches!(name) && !excluded.some((excludes) => excludes(name)));
      if (matching.length === 0 && !hasWildcard(pattern)) {
        log.push(`Skipping invalid file path ${pattern}`);
      }
      for (const { entry, name } of matching) {
        const file = selectedFile(entry, byPath, artifact, log);
        if (file !== undefined) {
          const flat = artifact.discardPaths ? posix.basename(name) : name;
          chosen.delete(flat);
          chosen.set(flat, { name: flat, ...file });
        }
      }
    }
  }
  if (chosen.size === 0) {
    throw new ArtifactError("no matching artifact paths found", log);
  }
  log.push(`Found ${chosen.size} file(s)`);
  const order = new Map(entries.map((entry, index) => [entry.path, index]));
  const files = [...chosen.values()].sort((left, right) => order.get(left.source)! - order.get(right.source)!);
  return { files, log };
}

/**
 * The section with what the user's shell made of its texts (the program's `expanded` events: text → value). Texts
 * without an expansion stay as they are.
 */
export function expandedArtifacts(
  artifacts: BuildspecArtifacts,
  expansions: ReadonlyMap<string, string>,
): BuildspecArtifacts {
  const expanded = (text: string) => expansions.get(text) ?? text;
  const artifact = (source: BuildspecArtifact): BuildspecArtifact => ({
    ...source,
    files: source.files.map(expanded),
    excludePaths: source.excludePaths.map(expanded),
    name: source.name === undefined ? undefined : expanded(source.name),
    baseDirectory: source.baseDirectory === undefined ? undefined : expanded(source.baseDirectory),
    s3Prefix: source.s3Prefix === undefined ? undefined : expanded(source.s3Prefix),
  });
  const secondary = Object.entries(artifacts.secondaryArtifacts).map(
    ([name, value]) => [name, artifact(value)] as const,
  );
  return { ...artifact(artifacts), secondaryArtifacts: Object.fromEntries(secondary) };
}

/** The folders that `base-directory` names, `.` for the source folder itself. */
function baseDirectories(
  entries: readonly ArtifactEntry[],
  artifact: BuildspecArtifact,
  sourceDirectory: string,
  log: string[],
): readonly string[] {
  const written = artifact.baseDirectory ?? ".";
  log.push(`Expanding base directory path: ${written}`, "Assembling file list", `Expanding ${written}`);
  const pattern = relativePattern(written, sourceDirectory, ".", log);
  if (pattern === ".") {
    return ["."];
  }
  const matches = matcher(pattern, log);
  const bases = entries.filter((entry) => entry.type === "directory" && matches(entry.path)).map((entry) => entry.path);
  if (bases.length === 0) {
    throw new ArtifactError(`no matching base directory path found for ${written}`, log);
  }
  return bases;
}

function matchers(
  patterns: readonly string[],
  sourceDirectory: string,
  base: string,
  log: readonly string[],
): readonly ((name: string) => boolean)[] {
  return patterns.map((pattern) => matcher(relativePattern(pattern, sourceDirectory, base, log), log));
}

function matcher(pattern: string, log: readonly string[]): (name: string) => boolean {
  if (pattern.length > maximumPatternLength) {
    throw new ArtifactError(`artifact path ${pattern.slice(0, 80)}… is too long`, log);
  }
  try {
    return globMatcher(pattern);
  } catch (error) {
    throw new ArtifactError(`artifact path ${pattern} is not a valid pattern: ${(error as Error).message}`, log);
  }
}

/** A pattern of the buildspec, relative to `base`. Throws ArtifactError where it leaves the source folder. */
function relativePattern(pattern: string, sourceDirectory: string, base: string, log: readonly string[]): string {
  let relative = pattern;
  if (pattern.startsWith("/")) {
    const folder = posix.join(sourceDirectory, base);
    if (pattern !== folder && !pattern.startsWith(`${folder}/`)) {
      throw new ArtifactError(`artifact path ${pattern} is outside the source directory ${folder}`, log);
    }
    relative = pattern.slice(folder.length + 1);
  }
  const normal = posix.normalize(relative === "" ? "." : relative).replace(/(?<=.)\/$/, "");
  if (normal === ".." || normal.startsWith("../")) {
    throw new ArtifactError(`artifact path ${pattern} is outside the source directory ${sourceDirectory}`, log);
  }
  return normal;
}

function isWithin(path: string, base: string): boolean {
  return base === "." || path.startsWith(`${base}/`);
}

function selectedFile(
  entry: ArtifactEntry,
  byPath: ReadonlyMap<string, ArtifactEntry>,
  artifact: BuildspecArtifact,
  log: string[],
): Omit<SelectedFile, "name"> | undefined {
  if (entry.type === "file") {
    const content = entry.linkTarget === undefined ? entry : (byPath.get(entry.linkTarget) ?? entry);
    return { source: content.path, size: content.size };
  }
  const target = linkDestination(entry, byPath);
  if (target === undefined) {
    log.push(`Skipping symbolic link ${entry.path}: it does not lead to a file in the source directory`);
    return undefined;
  }
  if (artifact.enableSymlinks) {
    return { source: entry.path, size: 0, symlink: entry.linkTarget! };
  }
  if (target.type !== "file") {
    log.push(`Skipping symbolic link ${entry.path}: it leads to a directory`);
    return undefined;
  }
  return { source: target.linkTarget ?? target.path, size: target.size };
}

/** Follows links inside the source folder; undefined where they leave it, lead nowhere or go round in circles. */
function linkDestination(entry: ArtifactEntry, byPath: ReadonlyMap<string, ArtifactEntry>): ArtifactEntry | undefined {
  let current: ArtifactEntry | undefined = entry;
  for (let hops = 0; current?.type === "symlink"; hops += 1) {
    const text: string = current.linkTarget ?? "";
    const path = posix.normalize(posix.join(posix.dirname(current.path), text)).replace(/\/$/, "");
    if (hops === 40 || text.startsWith("/") || path === ".." || path.startsWith("../")) {
      return undefined;
    }
    current = byPath.get(path);
  }
  return current;
}
