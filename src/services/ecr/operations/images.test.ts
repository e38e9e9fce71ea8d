import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  type ImageTagMutability,
  ListImageReferrersCommand,
  ListImagesCommand,
  PutImageCommand,
} from "@aws-sdk/client-ecr";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "../index.ts";
import { aList, anImage, digestOf, pushed } from "../testing.ts";

const repositoryName = "app";

async function withRepository(imageTagMutability: ImageTagMutability = "MUTABLE"): Promise<TestSystem> {
  const system = await testSystem({ services: [ecr] });
  await system.root.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability }));
  return system;
}

test("an image is described with its tags, its size and its times", async () => {
  await using system = await withRepository();
  system.setNow(new Date("2024-05-01T10:00:00Z"));
  const image = anImage([1000, 2500]);
  await pushed(system.root, repositoryName, image, "v1");
  await system.root.send(new PutImageCommand({ repositoryName, imageManifest: image.manifest, imageTag: "latest" }));
  system.setNow(new Date("2024-05-02T10:00:00Z"));
  await system.root.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "v1" }] }));
  const { imageDetails } = await system.root.send(new DescribeImagesCommand({ repositoryName }));
  assert.deepEqual(imageDetails, [
    {
      registryId: ACCOUNT,
      repositoryName,
      imageDigest: image.digest,
      imageTags: ["latest", "v1"],
      imageSizeInBytes: 3500 + image.blobs[0]!.length,
      imagePushedAt: new Date("2024-05-01T10:00:00Z"),
      imageManifestMediaType: image.mediaType,
      artifactMediaType: "application/vnd.docker.container.image.v1+json",
      lastRecordedPullTime: new Date("2024-05-02T10:00:00Z"),
      subjectManifestDigest: undefined,
      imageStatus: "ACTIVE",
    },
  ]);
});

test("BatchGetImage answers the manifest as it was pushed, and what it did not find", async () => {
  await using system = await withRepository();
  const image = anImage();
  await pushed(system.root, repositoryName, image, "v1");
  const other = `sha256:${"0".repeat(64)}`;
  const { images, failures } = await system.root.send(
    new BatchGetImageCommand({
      repositoryName,
      imageIds: [
        { imageTag: "v1" },
        { imageTag: "v2" },
        {},
        { imageDigest: "md5:1" },
        { imageDigest: other, imageTag: "v1" },
      ],
    }),
  );
  assert.deepEqual(images, [
    {
      registryId: ACCOUNT,
      repositoryName,
      imageId: { imageDigest: image.digest, imageTag: "v1" },
      imageManifest: image.manifest,
      imageManifestMediaType: image.mediaType,
    },
  ]);
  assert.deepEqual(
    failures?.map(({ failureCode }) => failureCode),
    ["ImageNotFound", "MissingDigestAndTag", "InvalidImageDigest", "ImageTagDoesNotMatchDigest"],
  );
  assert.equal(failures?.[0]?.failureReason, "Requested image not found");
});

test("PutImage refuses manifests whose layers or images are missing", async () => {
  await using system = await withRepository();
  const image = anImage();
  const digests = image.blobs.map((blob) => digestOf(blob)).join(", ");
  await assert.rejects(
    system.root.send(new PutImageCommand({ repositoryName, imageManifest: image.manifest, imageTag: "v1" })),
    {
      name: "LayersNotFoundException",
      message: `Layers with digests '[${digests}]' required for pushing image into repository with name 'app' in the registry with id '${ACCOUNT}' do not exist`,
    },
  );
  const list = aList([image]);
  await assert.rejects(system.root.send(new PutImageCommand({ repositoryName, imageManifest: list.manifest })), {
    name: "ReferencedImagesNotFoundException",
    message: `Images with digests '[${image.digest}]' required for pushing image into repository with name 'app' in the registry with id '${ACCOUNT}' do not exist`,
  });
  assert.deepEqual((await system.root.send(new ListImagesCommand({ repositoryName }))).imageIds, []);
});

test("PutImage refuses what is no manifest", async () => {
  await using system = await withRepository();
  const bad = {
    "{": "Invalid JSON syntax",
    "[]": "Invalid JSON syntax",
    '{"schemaVersion":1}': "'schemaVersion' must be 2; push the image with a current client",
    '{"schemaVersion":2,"config":{"digest":"x"},"layers":[]}': "'config' must have a sha256 'digest'",
  };
  for (const [imageManifest, constraint] of Object.entries(bad)) {
    await assert.rejects(system.root.send(new PutImageCommand({ repositoryName, imageManifest })), {
      name: "InvalidParameterException",
      message: `Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${constraint}'`,
    });
  }
});

test("a mutable tag moves and leaves its old image untagged; the same push twice is refused", async () => {
  await using system = await withRepository();
  const [first, second] = [anImage(), anImage()];
  await pushed(system.root, repositoryName, first, "v1");
  await assert.rejects(pushed(system.root, repositoryName, first, "v1"), {
    name: "ImageAlreadyExistsException",
    message: `Image with digest '${first.digest}' and tag 'v1' already exists in the repository with name 'app' in registry with id '${ACCOUNT}'`,
  });
  await pushed(system.root, repositoryName, second, "v1");
  const list = (tagStatus: "TAGGED" | "UNTAGGED") =>
    system.root.send(new ListImagesCommand({ repositoryName, filter: { tagStatus } }));
  assert.deepEqual((await list("TAGGED")).imageIds, [{ imageDigest: second.digest, imageTag: "v1" }]);
  assert.deepEqual((await list("UNTAGGED")).imageIds, [{ imageDigest: first.digest }]);
});

