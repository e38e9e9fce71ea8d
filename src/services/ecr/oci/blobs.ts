/** `/v2/NAME/blobs/DIGEST` */
import { pipeline } from "node:stream/promises";
import {
  BatchCheckLayerAvailabilityCommand,
  GetDownloadUrlForLayerCommand,
  LayersNotFoundException,
} from "@aws-sdk/client-ecr";
import type { System } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { grantsLayer } from "../credentials.ts";
import { layerNotFound } from "../errors.ts";
import { deleteLayer, isLayerUsed, layersOf } from "../layer-store.ts";
import { layerBlobs } from "../layers.ts";
import { hexOf, isDigest } from "../model.ts";
import { findRepository, type Repository } from "../store.ts";
import { RegistryError } from "./errors.ts";
import type { OciRequest, OciTarget } from "./oci-request.ts";

/** HEAD */
export async function checkBlob(request: OciRequest): Promise<void> {
  const digest = digestOf(request.target);
  const command = new BatchCheckLayerAvailabilityCommand({ ...request.input, layerDigests: [digest] });
  const { layers } = await request.client.send(command);
  const layer = layers?.[0];
  if (layer?.layerAvailability !== "AVAILABLE") throw blobUnknown(request.target);
  request.answer(200, { ...blobHeaders(digest), "content-length": String(layer.layerSize) });
}

/** GET */
export async function pullBlob(request: OciRequest): Promise<void> {
  const layerDigest = digestOf(request.target);
  try {
    await request.client.send(new GetDownloadUrlForLayerCommand({ ...request.input, layerDigest }));
  } catch (error) {
    throw error instanceof LayersNotFoundException ? blobUnknown(request.target) : error;
  }
  const repository = await findRepository(request.call.db, request.target.repository);
  if (!repository) throw blobUnknown(request.target);
  await sendBlob(request.call.system, repository, request);
}

/** GET with the token of GetDownloadUrlForLayer, which stands for the credentials. */
export async function downloadBlob(
  system: System,
  exchange: Pick<OciRequest, "message" | "response" | "target">,
): Promise<void> {
  const { target } = exchange;
  const repository = await findRepository(system.db, target.repository);
  const layer = repository && { repositoryId: repository.id, digest: digestOf(target) };
  if (!layer || !grantsLayer(system.cipher, target.query.get("token") ?? "", layer, system.clock.now())) {
    throw new RegistryError(403, "DENIED", "The download URL is not valid for this layer, or has expired");
  }
  await sendBlob(system, repository, exchange);
}

async function sendBlob(
  system: System,
  repository: Repository,
  { message, response, target }: Pick<OciRequest, "message" | "response" | "target">,
): Promise<void> {
  const digest = digestOf(target);
  const layer = (await layersOf(system.db, repository.id, [digest])).get(digest);
  if (!layer) throw blobUnknown(target);
  const range = requestedRange(message.headers.range, layer.size);
  const bytes = await layerBlobs(system).get(hexOf(digest), range);
  const headers: Record<string, string> = { ...blobHeaders(digest), "content-length": String(layer.size) };
  if (range) {
    headers["content-length"] = String(range.end - range.start + 1);
    headers["content-range"] = `bytes ${range.start}-${range.end}/${layer.size}`;
  }
  response.writeHead(range ? 206 : 200, headers);
  // A client that goes away midway is no error of ours.
  await pipeline(bytes, response).catch(() => response.destroy());
}

/**
 * DELETE. ECR has nothing like it and deletes layers with the last image that has them; what no image uses may go here.
 */
export async function deleteBlob(request: OciRequest): Promise<void> {
  const digest = digestOf(request.target);
  await request.perform("BatchDeleteImage", ({ id }) =>
    inTransaction(request.call.db, async (trx) => {
      if (!(await layersOf(trx, id, [digest])).has(digest)) throw blobUnknown(request.target);
      if (await isLayerUsed(trx, id, digest)) {
        throw new RegistryError(
          405,
          "UNSUPPORTED",
          `The layer ${digest} belongs to an image, which must be deleted first`,
        );
      }
      await deleteLayer(trx, id, digest);
    }),
  );
  request.answer(202);
}

function digestOf({ reference }: OciTarget): string {
  if (!isDigest(reference)) throw new RegistryError(400, "DIGEST_INVALID", `'${reference}' is not a sha256 digest`);
  return reference;
}

function blobUnknown({ reference, repository }: OciTarget): RegistryError {
  return new RegistryError(404, "BLOB_UNKNOWN", layerNotFound(reference, repository).message);
}

function blobHeaders(digest: string): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
  };
}

/**
 * Inclusive offsets. undefined where the whole is asked for, also with several ranges or another unit, as RFC 9110
 * (14.2) allows. Throws where nothing of the range is there.
 */
export function requestedRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [first, last] = [match[1]!, match[2]!];
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (start > end) throw new RegistryError(416, "RANGE_INVALID", `The blob has ${size} bytes`);
  return { start, end };
}
