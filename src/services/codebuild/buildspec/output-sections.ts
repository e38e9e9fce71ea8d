/** The sections of a buildspec that say what to do with a build's files: artifacts, reports, cache. */
import type { BuildspecArtifact, BuildspecArtifacts, BuildspecCache, BuildspecReport } from "./buildspec.ts";
import type { Located } from "./located-yaml.ts";
import { nearest } from "./nearest.ts";

const artifactKeys = [
  "files",
  "name",
  "discard-paths",
  "base-directory",
  "exclude-paths",
  "enable-symlinks",
  "s3-prefix",
] as const;

/** https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.reports.file-format */
const reportFormats = [
  "CUCUMBERJSON",
  "JUNITXML",
  "NUNITXML",
  "NUNIT3XML",
  "TESTNGXML",
  "VISUALSTUDIOTRX",
  "CLOVERXML",
  "COBERTURAXML",
  "JACOCOXML",
  "SIMPLECOV",
] as const;

export function artifactsSection(entry: Located | undefined): BuildspecArtifacts | undefined {
  if (entry === undefined || entry.isNull) {
    return undefined;
  }
  const entries = entry.asRecord([...artifactKeys, "secondary-artifacts"]);
  const secondary = entries.get("secondary-artifacts")?.asEntries() ?? [];
  return {
    ...artifact(entry, entries),
    secondaryArtifacts: Object.fromEntries(
      [...secondary].map(([identifier, value]) => [identifier, artifact(value, value.asRecord(artifactKeys))]),
    ),
  };
}

function artifact(entry: Located, entries: ReadonlyMap<string, Located>): BuildspecArtifact {
  return {
    files: requiredFiles(entry, entries),
    name: entries.get("name")?.asString(),
    discardPaths: entries.get("discard-paths")?.asBoolean() ?? false,
    baseDirectory: entries.get("base-directory")?.asString(),
    excludePaths: stringOrStrings(entries.get("exclude-paths")),
    enableSymlinks: entries.get("enable-symlinks")?.asBoolean() ?? false,
    s3Prefix: entries.get("s3-prefix")?.asString(),
  };
}

export function reportsSection(entry: Located | undefined): Readonly<Record<string, BuildspecReport>> {
  return Object.fromEntries(
    [...(entry?.asEntries() ?? [])].map(([group, value]) => {
      const entries = value.asRecord(["files", "base-directory", "discard-paths", "file-format"]);
      return [
        group,
        {
          files: requiredFiles(value, entries),
          baseDirectory: entries.get("base-directory")?.asString(),
          discardPaths: entries.get("discard-paths")?.asBoolean() ?? false,
          fileFormat: reportFormat(entries.get("file-format")),
        },
      ];
    }),
  );
}

function reportFormat(entry: Located | undefined): string {
  const format = entry?.asString().toUpperCase() ?? "JUNITXML";
  if (entry !== undefined && !reportFormats.some((known) => known === format)) {
    const suggestion = nearest(format, reportFormats);
    throw entry.invalid(
      `Unknown file-format '${format}'${suggestion === undefined ? "" : `, did you mean ${suggestion}?`}`,
    );
  }
  return format;
}

export function cacheSection(entry: Located | undefined): BuildspecCache | undefined {
  if (entry === undefined || entry.isNull) {
    return undefined;
  }
  const entries = entry.asRecord(["paths", "key", "fallback-keys"]);
  return {
    paths: stringOrStrings(entries.get("paths")),
    key: entries.get("key")?.asString(),
    fallbackKeys: stringOrStrings(entries.get("fallback-keys")),
  };
}

function requiredFiles(entry: Located, entries: ReadonlyMap<string, Located>): readonly string[] {
  const files = entries.get("files");
  if (files === undefined) {
    throw entry.invalid(`The required key files is missing in ${entry.label}`);
  }
  return files.asStrings();
}

/** `exclude-paths: a` and a list of one are the same. */
function stringOrStrings(entry: Located | undefined): readonly string[] {
  if (entry === undefined || entry.isNull) {
    return [];
  }
  return entry.isList ? entry.asStrings() : [entry.asString()];
}