test("an immutable tag stays where it is", async () => {
  await using system = await withRepository("IMMUTABLE");
  const first = anImage();
  await pushed(system.root, repositoryName, first, "v1");
  await assert.rejects(pushed(system.root, repositoryName, anImage(), "v1"), {
    name: "ImageTagAlreadyExistsException",
    message:
      "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.",
  });
  const { images } = await system.root.send(
    new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "v1" }] }),
  );
  assert.equal(images?.[0]?.imageId?.imageDigest, first.digest);
});

test("BatchDeleteImage: a tag, the last tag with its image, all tags by digest", async () => {
  await using system = await withRepository();
  const image = anImage();
  const imageDigest = await pushed(system.root, repositoryName, image, "v1");
  for (const imageTag of ["v2", "v3"]) {
    await system.root.send(new PutImageCommand({ repositoryName, imageManifest: image.manifest, imageTag }));
  }
  const remove = (imageId: object) =>
    system.root.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [imageId] }));
  assert.deepEqual((await remove({ imageTag: "v1" })).imageIds, [{ imageDigest, imageTag: "v1" }]);
  assert.deepEqual((await remove({ imageDigest })).imageIds, [
    { imageDigest, imageTag: "v2" },
    { imageDigest, imageTag: "v3" },
  ]);
  assert.equal((await remove({ imageDigest })).failures?.[0]?.failureCode, "ImageNotFound");
  await pushed(system.root, repositoryName, image, "v1");
  await remove({ imageTag: "v1" });
  assert.deepEqual((await system.root.send(new ListImagesCommand({ repositoryName }))).imageIds, []);
});

test("an image of a manifest list stays until the list is gone", async () => {
  await using system = await withRepository();
  const images = [anImage([1000]), anImage([3000])];
  for (const image of images) await pushed(system.root, repositoryName, image);
  const list = aList(images);
  await pushed(system.root, repositoryName, list, "multi");
  const { imageDetails } = await system.root.send(
    new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "multi" }] }),
  );
  assert.equal(imageDetails?.[0]?.imageSizeInBytes, 3000 + images[1]!.blobs[0]!.length);
  const remove = (imageDigest: string) =>
    system.root.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest }] }));
  const { failures } = await remove(images[0]!.digest);
  assert.equal(failures?.[0]?.failureCode, "ImageReferencedByManifestList");
  assert.equal(failures?.[0]?.failureReason, `Requested image referenced by manifest list: [${list.digest}]`);
  await remove(list.digest);
  assert.deepEqual((await remove(images[0]!.digest)).failures, []);
});

test("lists page without gap or repeat", async () => {
  await using system = await withRepository();
  const all = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const image = anImage();
    await pushed(system.root, repositoryName, image, `a${i}`);
    await system.root.send(new PutImageCommand({ repositoryName, imageManifest: image.manifest, imageTag: `b${i}` }));
    all.add(`a${i}`).add(`b${i}`);
  }
  const seen: (string | undefined)[] = [];
  let nextToken: string | undefined;
  do {
    const found = await system.root.send(new ListImagesCommand({ repositoryName, maxResults: 3, nextToken }));
    seen.push(...(found.imageIds ?? []).map(({ imageTag }) => imageTag));
    nextToken = found.nextToken;
  } while (nextToken);
  assert.deepEqual([...seen].sort(), [...all].sort());
  const described = await system.root.send(new DescribeImagesCommand({ repositoryName, maxResults: 4 }));
  assert.equal(described.imageDetails?.length, 4);
  const rest = await system.root.send(new DescribeImagesCommand({ repositoryName, nextToken: described.nextToken }));
  assert.equal(rest.imageDetails?.length, 1);
  assert.equal(rest.nextToken, undefined);
});

test("DescribeImages of an image that is not there", async () => {
  await using system = await withRepository();
  await assert.rejects(
    system.root.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "none" }] })),
    {
      name: "ImageNotFoundException",
      message: `The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the repository with name 'app' in the registry with id '${ACCOUNT}'`,
    },
  );
});

test("referrers are found by their subject and type", async () => {
  await using system = await withRepository();
  const image = anImage();
  await pushed(system.root, repositoryName, image, "v1");
  const subject = { mediaType: image.mediaType, size: image.manifest.length, digest: image.digest };
  const signature = anImage([10], { subject, artifactType: "application/x-signature", annotations: { by: "me" } });
  await pushed(system.root, repositoryName, signature);
  const list = (artifactTypes: string[]) =>
    system.root.send(
      new ListImageReferrersCommand({
        repositoryName,
        subjectId: { imageDigest: image.digest },
        filter: { artifactTypes },
      }),
    );
  const { referrers } = await list(["application/x-signature"]);
  assert.deepEqual(referrers, [
    {
      digest: signature.digest,
      mediaType: signature.mediaType,
      artifactType: "application/x-signature",
      size: signature.manifest.length,
      annotations: { by: "me" },
      artifactStatus: "ACTIVE",
    },
  ]);
  assert.deepEqual((await list(["application/x-other"])).referrers, []);
});

test("a push is announced on the bus", async () => {
  await using system = await withRepository();
  const heard: unknown[] = [];
  system.bus.subscribe("ecr:image-push", (key) => heard.push(JSON.parse(key)));
  const imageDigest = await pushed(system.root, repositoryName, anImage(), "v1");
  const event = { accountId: ACCOUNT, region: REGION, repositoryName, imageDigest, imageTag: "v1", scanOnPush: false };
  assert.deepEqual(heard, [event]);
});
