import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  UploadLayerPartCommand,
} from "@aws-sdk/client-ecr";
import { ACCOUNT, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "../index.ts";
import { layerBlobs } from "../layers.ts";
import { hexOf } from "../model.ts";
import { digestOf } from "../testing.ts";

const repositoryName = "app";

async function withUpload(): Promise<{ system: TestSystem; uploadId: string }> {
  const system = await testSystem({ services: [ecr] });
  await system.root.send(new CreateRepositoryCommand({ repositoryName }));
  const { uploadId = "" } = await system.root.send(new InitiateLayerUploadCommand({ repositoryName }));
  return { system, uploadId };
}

function part(uploadId: string, layerPartBlob: Uint8Array, partFirstByte: number): UploadLayerPartCommand {
  const partLastByte = partFirstByte + layerPartBlob.length - 1;
  return new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte, partLastByte, layerPartBlob });
}

test("a layer in parts becomes available", async () => {
  const { system, uploadId } = await withUpload();
  await using _ = system;
  const layer = randomBytes(3000);
  const digest = digestOf(layer);
  assert.equal((await system.root.send(part(uploadId, layer.subarray(0, 1000), 0))).lastByteReceived, 999);
  assert.equal((await system.root.send(part(uploadId, layer.subarray(1000), 1000))).lastByteReceived, 2999);
  const complete = new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] });
  assert.equal((await system.root.send(complete)).layerDigest, digest);
  const missing = `sha256:${"1".repeat(64)}`;
  const layerDigests = [digest, missing, "rubbish"];
  const { layers, failures } = await system.root.send(
    new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests }),
  );
  assert.deepEqual(
    layers?.map(({ layerDigest, layerAvailability, layerSize }) => ({ layerDigest, layerAvailability, layerSize })),
    [
      { layerDigest: digest, layerAvailability: "AVAILABLE", layerSize: 3000 },
      { layerDigest: missing, layerAvailability: "UNAVAILABLE", layerSize: undefined },
    ],
  );
  assert.deepEqual(
    failures?.map(({ layerDigest, failureCode }) => ({ layerDigest, failureCode })),
    [{ layerDigest: "rubbish", failureCode: "InvalidLayerDigest" }],
  );
  await assert.rejects(system.root.send(complete), {
    name: "UploadNotFoundException",
    message: `The upload with id '${uploadId}' does not exist in the repository with name 'app' in registry with id '${ACCOUNT}'`,
  });
});

test("a part must begin where the last one ended, and have the bytes it says", async () => {
  const { system, uploadId } = await withUpload();
  await using _ = system;
  await system.root.send(part(uploadId, randomBytes(100), 0));
  await assert.rejects(system.root.send(part(uploadId, randomBytes(100), 50)), {
    name: "InvalidLayerPartException",
    message: "First byte of the layer part is 50 instead of 100",
    lastValidByteReceived: 99,
  });
  const tooShort = { repositoryName, uploadId, partFirstByte: 100, partLastByte: 299, layerPartBlob: randomBytes(100) };
  await assert.rejects(system.root.send(new UploadLayerPartCommand(tooShort)), { name: "InvalidLayerPartException" });
  assert.equal((await system.root.send(part(uploadId, randomBytes(1), 100))).lastByteReceived, 100);
});

test("content of another digest is refused, and not kept", async () => {
  const { system, uploadId } = await withUpload();
  await using _ = system;
  const layer = randomBytes(100);
  await system.root.send(part(uploadId, layer, 0));
  const layerDigests = [`sha256:${"2".repeat(64)}`];
  await assert.rejects(system.root.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests })), {
    name: "InvalidLayerException",
    message: "None of the provided layer digests match the calculated layer digest",
  });
  assert.equal(await layerBlobs(system).has(hexOf(digestOf(layer))), false);
  assert.equal(await layerBlobs(system).uploadSize(uploadId), undefined);
});

test("an upload without a part, and one that nobody began", async () => {
  const { system, uploadId } = await withUpload();
  await using _ = system;
  const layerDigests = [`sha256:${"2".repeat(64)}`];
  await assert.rejects(system.root.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests })), {
    name: "EmptyUploadException",
    message: `The upload with id '${uploadId}' in the repository with name 'app' in registry with id '${ACCOUNT}' cannot be completed because it does not have any parts.`,
  });
  const unknown = "00000000-0000-0000-0000-000000000000";
  await assert.rejects(system.root.send(part(unknown, randomBytes(1), 0)), { name: "UploadNotFoundException" });
});

test("an upload belongs to its repository", async () => {
  const { system, uploadId } = await withUpload();
  await using _ = system;
  await system.root.send(new CreateRepositoryCommand({ repositoryName: "other" }));
  const foreign = {
    repositoryName: "other",
    uploadId,
    partFirstByte: 0,
    partLastByte: 0,
    layerPartBlob: randomBytes(1),
  };
  await assert.rejects(system.root.send(new UploadLayerPartCommand(foreign)), { name: "UploadNotFoundException" });
});

test("GetDownloadUrlForLayer of a layer that is not there", async () => {
  const { system } = await withUpload();
  await using _ = system;
  const layerDigest = `sha256:${"3".repeat(64)}`;
  await assert.rejects(system.root.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest })), {
    name: "LayersNotFoundException",
    message: `The layer with digest '${layerDigest}' does not exist within the repository with name 'app' in the registry with id '${ACCOUNT}'`,
  });
});
