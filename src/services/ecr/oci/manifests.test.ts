import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CreateRepositoryCommand, ListImagesCommand } from "@aws-sdk/client-ecr";
import { aList, anImage } from "../testing.ts";
import { assertError, RegistryFixture } from "./testing.ts";

suite("manifests, tags and referrers", () => {
  const at = new RegistryFixture();

  test("a manifest by tag and by digest", async () => {
    const image = anImage();
    await at.pushImage(image, "v1");
    for (const reference of ["v1", image.digest]) {
      const answer = await at.send("GET", `${at.name}/manifests/${reference}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString(), image.manifest);
      assert.equal(answer.headers["content-type"], image.mediaType);
      assert.equal(answer.headers["docker-content-digest"], image.digest);
      const head = await at.send("HEAD", `${at.name}/manifests/${reference}`);
      assert.equal(head.headers["content-length"], String(image.manifest.length));
      assert.equal(head.body.length, 0);
    }
    assert.equal((await at.putManifest(image, "v1")).status, 201, "the same push again is no error");
    assertError(await at.send("GET", `${at.name}/manifests/v2`), 404, "MANIFEST_UNKNOWN", "Requested image not found");
  });

  test("a manifest is refused where something of it is missing or wrong", async () => {
    const image = anImage();
    assertError(await at.putManifest(image, "v1"), 404, "BLOB_UPLOAD_UNKNOWN", /^Layers with digests '\[sha256:/);
    assertError(
      await at.putManifest(aList([image]), "v1"),
      404,
      "MANIFEST_BLOB_UNKNOWN",
      /^Images with digests '\[sha256:/,
    );
    for (const blob of image.blobs) await at.pushBlob(blob);
    assertError(await at.putManifest(image, `sha256:${"0".repeat(64)}`), 400, "DIGEST_INVALID");
    assertError(await at.putManifest({ ...image, manifest: "{" }, "v1"), 400, "MANIFEST_INVALID");
    assertError(await at.putManifest({ ...image, mediaType: "text/plain" }, "v1"), 400, "MANIFEST_INVALID");
    assertError(await at.putManifest(image, "-bad"), 400, "TAG_INVALID");
    const notText = await at.send("PUT", `${at.name}/manifests/v1`, { body: Buffer.from([0xff, 0xfe]) });
    assertError(notText, 400, "MANIFEST_INVALID", "The manifest is not UTF-8");
    const tooLarge = await at.send("PUT", `${at.name}/manifests/v1`, { body: Buffer.alloc(4 * 1024 * 1024 + 1, " ") });
    assertError(tooLarge, 413, "SIZE_INVALID");
    assert.deepEqual((await at.system.root.send(new ListImagesCommand({ repositoryName: at.name }))).imageIds, []);
  });

  test("an immutable tag is refused as Docker shows it", async () => {
    at.name = `${at.name}-immutable`;
    await at.system.root.send(
      new CreateRepositoryCommand({ repositoryName: at.name, imageTagMutability: "IMMUTABLE" }),
    );
    const image = anImage();
    await at.pushImage(image, "v1");
    const sentence = `The image tag 'v1' already exists in the '${at.name}' repository and cannot be overwritten because the repository is immutable.`;
    assertError(await at.putManifest(image, "v1"), 400, "TAG_INVALID", sentence);
  });

  test("images are deleted, those of a list after it", async () => {
    const image = anImage();
    await at.pushImage(image, "one");
    const list = aList([image]);
    await at.pushImage(list, "list");
    assertError(await at.send("DELETE", `${at.name}/manifests/${image.digest}`), 405, "UNSUPPORTED");
    assert.equal((await at.send("DELETE", `${at.name}/manifests/list`)).status, 202);
    assert.equal((await at.send("DELETE", `${at.name}/manifests/${image.digest}`)).status, 202);
    assertError(await at.send("GET", `${at.name}/manifests/one`), 404, "MANIFEST_UNKNOWN");
    assertError(await at.send("DELETE", `${at.name}/manifests/one`), 404, "MANIFEST_UNKNOWN");
  });

  test("tags are listed in order, by pages", async () => {
    const image = anImage();
    for (const tag of ["b", "a", "C", "d"]) await at.pushImage(image, tag);
    const list = async (query: string) => {
      const { body, headers } = await at.send("GET", query.startsWith("http") ? query : `${at.name}/tags/list${query}`);
      const link = /^<(.+)>; rel="next"$/.exec(headers.link?.toString() ?? "")?.[1];
      return { ...(JSON.parse(body.toString()) as { name: string; tags: string[] }), link };
    };
    assert.deepEqual(await list(""), { name: at.name, tags: ["C", "a", "b", "d"], link: undefined });
    const first = await list("?n=3");
    assert.deepEqual(first.tags, ["C", "a", "b"]);
    assert.deepEqual(await list(first.link!), { name: at.name, tags: ["d"], link: undefined });
    assert.deepEqual((await list("?n=0")).tags, []);
  });

  test("referrers of an image", async () => {
    const image = anImage();
    await at.pushImage(image, "v1");
    const subject = { mediaType: image.mediaType, size: image.manifest.length, digest: image.digest };
    const signature = anImage([10], { subject, artifactType: "application/x-signature" });
    for (const blob of signature.blobs) await at.pushBlob(blob);
    const put = await at.putManifest(signature, signature.digest);
    assert.equal(put.headers["oci-subject"], image.digest);
    const list = await at.send("GET", `${at.name}/referrers/${image.digest}?artifactType=application/x-signature`);
    assert.equal(list.headers["content-type"], "application/vnd.oci.image.index.v1+json");
    assert.equal(list.headers["oci-filters-applied"], "artifactType");
    const { manifests } = JSON.parse(list.body.toString()) as { manifests: { digest: string }[] };
    assert.deepEqual(
      manifests.map(({ digest }) => digest),
      [signature.digest],
    );
    const none = await at.send("GET", `${at.name}/referrers/sha256:${"0".repeat(64)}`);
    assert.deepEqual((JSON.parse(none.body.toString()) as { manifests: unknown[] }).manifests, []);
  });
});
