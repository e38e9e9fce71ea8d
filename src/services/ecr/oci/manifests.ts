/** `/v2/NAME/manifests/REFERENCE` */
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  ImageAlreadyExistsException,
  type ImageFailure,
  type ImageIdentifier,
  PutImageCommand,
} from "@aws-sdk/client-ecr";
import { imageTagAlreadyExists } from "../errors.ts";
import { MAX_MANIFEST_BYTES, manifestDigest, parsedManifest } from "../manifest.ts";
import { isDigest, isImmutable, isTag } from "../model.ts";
import { findRepository } from "../store.ts";
import { RegistryError } from "./errors.ts";
import type { OciRequest } from "./oci-request.ts";

/** GET and HEAD. */
export async function pullManifest(request: OciRequest): Promise<void> {
  const imageIds = [imageIdOf(request)];
  const { images, failures } = await request.client.send(new BatchGetImageCommand({ ...request.input, imageIds }));
  const image = images?.[0];
  if (!image) throw manifestUnknown(failures?.[0]);
  const digest = image.imageId?.imageDigest ?? "";
  const manifest = image.imageManifest ?? "";
  request.answer(
    200,
    {
      "content-type": image.imageManifestMediaType ?? "",
      "content-length": String(Buffer.byteLength(manifest)),
      "docker-content-digest": digest,
      etag: `"${digest}"`,
    },
    manifest,
  );
}

/** PUT */
export async function pushManifest(request: OciRequest): Promise<void> {
  const imageId = imageIdOf(request);
  const imageManifest = await manifestText(request);
  const imageManifestMediaType = request.message.headers["content-type"]?.split(";")[0]?.trim() || undefined;
  try {
    await request.client.send(
      new PutImageCommand({ ...request.input, ...imageId, imageManifest, imageManifestMediaType }),
    );
  } catch (error) {
    if (!(error instanceof ImageAlreadyExistsException)) throw error;
    await requireRepeatable(request, imageId.imageTag);
  }
  const digest = manifestDigest(imageManifest);
  const { subject } = parsedManifest(imageManifest, imageManifestMediaType);
  request.answer(201, {
    location: `${request.target.url}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject !== undefined && { "oci-subject": subject }),
  });
}

/**
 * Pushing what is there already succeeds, except to an immutable tag (moby/buildkit#3776).
 */
async function requireRepeatable({ call, target: { repository } }: OciRequest, tag: string | undefined): Promise<void> {
  const found = await findRepository(call.db, repository);
  if (found && tag !== undefined && isImmutable(tag, found.tagMutability)) throw imageTagAlreadyExists(tag, found);
}

/** DELETE. As BatchDeleteImage: an image goes with its last tag. */
export async function deleteManifest(request: OciRequest): Promise<void> {
  const imageIds = [imageIdOf(request)];
  const { failures } = await request.client.send(new BatchDeleteImageCommand({ ...request.input, imageIds }));
  const failure = failures?.[0];
  if (failure?.failureCode === "ImageReferencedByManifestList") {
    throw new RegistryError(405, "UNSUPPORTED", failure.failureReason ?? "");
  }
  if (failure) throw manifestUnknown(failure);
  request.answer(202);
}

function imageIdOf({ target: { reference } }: OciRequest): ImageIdentifier {
  if (isDigest(reference)) return { imageDigest: reference };
  if (isTag(reference)) return { imageTag: reference };
  if (reference.includes(":")) throw new RegistryError(400, "DIGEST_INVALID", `'${reference}' is not a sha256 digest`);
  throw new RegistryError(400, "TAG_INVALID", `'${reference}' is not a tag`);
}

function manifestUnknown(failure: ImageFailure | undefined): RegistryError {
  return new RegistryError(404, "MANIFEST_UNKNOWN", failure?.failureReason ?? "Requested image not found");
}

/** Byte for byte: the digest is of the bytes, and text that does not survive the way to text and back is refused. */
async function manifestText({ message }: OciRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MANIFEST_BYTES) {
      throw new RegistryError(413, "SIZE_INVALID", `A manifest can have at most ${MAX_MANIFEST_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  if (size === 0) throw new RegistryError(400, "MANIFEST_INVALID", "The manifest is empty");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new RegistryError(400, "MANIFEST_INVALID", "The manifest is not UTF-8");
  }
}
