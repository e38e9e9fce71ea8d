/** A build's sources: fetched into a temporary folder of this machine, whatever they come from. */
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ProjectSource } from "@aws-sdk/client-codebuild";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { Client } from "#gateway/client.ts";
import type { System } from "#gateway/context.ts";
import { GitError } from "#git/git.ts";
import { Checkout, type Remote, repositoryIdOf, repositoryUrl, resolveVersion } from "#git/repository.ts";
import { temporaryFolder } from "#store/temporary-folder.ts";
import { GIT_PROVIDERS, s3Location } from "../project-rules.ts";
import { sourceToken } from "../source-token.ts";
import { connectedRemote } from "./connection-source.ts";
import { isRefusal, PhaseFailure, refusalText } from "./phase-failure.ts";
import { unzip, ZipError } from "./unzip.ts";

export interface FetchedSource extends AsyncDisposable {
  readonly folder: string;
  /** The commit; undefined where there is none. */
  readonly resolvedVersion: string | undefined;
}

export interface SourceRequest {
  readonly source: ProjectSource;
  /** undefined: the latest. */
  readonly version: string | undefined;
  /** As the agent's messages call it: "primary source", "source frontend". */
  readonly label: string;
}

/** `role` acts for the build's service role. Throws PhaseFailure where the user's source cannot be had. */
export async function fetchSource(
  system: System,
  role: Client,
  request: SourceRequest,
  signal: AbortSignal,
): Promise<FetchedSource> {
  try {
    const type = request.source.type!;
    if (type in GIT_PROVIDERS) return await clonedSource(system, role, request, signal);
    if (type === "S3") return await s3Source(system, role, request);
    return await temporarySource(system, async () => {});
  } catch (error) {
    const isOurs = error instanceof GitError || error instanceof ZipError;
    if (!isOurs && !isRefusal(error)) throw error;
    const reason = isOurs ? error.message : refusalText(error);
    const version = request.version ?? s3Arn(request.source);
    const wanted = version === undefined ? "" : ` and source version ${version}`;
    throw new PhaseFailure("CLIENT_ERROR", `${reason} for ${request.label}${wanted}`);
  }
}

async function clonedSource(
  system: System,
  role: Client,
  { source, version }: SourceRequest,
  signal: AbortSignal,
): Promise<FetchedSource> {
  const provider = GIT_PROVIDERS[source.type!]!;
  const id = repositoryIdOf(source.location!, provider);
  const remote = (await connectedRemote(system, role, source, id)) ?? (await plainRemote(system, role, source, id));
  const commit = await resolveVersion(remote, version ?? "");
  if (commit === undefined) throw new GitError("reference not found");
  const checkout = await Checkout.fetch(remote, commit, {
    folder: await temporaryFolder(system.config.dataDir, "source"),
    depth: source.gitCloneDepth ?? 0,
    submodules: source.gitSubmodulesConfig?.fetchSubmodules ?? false,
    workTree: true,
    originUrl: source.location!,
    signal,
  });
  return {
    folder: checkout.folder,
    resolvedVersion: commit,
    [Symbol.asyncDispose]: () => checkout[Symbol.asyncDispose](),
  };
}

/** With the token that was imported for the provider, where one was. */
async function plainRemote(
  system: System,
  role: Client,
  { type, location }: ProjectSource,
  id: string | undefined,
): Promise<Remote> {
  const provider = GIT_PROVIDERS[type!]!;
  const token = await sourceToken(system, role.scope, type!);
  return {
    url: id === undefined ? location! : repositoryUrl(provider, id, system.config.providerEndpoints[provider]),
    ...(token !== undefined && { token }),
  };
}

/** A zip of the source, or all objects below a folder; CodePipeline's artifacts are the former. */
async function s3Source(system: System, role: Client, { source, version }: SourceRequest): Promise<FetchedSource> {
  const { bucket, key } = s3Location(source.location)!;
  if (key.endsWith("/")) return temporarySource(system, (folder) => downloadFolder(role, bucket, key, folder));
  return temporarySource(system, async (folder) => {
    const archive = `${folder}.zip`;
    try {
      await download(role, bucket, key, version, archive);
      await unzip(archive, folder);
    } finally {
      await rm(archive, { force: true });
    }
  });
}

async function downloadFolder(role: Client, bucket: string, prefix: string, folder: string): Promise<void> {
  let token: string | undefined;
  do {
    const page = await role.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(token !== undefined && { ContinuationToken: token }),
      }),
    );
    for (const { Key: key = "" } of page.Contents ?? []) {
      const name = posix.normalize(key.slice(prefix.length));
      if (name === "." || name.endsWith("/")) continue;
      if (name.startsWith("../") || name.startsWith("/"))
        throw new ZipError(`${key} would lie outside the source folder`);
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await download(role, bucket, key, undefined, path);
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

async function download(
  role: Client,
  bucket: string,
  key: string,
  versionId: string | undefined,
  path: string,
): Promise<void> {
  const { Body } = await role.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) }),
  );
  await pipeline(Body as Readable, createWriteStream(path));
}

async function temporarySource(system: System, fill: (folder: string) => Promise<void>): Promise<FetchedSource> {
  const folder = await temporaryFolder(system.config.dataDir, "source");
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    await fill(folder);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { folder, resolvedVersion: undefined, [Symbol.asyncDispose]: dispose };
}

function s3Arn(source: ProjectSource): string | undefined {
  const place = source.type === "S3" ? s3Location(source.location) : undefined;
  return place && `arn:aws:s3:::${place.bucket}/${place.key}`;
}
