import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import { after, before, beforeEach, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  GetDownloadUrlForLayerCommand,
  ListImagesCommand,
} from "@aws-sdk/client-ecr";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecr } from "./index.ts";
import { layerBlobs } from "./layers.ts";
import { hexOf } from "./model.ts";
import { aList, anImage, digestOf, type TestImage, type TestRegistry, testRegistry } from "./testing.ts";

const scope = { accountId: ACCOUNT, region: REGION };
const HOST = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly authorization?: string | undefined;
}

let system: TestSystem;
let registry: TestRegistry;
let root: string;
let number = 0;
let name: string;

/** Through a socket, because `fetch` sets the Host header itself. `path` after `/v2/`. */
function send(method: string, path: string, { headers, body, authorization = root }: Options = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const [hostname, port] = registry.host.split(":");
    const url = path.startsWith("http") ? new URL(path) : new URL(`http://${HOST}/v2/${path}`);
    const sent = request(
      {
        hostname,
        port,
        method,
        path: url.pathname + url.search,
        headers: { host: url.host, ...(authorization && { authorization }), ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

function errorOf({ body }: Answer): { code: string; message: string } {
  const { errors } = JSON.parse(body.toString()) as { errors: { code: string; message: string }[] };
  return errors[0]!;
}

function assertError(answer: Answer, status: number, code: string, message?: string | RegExp): void {
  assert.equal(answer.status, status, answer.body.toString());
  const error = errorOf(answer);
  assert.equal(error.code, code);
  if (typeof message === "string") assert.equal(error.message, message);
  else if (message) assert.match(error.message, message);
}

async function beganUpload(repository = name): Promise<string> {
  const answer = await send("POST", `${repository}/blobs/uploads/`);
  assert.equal(answer.status, 202, answer.body.toString());
  return answer.headers.location!;
}

async function pushBlob(blob: Buffer, repository = name): Promise<string> {
  const digest = digestOf(blob);
  const answer = await send("POST", `${repository}/blobs/uploads/?digest=${digest}`, { body: blob });
  assert.equal(answer.status, 201, answer.body.toString());
  return digest;
}

function putManifest(image: TestImage, reference: string, repository = name): Promise<Answer> {
  const headers = { "content-type": image.mediaType };
  return send("PUT", `${repository}/manifests/${reference}`, { headers, body: image.manifest });
}

async function pushImage(image: TestImage, tag: string): Promise<void> {
  for (const blob of image.blobs) await pushBlob(blob);
  const answer = await putManifest(image, tag);
  assert.equal(answer.status, 201, answer.body.toString());
}

function rolePrincipal(session: string, ...actions: string[]): Principal {
  const principal: Principal = {
    type: "AssumedRole",
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/builder/${session}`,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/builder`,
    accountId: ACCOUNT,
    userId: `AROAEXAMPLE:${session}`,
    accessKeyId: undefined,
  };
  const statement = { Effect: "Allow", Action: ["ecr:GetAuthorizationToken", ...actions], Resource: "*" };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  system.policies.set(principal.arn, [compilePolicy(parsePolicy(policy, "identity"))]);
  return principal;
}

suite("the registry", () => {
  before(async () => {
    system = await testSystem({ services: [ecr] });
    registry = await testRegistry(system);
    root = await registry.basic(rootPrincipal(ACCOUNT), scope);
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    name = `app-${++number}`;
    await system.root.send(new CreateRepositoryCommand({ repositoryName: name }));
  });

  test("asks for credentials as ECR does", async () => {
    const challenge = `Basic realm="https://${HOST}/",service="ecr.amazonaws.com"`;
    for (const authorization of ["", "Bearer x", `Basic ${Buffer.from("AWS:made-up").toString("base64")}`]) {
      const answer = await send("GET", "", { authorization });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers["www-authenticate"], challenge);
      assert.equal(answer.body.toString(), "Not Authorized\n");
    }
    const answer = await send("GET", "");
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
  });

  test("a password is good for twelve hours, and no longer than its session", async (t) => {
    t.after(() => system.setNow(new Date()));
    const now = new Date("2030-01-01T00:00:00Z");
    system.setNow(now);
    const longer = await registry.basic(rootPrincipal(ACCOUNT), scope);
    const sessionExpiration = new Date("2030-01-01T01:00:00Z");
    const shorter = await registry.basic({ ...rolePrincipal("brief", "ecr:*"), sessionExpiration }, scope);
    const status = async (authorization: string) => (await send("GET", "", { authorization })).status;
    system.setNow(new Date("2030-01-01T00:59:59Z"));
    assert.deepEqual([await status(longer), await status(shorter)], [200, 200]);
    system.setNow(new Date("2030-01-01T01:00:00Z"));
    assert.deepEqual([await status(longer), await status(shorter)], [200, 403]);
    system.setNow(new Date("2030-01-01T12:00:00Z"));
    const expired = await send("GET", `${name}/tags/list`, { authorization: longer });
    assertError(expired, 403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
  });

  test("a blob in one stream", async () => {
    const blob = randomBytes(300_000);
    const digest = digestOf(blob);
    assert.equal((await send("HEAD", `${name}/blobs/${digest}`)).status, 404);
    const location = await beganUpload();
    assert.match(location, new RegExp(`^http://${HOST}/v2/${name}/blobs/uploads/[0-9a-f-]{36}$`));
    const patched = await send("PATCH", location, { body: blob });
    assert.equal(patched.status, 202);
    assert.equal(patched.headers.range, "0-299999");
    const put = await send("PUT", `${patched.headers.location}?digest=${digest}`);
    assert.equal(put.status, 201, put.body.toString());
    assert.equal(put.headers.location, `http://${HOST}/v2/${name}/blobs/${digest}`);
    const head = await send("HEAD", `${name}/blobs/${digest}`);
    assert.equal(head.headers["content-length"], "300000");
    assert.equal(head.headers["docker-content-digest"], digest);
    const got = await send("GET", `${name}/blobs/${digest}`);
    assert.ok(got.body.equals(blob));
  });

  test("a blob in chunks, each where the last one ended", async () => {
    const blob = randomBytes(3000);
    const location = await beganUpload();
    const chunk = (from: number, to: number) => ({
      headers: { "content-range": `${from}-${to - 1}` },
      body: blob.subarray(from, to),
    });
    assert.equal((await send("PATCH", location, chunk(0, 1000))).headers.range, "0-999");
    const gap = await send("PATCH", location, chunk(2000, 3000));
    assertError(gap, 416, "BLOB_UPLOAD_INVALID", "First byte of the layer part is 2000 instead of 1000");
    const wrong = await send("PATCH", location, {
      headers: { "content-range": "1000-1500" },
      body: blob.subarray(1000, 1100),
    });
    assertError(wrong, 400, "SIZE_INVALID");
    assertError(
      await send("PATCH", location, { headers: { "content-range": "x" }, body: "x" }),
      400,
      "BLOB_UPLOAD_INVALID",
    );
    const status = await send("GET", location);
    assert.equal(status.status, 204);
    assert.equal(status.headers.range, "0-999");
    await send("PATCH", location, chunk(1000, 2000));
    const digest = digestOf(blob);
    const put = await send("PUT", `${location}?digest=${digest}`, chunk(2000, 3000));
    assert.equal(put.status, 201, put.body.toString());
    assert.ok((await send("GET", `${name}/blobs/${digest}`)).body.equals(blob));
  });

  test("a blob of another digest is refused and nothing of it is kept", async () => {
    const blob = randomBytes(100);
    const location = await beganUpload();
    const put = await send("PUT", `${location}?digest=sha256:${"0".repeat(64)}`, { body: blob });
    assertError(put, 400, "DIGEST_INVALID", "None of the provided layer digests match the calculated layer digest");
    assertError(await send("GET", location), 404, "BLOB_UPLOAD_UNKNOWN");
    assert.equal(await layerBlobs(system).has(hexOf(digestOf(blob))), false);
    assertError(await send("PUT", `${await beganUpload()}?digest=md5:1`), 400, "DIGEST_INVALID");
  });

  test("an upload that breaks off keeps what was acknowledged and goes on", async () => {
    const blob = randomBytes(2000);
    const location = await beganUpload();
    await send("PATCH", location, { body: blob.subarray(0, 1000) });
    await new Promise<void>((resolve) => {
      const [hostname, port] = registry.host.split(":");
      const path = new URL(location).pathname;
      const headers = { host: HOST, authorization: root, "content-length": "5000" };
      const broken = request({ hostname, port, method: "PATCH", path, headers });
      broken.on("error", () => resolve());
      broken.write(randomBytes(500), () => broken.destroy(new Error("gone")));
    });
    // The server notices the end of the connection in its own time, and until then takes no other's bytes.
    const resume = () =>
      send("PATCH", location, { headers: { "content-range": "1000-1999" }, body: blob.subarray(1000) });
    let resumed = await resume();
    for (let tries = 0; resumed.status === 416 && tries < 500; tries++) {
      await setTimeout(10);
      resumed = await resume();
    }
    assert.equal(resumed.status, 202, resumed.body.toString());
    assert.equal(resumed.headers.range, "0-1999");
    assert.equal((await send("PUT", `${location}?digest=${digestOf(blob)}`)).status, 201);
  });

  test("an upload is cancelled", async () => {
    const location = await beganUpload();
    await send("PATCH", location, { body: "some" });
    assert.equal((await send("DELETE", location)).status, 204);
    assertError(await send("PATCH", location, { body: "more" }), 404, "BLOB_UPLOAD_UNKNOWN");
  });

  test("several uploads of the same blob at a time all succeed", async () => {
    const blob = randomBytes(50_000);
    const digests = await Promise.all(Array.from({ length: 5 }, () => pushBlob(blob)));
    assert.deepEqual(new Set(digests), new Set([digestOf(blob)]));
    assert.ok((await send("GET", `${name}/blobs/${digestOf(blob)}`)).body.equals(blob));
  });

  test("ranges of a blob", async () => {
    const blob = randomBytes(1000);
    const digest = await pushBlob(blob);
    const get = (range: string) => send("GET", `${name}/blobs/${digest}`, { headers: { range } });
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

  test("a manifest by tag and by digest", async () => {
    const image = anImage();
    await pushImage(image, "v1");
    for (const reference of ["v1", image.digest]) {
      const answer = await send("GET", `${name}/manifests/${reference}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString(), image.manifest);
      assert.equal(answer.headers["content-type"], image.mediaType);
      assert.equal(answer.headers["docker-content-digest"], image.digest);
      const head = await send("HEAD", `${name}/manifests/${reference}`);
      assert.equal(head.headers["content-length"], String(image.manifest.length));
      assert.equal(head.body.length, 0);
    }
    assert.equal((await putManifest(image, "v1")).status, 201, "the same push again is no error");
    assertError(await send("GET", `${name}/manifests/v2`), 404, "MANIFEST_UNKNOWN", "Requested image not found");
  });

  test("a manifest is refused where something of it is missing or wrong", async () => {
    const image = anImage();
    assertError(await putManifest(image, "v1"), 404, "BLOB_UPLOAD_UNKNOWN", /^Layers with digests '\[sha256:/);
    assertError(
      await putManifest(aList([image]), "v1"),
      404,
      "MANIFEST_BLOB_UNKNOWN",
      /^Images with digests '\[sha256:/,
    );
    for (const blob of image.blobs) await pushBlob(blob);
    assertError(await putManifest(image, `sha256:${"0".repeat(64)}`), 400, "DIGEST_INVALID");
    assertError(await putManifest({ ...image, manifest: "{" }, "v1"), 400, "MANIFEST_INVALID");
    assertError(await putManifest({ ...image, mediaType: "text/plain" }, "v1"), 400, "MANIFEST_INVALID");
    assertError(await putManifest(image, "-bad"), 400, "TAG_INVALID");
    const notText = await send("PUT", `${name}/manifests/v1`, { body: Buffer.from([0xff, 0xfe]) });
    assertError(notText, 400, "MANIFEST_INVALID", "The manifest is not UTF-8");
    const tooLarge = await send("PUT", `${name}/manifests/v1`, { body: Buffer.alloc(4 * 1024 * 1024 + 1, " ") });
    assertError(tooLarge, 413, "SIZE_INVALID");
    assert.deepEqual((await system.root.send(new ListImagesCommand({ repositoryName: name }))).imageIds, []);
  });

  test("an immutable tag is refused as Docker shows it", async () => {
    name = `immutable-${number}`;
    await system.root.send(new CreateRepositoryCommand({ repositoryName: name, imageTagMutability: "IMMUTABLE" }));
    const image = anImage();
    await pushImage(image, "v1");
    const sentence = `The image tag 'v1' already exists in the '${name}' repository and cannot be overwritten because the repository is immutable.`;
    assertError(await putManifest(image, "v1"), 400, "TAG_INVALID", sentence);
  });

  test("images are deleted, those of a list after it", async () => {
    const image = anImage();
    await pushImage(image, "one");
    const list = aList([image]);
    await pushImage(list, "list");
    assertError(await send("DELETE", `${name}/manifests/${image.digest}`), 405, "UNSUPPORTED");
    assert.equal((await send("DELETE", `${name}/manifests/list`)).status, 202);
    assert.equal((await send("DELETE", `${name}/manifests/${image.digest}`)).status, 202);
    assertError(await send("GET", `${name}/manifests/one`), 404, "MANIFEST_UNKNOWN");
    assertError(await send("DELETE", `${name}/manifests/one`), 404, "MANIFEST_UNKNOWN");
  });

  test("a blob is deleted unless an image has it", async () => {
    const image = anImage();
    await pushImage(image, "v1");
    assertError(await send("DELETE", `${name}/blobs/${digestOf(image.blobs[0]!)}`), 405, "UNSUPPORTED");
    const digest = await pushBlob(randomBytes(10));
    assert.equal((await send("DELETE", `${name}/blobs/${digest}`)).status, 202);
    assert.equal((await send("HEAD", `${name}/blobs/${digest}`)).status, 404);
    assertError(await send("DELETE", `${name}/blobs/${digest}`), 404, "BLOB_UNKNOWN");
  });

  test("a blob is mounted from a repository that the caller may read", async () => {
    const digest = await pushBlob(randomBytes(1000));
    const target = `target-${number}`;
    await system.root.send(new CreateRepositoryCommand({ repositoryName: target }));
    const writer = await registry.basic(rolePrincipal("writer", "ecr:InitiateLayerUpload"), scope);
    const mount = `${target}/blobs/uploads/?mount=${digest}&from=${name}`;
    assert.equal((await send("POST", mount, { authorization: writer })).status, 202, "who may not read it uploads it");
    assert.equal((await send("HEAD", `${target}/blobs/${digest}`)).status, 404);
    const mounted = await send("POST", mount);
    assert.equal(mounted.status, 201);
    assert.equal(mounted.headers.location, `http://${HOST}/v2/${target}/blobs/${digest}`);
    assert.equal((await send("GET", `${target}/blobs/${digest}`)).body.length, 1000);
    const unknown = await send("POST", `${target}/blobs/uploads/?mount=sha256:${"0".repeat(64)}&from=${name}`);
    assert.equal(unknown.status, 202);
  });

  test("tags are listed in order, by pages", async () => {
    const image = anImage();
    for (const tag of ["b", "a", "C", "d"]) await pushImage(image, tag);
    const list = async (query: string) => {
      const { body, headers } = await send("GET", query.startsWith("http") ? query : `${name}/tags/list${query}`);
      const link = /^<(.+)>; rel="next"$/.exec(headers.link?.toString() ?? "")?.[1];
      return { ...(JSON.parse(body.toString()) as { name: string; tags: string[] }), link };
    };
    assert.deepEqual(await list(""), { name, tags: ["C", "a", "b", "d"], link: undefined });
    const first = await list("?n=3");
    assert.deepEqual(first.tags, ["C", "a", "b"]);
    assert.deepEqual(await list(first.link!), { name, tags: ["d"], link: undefined });
    assert.deepEqual((await list("?n=0")).tags, []);
  });

  test("referrers of an image", async () => {
    const image = anImage();
    await pushImage(image, "v1");
    const subject = { mediaType: image.mediaType, size: image.manifest.length, digest: image.digest };
    const signature = anImage([10], { subject, artifactType: "application/x-signature" });
    for (const blob of signature.blobs) await pushBlob(blob);
    const put = await putManifest(signature, signature.digest);
    assert.equal(put.headers["oci-subject"], image.digest);
    const list = await send("GET", `${name}/referrers/${image.digest}?artifactType=application/x-signature`);
    assert.equal(list.headers["content-type"], "application/vnd.oci.image.index.v1+json");
    assert.equal(list.headers["oci-filters-applied"], "artifactType");
    const { manifests } = JSON.parse(list.body.toString()) as { manifests: { digest: string }[] };
    assert.deepEqual(
      manifests.map(({ digest }) => digest),
      [signature.digest],
    );
    const none = await send("GET", `${name}/referrers/sha256:${"0".repeat(64)}`);
    assert.deepEqual((JSON.parse(none.body.toString()) as { manifests: unknown[] }).manifests, []);
  });

  test("each request needs its own action, in AWS's words where it lacks it", async () => {
    const image = anImage();
    await pushImage(image, "v1");
    const digest = digestOf(image.blobs[0]!);
    const location = new URL(await beganUpload()).pathname.slice("/v2/".length);
    const requests: [method: string, path: string, action: string, operation: string][] = [
      ["POST", `${name}/blobs/uploads/`, "InitiateLayerUpload", "InitiateLayerUpload"],
      ["PATCH", location, "UploadLayerPart", "UploadLayerPart"],
      ["PUT", `${location}?digest=${digest}`, "CompleteLayerUpload", "CompleteLayerUpload"],
      ["GET", `${name}/blobs/${digest}`, "GetDownloadUrlForLayer", "GetDownloadUrlForLayer"],
      ["GET", `${name}/manifests/v1`, "BatchGetImage", "BatchGetImage"],
      ["DELETE", `${name}/manifests/v1`, "BatchDeleteImage", "BatchDeleteImage"],
      ["GET", `${name}/tags/list`, "ListImages", "ListImages"],
      ["GET", `${name}/referrers/${digest}`, "BatchGetImage", "ListImageReferrers"],
    ];
    const nobody = rolePrincipal("nobody");
    const authorization = await registry.basic(nobody, scope);
    for (const [method, path, action, operation] of requests) {
      const denied = await send(method, path, { authorization });
      const sentence = `User: ${nobody.arn} is not authorized to perform: ecr:${action} on resource: arn:aws:ecr:${REGION}:${ACCOUNT}:repository/${name} because no identity-based policy allows the ecr:${action} action`;
      assertError(denied, 403, "DENIED", sentence);
      assert.equal(system.audited.at(-1), `ecr:${operation} AccessDenied`);
    }
    assert.equal((await send("HEAD", `${name}/blobs/${digest}`, { authorization })).status, 403);
    const put = { authorization, body: image.manifest };
    assertError(await send("PUT", `${name}/manifests/v1`, put), 403, "DENIED", /ecr:PutImage/);
  });

  test("what does not exist, and what cannot be done", async () => {
    const unknown = "nothing-here";
    const sentence = `The repository with name '${unknown}' does not exist in the registry with id '${ACCOUNT}'`;
    assertError(await send("POST", `${unknown}/blobs/uploads/`), 404, "NAME_UNKNOWN", sentence);
    assertError(await send("GET", `${unknown}/manifests/v1`), 404, "NAME_UNKNOWN", sentence);
    assertError(await send("GET", `${unknown}/tags/list`), 404, "NAME_UNKNOWN", sentence);
    assertError(await send("PUT", `${name}/tags/list`), 405, "UNSUPPORTED");
    assertError(await send("GET", `${name}/nothing`), 404, "UNSUPPORTED");
    assertError(await send("POST", "Not-A-Name/blobs/uploads/"), 400, "NAME_INVALID");
    assertError(await send("GET", `${name}%zz/tags/list`), 400, "NAME_INVALID");
    assertError(
      await send("PUT", `${name}/blobs/uploads/no-id?digest=sha256:${"0".repeat(64)}`),
      404,
      "BLOB_UPLOAD_UNKNOWN",
    );
  });

  test("on another host the name's first part says which registry", async () => {
    const image = anImage();
    await pushImage(image, "v1");
    const base = `http://${registry.host}/v2/${HOST}/${name}`;
    assert.equal((await send("GET", `${base}/manifests/v1`)).body.toString(), image.manifest);
    const began = await send("POST", `${base}/blobs/uploads/`);
    assert.ok(began.headers.location?.startsWith(`${base}/blobs/uploads/`), began.headers.location);
    const { body } = await send("GET", `${base}/tags/list`);
    assert.deepEqual(JSON.parse(body.toString()), { name: `${HOST}/${name}`, tags: ["v1"] });
    const elsewhere = base.replace(REGION, "eu-west-1");
    assertError(await send("GET", `${elsewhere}/manifests/v1`), 404, "NAME_UNKNOWN");
    const without = await send("GET", `http://${registry.host}/v2/${name}/manifests/v1`);
    assertError(without, 404, "NAME_UNKNOWN", /must begin with ACCOUNT\.dkr\.ecr\.REGION\.amazonaws\.com\//);
  });

  test("a download URL needs no credentials and is good for its layer only", async () => {
    const blob = randomBytes(100);
    const layerDigest = await pushBlob(blob);
    const other = await pushBlob(randomBytes(100));
    const { downloadUrl = "" } = await system.root.send(
      new GetDownloadUrlForLayerCommand({ repositoryName: name, layerDigest }),
    );
    assert.ok((await send("GET", downloadUrl, { authorization: "" })).body.equals(blob));
    const moved = await send("GET", downloadUrl.replace(layerDigest, other), { authorization: "" });
    assertError(moved, 403, "DENIED");
  });

  test("a repository that is created again has nothing of its predecessor", async () => {
    const digest = await pushBlob(randomBytes(100));
    const location = await beganUpload();
    await system.root.send(new DeleteRepositoryCommand({ repositoryName: name }));
    await system.root.send(new CreateRepositoryCommand({ repositoryName: name }));
    assert.equal((await send("HEAD", `${name}/blobs/${digest}`)).status, 404);
    assertError(await send("PATCH", location, { body: "x" }), 404, "BLOB_UPLOAD_UNKNOWN");
  });
});
