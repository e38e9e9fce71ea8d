/** `/v2/NAME/blobs/uploads/` and `/v2/NAME/blobs/uploads/ID` */
import { Readable } from "node:stream";
import {
  CompleteLayerUploadCommand,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  LayerAlreadyExistsException,
} from "@aws-sdk/client-ecr";
import { appendPart, cancelUpload, mountLayer, receivedBytes } from "../layers.ts";
import { isDigest, registryHost } from "../model.ts";
import { findRepository } from "../store.ts";
import { RegistryError } from "./errors.ts";
import type { OciRequest } from "./oci-request.ts";

/** POST: begins an upload; mounts a blob of another repository; or takes the whole blob at once. */
export async function startUpload(request: OciRequest): Promise<void> {
  const { query } = request.target;
  if (query.has("mount") && (await mountBlob(request, query.get("mount") ?? "", query.get("from") ?? ""))) return;
  const digest = query.get("digest");
  if (digest !== null) requireDigest(digest);
  const { uploadId = "" } = await request.client.send(new InitiateLayerUploadCommand(request.input));
  if (digest === null) {
    request.answer(202, uploadHeaders(request, uploadId, 0));
    return;
  }
  await append(request, uploadId);
  await complete(request, uploadId, digest);
}

/** PATCH: the next bytes, as one stream or as a chunk that says where it belongs. */
export async function uploadChunk(request: OciRequest): Promise<void> {
  const uploadId = request.target.reference;
  const size = await append(request, uploadId, chunkRange(request));
  request.answer(202, uploadHeaders(request, uploadId, size));
}

/** PUT: the last bytes, if any, and what they must all come to. */
export async function finishUpload(request: OciRequest): Promise<void> {
  const { reference: uploadId, query } = request.target;
  const digest = query.get("digest") ?? "";
  requireDigest(digest);
  const { "content-length": length, "transfer-encoding": encoding } = request.message.headers;
  if (Number(length ?? 0) > 0 || encoding !== undefined) await append(request, uploadId, chunkRange(request));
  await complete(request, uploadId, digest);
}

/** GET: how much has arrived, for a client that goes on after a broken connection. */
export async function uploadStatus(request: OciRequest): Promise<void> {
  const uploadId = request.target.reference;
  const size = await request.perform("UploadLayerPart", (repository) =>
    receivedBytes(request.call, repository, uploadId),
  );
  request.answer(204, uploadHeaders(request, uploadId, size));
}

/** DELETE */
export async function abandonUpload(request: OciRequest): Promise<void> {
  const uploadId = request.target.reference;
  await request.perform("UploadLayerPart", (repository) => cancelUpload(request.call, repository, uploadId));
  request.answer(204);
}

interface ChunkRange {
  readonly start: number;
  readonly length: number;
}

function append(request: OciRequest, uploadId: string, range?: ChunkRange): Promise<number> {
  const body = range ? Readable.from(ofLength(request.message, range.length)) : request.message;
  return request.perform("UploadLayerPart", (repository) =>
    appendPart(request.call, repository, uploadId, body, range?.start),
  );
}

/** `Content-Range: 0-1023`, both inclusive. https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-a-blob-in-chunks */
function chunkRange({ message }: OciRequest): ChunkRange | undefined {
  const header = message.headers["content-range"];
  if (header === undefined) return undefined;
  const match = /^(?:bytes[= ])?(\d+)-(\d+)(?:\/.*)?$/.exec(header);
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || end < start) {
    throw new RegistryError(400, "BLOB_UPLOAD_INVALID", `The Content-Range '${header}' is not of the form FIRST-LAST`);
  }
  return { start, length: end - start + 1 };
}

/** Fails at the end where the bytes are not as many as announced, which makes the upload forget them again. */
async function* ofLength(source: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    yield chunk;
  }
  if (size !== length) {
    throw new RegistryError(
      400,
      "SIZE_INVALID",
      `The chunk has ${size} bytes instead of the ${length} of its Content-Range`,
    );
  }
}

async function complete(request: OciRequest, uploadId: string, digest: string): Promise<void> {
  const command = new CompleteLayerUploadCommand({ ...request.input, uploadId, layerDigests: [digest] });
  try {
    await request.client.send(command);
  } catch (error) {
    // For a client that pushes the same layer twice at a time, both have succeeded.
    if (!(error instanceof LayerAlreadyExistsException)) throw error;
  }
  answerCreated(request, digest);
}

/**
 * Whether the blob is mounted, and the request answered. Whoever may not read the other repository uploads the blob
 * like anybody else: "Users need ecr:GetDownloadUrlForLayer IAM permission on a repository to mount".
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/blob-mounting.html
 */
async function mountBlob(request: OciRequest, digest: string, from: string): Promise<boolean> {
  const { repository: target } = request.target;
  const prefix = `${registryHost(target)}/`;
  const name = from.startsWith(prefix) ? from.slice(prefix.length) : from;
  if (!isDigest(digest) || name === "") return false;
  const source = { registryId: target.accountId, repositoryName: name, layerDigest: digest };
  const readable = await request.client.send(new GetDownloadUrlForLayerCommand(source)).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && MOUNT_REFUSALS.has(error.name)) return false;
      throw error;
    },
  );
  const other = readable && (await findRepository(request.call.db, { ...target, name }));
  if (!other) return false;
  const { db, now } = request.call;
  const mounted = await request.perform("InitiateLayerUpload", (own) => mountLayer(db, other, own, digest, now));
  if (mounted) answerCreated(request, digest);
  return mounted;
}

const MOUNT_REFUSALS: ReadonlySet<string> = new Set([
  "AccessDenied",
  "InvalidParameterException",
  "LayersNotFoundException",
  "RepositoryNotFoundException",
]);

function requireDigest(digest: string): void {
  if (!isDigest(digest)) throw new RegistryError(400, "DIGEST_INVALID", `'${digest}' is not a sha256 digest`);
}

function answerCreated(request: OciRequest, digest: string): void {
  const headers = { location: `${request.target.url}/blobs/${digest}`, "docker-content-digest": digest };
  request.answer(201, headers);
}

/** An empty upload says 0-0, as Docker's own registry does, though that is one byte. */
function uploadHeaders({ target }: OciRequest, uploadId: string, size: number): Record<string, string> {
  return {
    location: `${target.url}/blobs/uploads/${uploadId}`,
    range: `0-${Math.max(size - 1, 0)}`,
    "docker-upload-uuid": uploadId,
  };
}
