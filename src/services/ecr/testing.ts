/** Images for tests, and a registry to push them to: over HTTP on loopback, as `docker` would. */
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  GetAuthorizationTokenCommand,
  InitiateLayerUploadCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from "@aws-sdk/client-ecr";
import type { Client } from "#gateway/client.ts";
import type { CallScope, Principal, System } from "#gateway/context.ts";
import { requestHandler } from "#gateway/handle.ts";
import type { Registry } from "#gateway/registry.ts";
import { MEDIA_TYPES } from "./manifest.ts";

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export interface TestImage {
  /** Configuration first. */
  readonly blobs: readonly Buffer[];
  readonly manifest: string;
  readonly digest: string;
  readonly mediaType: string;
}

/** An image of Docker's kind with layers of these sizes; different each time. */
export function anImage(layerSizes: readonly number[] = [1000], extra: object = {}): TestImage {
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", id: randomBytes(8).toString("hex") }),
  );
  const layers = layerSizes.map((size) => randomBytes(size));
  const mediaType = MEDIA_TYPES.dockerManifest;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: descriptor("application/vnd.docker.container.image.v1+json", config),
    layers: layers.map((layer) => descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)),
    ...extra,
  });
  return { blobs: [config, ...layers], manifest, digest: digestOf(manifest), mediaType };
}

/** A list of images that were pushed. */
export function aList(images: readonly TestImage[]): TestImage {
  const mediaType = MEDIA_TYPES.dockerList;
  const manifests = images.map(({ manifest }) => descriptor(MEDIA_TYPES.dockerManifest, Buffer.from(manifest)));
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
  return { blobs: [], manifest, digest: digestOf(manifest), mediaType };
}

function descriptor(mediaType: string, bytes: Buffer) {
  return { mediaType, size: bytes.length, digest: digestOf(bytes) };
}

export interface TestRegistry extends AsyncDisposable {
  /** "127.0.0.1:41234" */
  readonly host: string;
  /** The value of an Authorization header for `principal`. */
  basic(principal: Principal, scope: CallScope): Promise<string>;
}

export async function testRegistry(system: System & { readonly registry: Registry }): Promise<TestRegistry> {
  const server = createServer(requestHandler(system, system.registry));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async basic(principal, scope) {
      const { authorizationData } = await system.client(principal, scope).send(new GetAuthorizationTokenCommand({}));
      return `Basic ${authorizationData?.[0]?.authorizationToken}`;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The layers and then the manifest, by ECR's own operations. Returns the manifest's digest. */
export async function pushed(
  client: Client,
  repositoryName: string,
  image: TestImage,
  imageTag?: string,
): Promise<string> {
  for (const blob of image.blobs) {
    const layerDigests = [digestOf(blob)];
    const { layers } = await client.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests }));
    if (layers?.[0]?.layerAvailability === "AVAILABLE") continue;
    const { uploadId } = await client.send(new InitiateLayerUploadCommand({ repositoryName }));
    const part = { partFirstByte: 0, partLastByte: blob.length - 1, layerPartBlob: blob };
    await client.send(new UploadLayerPartCommand({ repositoryName, uploadId, ...part }));
    await client.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests }));
  }
  await client.send(new PutImageCommand({ repositoryName, imageManifest: image.manifest, imageTag }));
  return image.digest;
}
