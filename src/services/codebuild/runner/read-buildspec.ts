/** The buildspec of a build: inline, a file of the source, or an object in S3. */
import { readFile, realpath } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Build } from "@aws-sdk/client-codebuild";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import type { Client } from "#gateway/client.ts";
import { missingBuildspecMessage, sourceLines } from "../buildspec/agent-log.ts";
import { type Buildspec, BuildspecError } from "../buildspec/buildspec.ts";
import { parseBuildspec } from "../buildspec/parse-buildspec.ts";
import { isInlineBuildspec, s3Location } from "../project-rules.ts";
import { isRefusal, PhaseFailure, refusalText } from "./phase-failure.ts";

const DEFAULT_PATH = "buildspec.yml";
const INLINE_LOCATION = "/codebuild/readonly/buildspec.yml";

export interface ReadBuildspec {
  readonly buildspec: Buildspec;
  /** The agent's lines until then. */
  readonly lines: readonly string[];
}

/** `folder` holds the primary source. Throws PhaseFailure YAML_FILE_ERROR, with the line and key that are wrong. */
export async function readBuildspec(
  build: Build,
  sourceDirectory: string,
  folder: string,
  role: Client,
): Promise<ReadBuildspec> {
  const given = build.source!.buildspec || undefined;
  const inSource = given === undefined || !(isInlineBuildspec(given) || given.startsWith("arn:"));
  const path = given ?? DEFAULT_PATH;
  const buildspecLocation = inSource ? posix.join(sourceDirectory, path) : INLINE_LOCATION;
  const lines = sourceLines({ sourceDirectory, buildspecLocation });
  try {
    const content = inSource
      ? await sourceFile(folder, path)
      : isInlineBuildspec(given)
        ? given
        : await s3Buildspec(given!, role);
    if (content === undefined) {
      throw new BuildspecError(missingBuildspecMessage(buildspecLocation, given === undefined));
    }
    return { buildspec: parseBuildspec(content), lines };
  } catch (error) {
    if (error instanceof BuildspecError) throw new PhaseFailure(error.code, error.message, lines);
    throw error;
  }
}

/** undefined where the source has no such file, or only by way of something outside. */
async function sourceFile(folder: string, path: string): Promise<string | undefined> {
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, path));
    return file.startsWith(`${root}${sep}`) ? await readFile(file, "utf8") : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "ELOOP") return undefined;
    throw error;
  }
}

async function s3Buildspec(arn: string, role: Client): Promise<string> {
  const place = s3Location(arn);
  if (!place) throw new BuildspecError(`buildspec ${arn} is not the ARN of an object in Amazon S3`);
  try {
    const { Body } = await role.send(new GetObjectCommand({ Bucket: place.bucket, Key: place.key }));
    return await text(Body as Readable);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new BuildspecError(`${refusalText(error)} for buildspec ${arn}`);
  }
}
