import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { CreateRepositoryCommand } from "@aws-sdk/client-ecr";
import { layerBlobs } from "../layers.ts";
import { hexOf } from "../model.ts";
import { anImage, digestOf } from "../testing.ts";
import { assertError, HOST, RegistryFixture, SCOPE } from "./testing.ts";

suite("blobs and uploads", () => {
  const at = new RegistryFixture();

  test("a blob in one stream", async () => {
    const blob = randomBytes(300_000);
    const digest = digestOf(blob);
    assert.equal((await at.send("HEAD", `${at.name}/blobs/${digest}`)).status, 404);
    const location = await at.beganUpload();
    assert.match(location, new RegExp(`^http://${HOST}/v2/${at.name}/blobs/uploads/[0-9a-f-]{36}$`));
    const patched = await at.send("PATCH", location, { body: blob });
    assert.equal(patched.status, 202);
    assert.equal(patched.headers.range, "0-299999");
    const put = await at.send("PUT", `${patched.headers.location}?digest=${digest}`);
    assert.equal(put.status, 201, put.body.toString());
    assert.equal(put.headers.location, `http://${HOST}/v2/${at.name}/blobs/${digest}`);
    const head = await at.send("HEAD", `${at.name}/blobs/${digest}`);
    assert.equal(head.headers["content-length"], "300000");
    assert.equal(head.headers["docker-content-digest"], digest);
    const got = await at.send("GET", `${at.name}/blobs/${digest}`);
    assert.ok(got.body.equals(blob));
  });

  test("a blob in chunks, each where the last one ended", async () => {
    const blob = randomBytes(3000);
    const location = await at.beganUpload();
    const chunk = (from: number, to: number) => ({
      headers: { "content-range": `${from}-${to - 1}` },
      body: blob.subarray(from, to),
    });
    assert.equal((await at.send("PATCH", location, chunk(0, 1000))).headers.range, "0-999");
    const gap = await at.send("PATCH", location, chunk(2000, 3000));
    assertError(gap, 416, "BLOB_UPLOAD_INVALID", "First byte of the layer part is 2000 instead of 1000");
    const wrong = await at.send("PATCH", location, {
      headers: { "content-range": "1000-1500" },
      body: blob.subarray(1000, 1100),
    });
    assertError(wrong, 400, "SIZE_INVALID");
    assertError(
      await at.send("PATCH", location, { headers: { "content-range": "x" }, body: "x" }),
      400,
      "BLOB_UPLOAD_INVALID",
    );
    const status = await at.send("GET", location);
    assert.equal(status.status, 204);
    assert.equal(status.headers.range, "0-999");
    await at.send("PATCH", location, chunk(1000, 2000));
    const digest = digestOf(blob);
    const put = await at.send("PUT", `${location}?digest=${digest}`, chunk(2000, 3000));
    assert.equal(put.status, 201, put.body.toString());
    assert.ok((await at.send("GET", `${at.name}/blobs/${digest}`)).body.equals(blob));
  });

  test("a blob of another digest is refused and nothing of it is kept", async () => {
    const blob = randomBytes(100);
    const location = await at.beganUpload();
    const put = await at.send("PUT", `${location}?digest=sha256:${"0".repeat(64)}`, { body: blob });
    assertError(put, 400, "DIGEST_INVALID", "None of the provided layer digests match the calculated layer digest");
    assertError(await at.send("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    assert.equal(await layerBlobs(at.system).has(hexOf(digestOf(blob))), false);
    assertError(await at.send("PUT", `${await at.beganUpload()}?digest=md5:1`), 400, "DIGEST_INVALID");
  });

  test("an upload that breaks off keeps what was acknowledged and goes on", async () => {
    const blob = randomBytes(2000);
    const location = await at.beganUpload();
    await at.send("PATCH", location, { body: blob.subarray(0, 1000) });
    await new Promise<void>((resolve) => {
      const [hostname, port] = at.registry.host.split(":");
      const path = new URL(location).pathname;
      const headers = { host: HOST, authorization: at.root, "content-length": "5000" };
      const broken = request({ hostname, port, method: "PATCH", path, headers });
      broken.on("error", () => resolve());
      broken.write(randomBytes(500), () => broken.destroy(new Error("gone")));
    });
    // The server notices the end of the connection in its own time, and until then takes no other's bytes.
    const resume = () =>
      at.send("PATCH", location, { headers: { "content-range": "1000-1999" }, body: blob.subarray(1000) });
    let resumed = await resume();
    for (let tries = 0; resumed.status === 416 && tries < 500; tries++) {
      await setTimeout(10);
      resumed = await resume();
    }
    assert.equal(resumed.status, 202, resumed.body.toString());
    assert.equal(resumed.headers.range, "0-1999");
    assert.equal((await at.send("PUT", `${location}?digest=${digestOf(blob)}`)).status, 201);
  });

  test("an upload is cancelled", async () => {
    const location = await at.beganUpload();
    await at.send("PATCH", location, { body: "some" });
    assert.equal((await at.send("DELETE", location)).status, 204);
    assertError(await at.send("PATCH", location, { body: "more" }), 404, "BLOB_UPLOAD_UNKNOWN");
  });

  test("several uploads of the same blob at a time all succeed", async () => {
    const blob = randomBytes(50_000);
    const digests = await Promise.all(Array.from({ length: 5 }, () => at.pushBlob(blob)));
    assert.deepEqual(new Set(digests), new Set([digestOf(blob)]));
    assert.ok((await at.send("GET", `${at.name}/blobs/${digestOf(blob)}`)).body.equals(blob));
  });

  test("ranges of a blob", async () => {
    const blob = randomBytes(1000);
    const digest = await at.pushBlob(blob);
    const get = (range: string) => at.send("GET", `${at.name}/blobs/${digest}`, { headers: { range } });
    for (const [range, from, to] of [
      ["bytes=0-99", 0, 100],
      ["bytes=900-", 900, 1000],
      ["bytes=-10", 990, 1000],
      ["bytes=990-5000", 990, 1000],
    ] as const) {
      const answer = await get(range);
      assert.equal(answer.status, 206);
      assert.equal(answer.headers["content-range"], `bytes ${from}-${to - 1}/1000`);
      assert.ok(answer.body.equals(blob.subarray(from, to)), range);
    }
    assert.equal((await get("bytes=0-1,5-6")).status, 200);
    assertError(await get("bytes=1000-"), 416, "RANGE_INVALID");
  });

  test("a blob is deleted unless an image has it", async () => {
    const image = anImage();
    await at.pushImage(image, "v1");
    assertError(await at.send("DELETE", `${at.name}/blobs/${digestOf(image.blobs[0]!)}`), 405, "UNSUPPORTED");
    const digest = await at.pushBlob(randomBytes(10));
    assert.equal((await at.send("DELETE", `${at.name}/blobs/${digest}`)).status, 202);
    assert.equal((await at.send("HEAD", `${at.name}/blobs/${digest}`)).status, 404);
    assertError(await at.send("DELETE", `${at.name}/blobs/${digest}`), 404, "BLOB_UNKNOWN");
  });

  test("a blob is mounted from a repository that the caller may read", async () => {
    const digest = await at.pushBlob(randomBytes(1000));
    const target = `${at.name}-target`;
    await at.system.root.send(new CreateRepositoryCommand({ repositoryName: target }));
    const writer = await at.registry.basic(at.rolePrincipal("writer", "ecr:InitiateLayerUpload"), SCOPE);
    const mount = `${target}/blobs/uploads/?mount=${digest}&from=${at.name}`;
    assert.equal(
      (await at.send("POST", mount, { authorization: writer })).status,
      202,
      "who may not read it uploads it",
    );
    assert.equal((await at.send("HEAD", `${target}/blobs/${digest}`)).status, 404);
    const mounted = await at.send("POST", mount);
    assert.equal(mounted.status, 201);
    assert.equal(mounted.headers.location, `http://${HOST}/v2/${target}/blobs/${digest}`);
    assert.equal((await at.send("GET", `${target}/blobs/${digest}`)).body.length, 1000);
    const unknown = await at.send("POST", `${target}/blobs/uploads/?mount=sha256:${"0".repeat(64)}&from=${at.name}`);
    assert.equal(unknown.status, 202);
  });
});
