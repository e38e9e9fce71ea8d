/** The operations behind `docker push` and `docker pull` of layers. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { onRepository, requireRepository } from "../authorization.ts";
import { sealLayerAccess } from "../credentials.ts";
import { invalidLayerPart, invalidParameter, layerAlreadyExists, layerNotFound } from "../errors.ts";
import { layersOf, touchLayers } from "../layer-store.ts";
import { appendPart, completeUpload, receivedBytes, startUpload } from "../layers.ts";
import { isDigest, registryHost } from "../model.ts";
import type { Repository } from "../store.ts";
import { identity } from "./repositories.ts";

/** What ECR advises; its own parts are between 5 and 20 MiB. */
const PART_SIZE = 10 * 1024 * 1024;
/** Until a manifest names a layer nobody has said what it is; of the two that ECR answers, this is Docker's. */
const LAYER_MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip";

export const BatchCheckLayerAvailability: OperationOf<sdk.BatchCheckLayerAvailabilityCommand> = {
  authorize: onRepository("BatchCheckLayerAvailability"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    const digests = [...new Set(input.layerDigests)];
    const found = await layersOf(call.db, repository.id, digests.filter(isDigest));
    await touchLayers(call.db, repository.id, [...found.keys()], call.now);
    const layers: sdk.Layer[] = [];
    const failures: sdk.LayerFailure[] = [];
    for (const layerDigest of digests) {
      const layer = found.get(layerDigest);
      if (layer) {
        layers.push({
          layerDigest,
          layerAvailability: "AVAILABLE",
          layerSize: layer.size,
          mediaType: LAYER_MEDIA_TYPE,
        });
      } else if (isDigest(layerDigest)) {
        layers.push({ layerDigest, layerAvailability: "UNAVAILABLE" });
      } else {
        const failureReason = `Invalid request parameters: layer digest '${layerDigest}' is not a sha256 digest`;
        failures.push({ layerDigest, failureCode: "InvalidLayerDigest", failureReason });
      }
    }
    return { layers, failures };
  },
};

export const InitiateLayerUpload: OperationOf<sdk.InitiateLayerUploadCommand> = {
  authorize: onRepository("InitiateLayerUpload"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    return { uploadId: await startUpload(call, repository), partSize: PART_SIZE };
  },
};

export const UploadLayerPart: OperationOf<sdk.UploadLayerPartCommand> = {
  authorize: onRepository("UploadLayerPart"),
  async run({ uploadId = "", layerPartBlob, partFirstByte = 0, partLastByte = 0, ...input }, call) {
    const repository = await requireRepository(input, call);
    const part = layerPartBlob ?? new Uint8Array();
    const announced = partLastByte - partFirstByte + 1;
    if (announced !== part.length) {
      const received = await receivedBytes(call, repository, uploadId);
      const sentence = `The layer part has ${part.length} bytes instead of the ${announced} from ${partFirstByte} to ${partLastByte}`;
      throw invalidLayerPart(uploadId, received, repository, sentence);
    }
    const size = await appendPart(call, repository, uploadId, part, partFirstByte);
    return { ...identity(repository), uploadId, lastByteReceived: size - 1 };
  },
};

export const CompleteLayerUpload: OperationOf<sdk.CompleteLayerUploadCommand> = {
  authorize: onRepository("CompleteLayerUpload"),
  async run({ uploadId = "", layerDigests, ...input }, call) {
    const [layerDigest = ""] = layerDigests ?? [];
    if (!isDigest(layerDigest)) throw invalidParameter("layerDigests", "must contain a sha256 digest");
    const repository = await requireRepository(input, call);
    const known = (await layersOf(call.db, repository.id, [layerDigest])).has(layerDigest);
    await completeUpload(call, repository, uploadId, layerDigest);
    if (known) throw layerAlreadyExists(layerDigest, repository);
    return { ...identity(repository), uploadId, layerDigest };
  },
};

export const GetDownloadUrlForLayer: OperationOf<sdk.GetDownloadUrlForLayerCommand> = {
  authorize: onRepository("GetDownloadUrlForLayer"),
  async run({ layerDigest = "", ...input }, call) {
    const repository = await requireRepository(input, call);
    const layer = (await layersOf(call.db, repository.id, [layerDigest])).get(layerDigest);
    if (!layer) throw layerNotFound(layerDigest, repository);
    return { downloadUrl: downloadUrl(call, repository, layerDigest), layerDigest };
  },
};

/** Good for an hour for whoever has it, like S3's, at the address by which the caller reached this process. */
function downloadUrl({ system, http, secureTransport, now }: Call, repository: Repository, digest: string): string {
  const host = http?.host ?? `127.0.0.1:${system.config.port}`;
  const byName = host.endsWith(".amazonaws.com");
  const scheme = http && secureTransport ? "https" : "http";
  const registry = registryHost(repository);
  const base = byName ? `https://${registry}/v2` : `${scheme}://${host}/v2/${registry}`;
  const token = sealLayerAccess(system.cipher, { repositoryId: repository.id, digest }, now);
  return `${base}/${repository.name}/blobs/${digest}?token=${token}`;
}
