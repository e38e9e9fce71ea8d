import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  InitiateLayerUploadCommand,
  UploadLayerPartCommand,
} from "@aws-sdk/client-ecr";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "./index.ts";
import { layerBlobs } from "./layers.ts";
import { hexOf } from "./model.ts";
import { sweep } from "./runner.ts";
import { anImage, digestOf, pushed, type TestImage } from "./testing.ts";

const START = new Date("2024-05-01T00:00:00Z");

async function withRepositories(...names: string[]): Promise<TestSystem> {
  const system = await testSystem({ services: [ecr], work: false });
  system.setNow(START);
  for (const repositoryName of names) await system.root.send(new CreateRepositoryCommand({ repositoryName }));
  return system;
}

function later(system: TestSystem, hours: number): Promise<void> {
  system.setNow(new Date(START.getTime() + hours * 3_600_000));
  return sweep(system);
}

async function blobsThere(system: TestSystem, image: TestImage): Promise<boolean[]> {
  return Promise.all(image.blobs.map((blob) => layerBlobs(system).has(hexOf(digestOf(blob)))));
}

test("bytes go when the last repository that refers to them is gone", async () => {
  await using system = await withRepositories("one", "two");
  const image = anImage();
  await pushed(system.root, "one", image, "v1");
  await pushed(system.root, "two", image, "v1");
  await system.root.send(new DeleteRepositoryCommand({ repositoryName: "one", force: true }));
  await later(system, 48);
  assert.deepEqual(await blobsThere(system, image), [true, true]);
  await system.root.send(new DeleteRepositoryCommand({ repositoryName: "two", force: true }));
  await later(system, 48);
  assert.deepEqual(await blobsThere(system, image), [false, false]);
});

test("bytes that are also an S3 object's stay its own", async () => {
  await using system = await withRepositories("one");
  const image = anImage();
  await pushed(system.root, "one", image, "v1");
  const { sha256 } = await system.blobs.put(image.blobs[0]!);
  await system.root.send(new DeleteRepositoryCommand({ repositoryName: "one", force: true }));
  await later(system, 48);
  assert.equal(await system.blobs.has(sha256), true);
});

test("layers of a deleted image go after a day, those that another image has stay", async () => {
  await using system = await withRepositories("one");
  const first = anImage();
  const second = anImage([], { layers: JSON.parse(first.manifest).layers });
  await pushed(system.root, "one", first, "v1");
  await pushed(system.root, "one", second, "v2");
  await system.root.send(new BatchDeleteImageCommand({ repositoryName: "one", imageIds: [{ imageTag: "v1" }] }));
  await later(system, 23);
  assert.deepEqual(await blobsThere(system, first), [true, true], "a push under way may count on them");
  await later(system, 26);
  const [config, layer] = await blobsThere(system, first);
  assert.deepEqual({ config, layer }, { config: false, layer: true });
});

test("uploads that were given up go after a day", async () => {
  await using system = await withRepositories("one");
  const { uploadId = "" } = await system.root.send(new InitiateLayerUploadCommand({ repositoryName: "one" }));
  const send = (partFirstByte: number) => {
    const part = { partFirstByte, partLastByte: partFirstByte + 99, layerPartBlob: randomBytes(100) };
    return system.root.send(new UploadLayerPartCommand({ repositoryName: "one", uploadId, ...part }));
  };
  await send(0);
  await later(system, 23);
  await send(100);
  await later(system, 46);
  assert.equal(await layerBlobs(system).uploadSize(uploadId), 200, "it was touched less than a day ago");
  await later(system, 48);
  assert.equal(await layerBlobs(system).uploadSize(uploadId), undefined);
  await assert.rejects(send(200), { name: "UploadNotFoundException" });
});
