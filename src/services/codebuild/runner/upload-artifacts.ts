/**
 * UPLOAD_ARTIFACTS: what the buildspec's artifacts section names, out of the container that has exited, into S3 as the
 * build's role.
 * https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html
 */
import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import type { BuildArtifacts, ProjectArtifacts } from "@aws-sdk/client-codebuild";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Client } from "#gateway/client.ts";
import { artifactFiles, listedEntries, zipArchive } from "../buildspec/artifact-archive.ts";
import { type ArtifactEntry, ArtifactError, expandedArtifacts, selectArtifacts } from "../buildspec/artifacts.ts";
import type { BuildspecArtifact } from "../buildspec/buildspec.ts";
import { artifactKey } from "../new-build.ts";
import { CONTAINER } from "./build-container.ts";
import { isRefusal, PhaseFailure, refusalText } from "./phase-failure.ts";
import type { RunningBuild } from "./running-build.ts";

export interface UploadedArtifacts {
  readonly artifacts: BuildArtifacts;
  readonly secondaryArtifacts: BuildArtifacts[];
  /** The agent's lines. */
  readonly lines: readonly string[];
}

/** Nothing to do where the project keeps no artifacts. */
export function hasArtifacts({ run }: RunningBuild): boolean {
  return run.artifactSettings.some(({ type }) => type === "S3");
}

/** Throws PhaseFailure. May be repeated: the same objects are written again. */
export async function uploadArtifacts(running: RunningBuild, role: Client): Promise<UploadedArtifacts> {
  const { build, run } = running;
  const lines: string[] = [];
  const section = run.artifacts && expandedArtifacts(run.artifacts, new Map(Object.entries(run.expansions)));
  const entries = await listedEntries(await sourceTar(running));
  const [primary, ...secondary] = run.artifactSettings;
  const upload = async (settings: ProjectArtifacts | undefined, shown: BuildArtifacts, part?: BuildspecArtifact) => {
    if (settings?.type !== "S3") return shown;
    if (!part) {
      const which = settings.artifactIdentifier ? `secondary artifact ${settings.artifactIdentifier}` : "base artifact";
      throw new PhaseFailure("CLIENT_ERROR", `no definition for ${which} in buildspec`, lines);
    }
    return { ...shown, ...(await uploadOne(running, role, settings, part, entries, lines)) };
  };
  const artifacts = await upload(primary, build.artifacts ?? {}, section);
  const secondaryArtifacts: BuildArtifacts[] = [];
  for (const [index, settings] of secondary.entries()) {
    const part = section?.secondaryArtifacts[settings.artifactIdentifier!];
    secondaryArtifacts.push(await upload(settings, build.secondaryArtifacts![index] ?? {}, part));
  }
  return { artifacts, secondaryArtifacts, lines };
}

async function uploadOne(
  running: RunningBuild,
  role: Client,
  settings: ProjectArtifacts,
  part: BuildspecArtifact,
  entries: readonly ArtifactEntry[],
  lines: string[],
): Promise<Partial<BuildArtifacts>> {
  const bucket = settings.location!.replace(/^arn:aws:s3:::/, "");
  const key = artifactKey(settings, running.build.id!, settings.overrideArtifactName ? part.name : undefined);
  const location = `arn:aws:s3:::${[bucket, key].filter(Boolean).join("/")}`;
  try {
    const selection = selectArtifacts(entries, part, running.run.sourceDirectory);
    lines.push(...selection.log);
    const tar = await sourceTar(running);
    const put = (name: string, body: Readable) =>
      role.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: body, ...encryption(running, settings) }));
    if (settings.packaging === "ZIP") {
      const { stream, sums } = summed();
      zipArchive(tar, selection)
        .on("error", (error) => stream.destroy(error))
        .pipe(stream);
      await put(key, stream);
      return { location, ...sums() };
    }
    for await (const file of artifactFiles(tar, selection)) {
      if (file.symlink === undefined)
        await put([key, file.name].filter(Boolean).join("/"), Readable.from(file.content));
    }
    return { location };
  } catch (error) {
    if (error instanceof ArtifactError) throw new PhaseFailure(error.code, error.message, [...lines, ...error.log]);
    if (isRefusal(error)) throw new PhaseFailure("CLIENT_ERROR", refusalText(error), lines);
    throw error;
  }
}

async function sourceTar({ system, groupId, run }: RunningBuild) {
  return system.engine.copyOut(groupId, CONTAINER, run.sourceDirectory);
}

/** Artifacts are encrypted with the build's key; AWS's own key for S3 is what a bucket uses by itself. */
function encryption({ build }: RunningBuild, settings: ProjectArtifacts) {
  const key = build.encryptionKey!;
  if (settings.encryptionDisabled || key.endsWith(":alias/aws/s3")) return {};
  return { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: key };
}

/** A stream that passes everything on, and the hashes of what has passed. */
function summed() {
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sha256.update(chunk);
      md5.update(chunk);
      done(null, chunk);
    },
  });
  return { stream, sums: () => ({ sha256sum: sha256.digest("hex"), md5sum: md5.digest("hex") }) };
}
