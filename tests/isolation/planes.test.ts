/** What is not AWS's wire protocol keeps accounts apart too: the registry, badges, webhooks, presigned URLs, balancers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GetAuthorizationTokenCommand, GetDownloadUrlForLayerCommand } from "@aws-sdk/client-ecr";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { CREDENTIALS_PATH, containerEnvironment } from "#gateway/container-environment.ts";
import { gitHubSignature } from "#services/codebuild/webhooks/signature.ts";
import { anImage } from "#services/ecr/testing.ts";
import { type Administrator, type ServedSystem, servedSystem } from "#tests/helpers/served-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { NAME } from "#tests/isolation/fixture/account.ts";
import { everythingOf, type Fixture } from "#tests/isolation/fixture/index.ts";

const STRANGER = "444455556666";
const HOST = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`;

let served: ServedSystem;
let owner: Administrator;
let stranger: Administrator;
let things: Fixture;
let strangersThings: Fixture;

before(async () => {
  served = await servedSystem();
  owner = await served.administratorOf(ACCOUNT);
  stranger = await served.administratorOf(STRANGER);
  things = await everythingOf(served.system, owner.client, anImage(), STRANGER);
  strangersThings = await everythingOf(served.system, stranger.client, anImage(), ACCOUNT);
});
after(() => served?.[Symbol.asyncDispose]());

async function basic({ client }: Administrator): Promise<string> {
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  return `Basic ${authorizationData![0]!.authorizationToken}`;
}

function withoutSecrets(text: string): void {
  for (const secret of things.secrets) assert.ok(!text.includes(secret), `${secret} in ${text}`);
}

/** IMAGE, LAYER and UPLOAD stand for the owner's. */
const registryRequests: readonly [method: string, path: string][] = [
  ["GET", "/v2/fixture/app/manifests/fixture"],
  ["HEAD", "/v2/fixture/app/manifests/fixture"],
  ["GET", "/v2/fixture/app/manifests/IMAGE"],
  ["PUT", "/v2/fixture/app/manifests/mine"],
  ["DELETE", "/v2/fixture/app/manifests/IMAGE"],
  ["GET", "/v2/fixture/app/blobs/LAYER"],
  ["HEAD", "/v2/fixture/app/blobs/LAYER"],
  ["DELETE", "/v2/fixture/app/blobs/LAYER"],
  ["POST", "/v2/fixture/app/blobs/uploads/"],
  ["GET", "/v2/fixture/app/blobs/uploads/UPLOAD"],
  ["PATCH", "/v2/fixture/app/blobs/uploads/UPLOAD"],
  ["PUT", "/v2/fixture/app/blobs/uploads/UPLOAD?digest=LAYER"],
  ["DELETE", "/v2/fixture/app/blobs/uploads/UPLOAD"],
  ["GET", "/v2/fixture/app/tags/list"],
  ["GET", "/v2/fixture/app/referrers/IMAGE"],
];
for (const [method, path] of registryRequests) {
  test(`the registry refuses another account's ${method} ${path}`, async () => {
    const filled = path
      .replace("IMAGE", things.image.digest)
      .replace("LAYER", things.layerDigest)
      .replace("UPLOAD", String(things.samples.uploadId![0]));
    const body = method === "PUT" || method === "PATCH" ? things.image.manifest : "";
    const headers = { host: HOST, "content-type": things.image.mediaType };
    const authorization = await basic(stranger);
    const answer = await served.send(method, filled, { headers: { ...headers, authorization }, body });
    assert.ok([403, 405].includes(answer.status), `${answer.status} ${answer.body}`);
    withoutSecrets(answer.body);
    const anonymous = await served.send(method, filled, { headers, body });
    assert.equal(anonymous.status === 405 ? 401 : anonymous.status, 401);
  });
}

test("a layer of another account's repository is not mounted", async () => {
  const headers = { host: HOST.replace(ACCOUNT, STRANGER), authorization: await basic(stranger) };
  for (const from of ["fixture/app", `${HOST}/fixture/app`]) {
    const path = `/v2/fixture/app/blobs/uploads/?mount=${things.layerDigest}&from=${encodeURIComponent(from)}`;
    const answer = await served.send("POST", path, { headers });
    assert.equal(answer.status, 202, answer.body); // an upload instead
  }
  const missing = await served.send("HEAD", `/v2/fixture/app/blobs/${things.layerDigest}`, { headers });
  assert.equal(missing.status, 404);
});

test("a layer's download URL is good for that layer of that repository", async () => {
  const request = new GetDownloadUrlForLayerCommand({ repositoryName: "fixture/app", layerDigest: things.layerDigest });
  const { downloadUrl = "" } = await owner.client.send(request);
  const { host, pathname, search } = new URL(downloadUrl);
  assert.equal((await served.send("GET", pathname + search, { headers: { host } })).status, 200);
  const elsewhere = pathname.replace(ACCOUNT, STRANGER) + search;
  assert.notEqual(elsewhere, pathname + search);
  assert.notEqual((await served.send("GET", elsewhere, { headers: { host } })).status, 200);
  assert.notEqual((await served.send("GET", `${pathname}${search}A`, { headers: { host } })).status, 200);
});

test("a badge needs its project's own token", async () => {
  const { search } = new URL(things.badgeUrl);
  assert.equal((await served.send("GET", `/badges${search}`)).status, 200);
  const token = new URLSearchParams(search).get("uuid")!;
  const changed = `${token.slice(0, 40)}${token[40] === "A" ? "B" : "A"}${token.slice(41)}`;
  for (const uuid of [changed, "", "fixture", things.webhook.url ?? "x", strangersThings.session.SessionToken!]) {
    assert.equal((await served.send("GET", `/badges?uuid=${encodeURIComponent(uuid)}&branch=main`)).status, 404);
  }
});

test("a webhook takes nobody else's signature, and says nothing about who there is", async () => {
  const { pathname } = new URL(things.webhook.payloadUrl!);
  const repository = { full_name: "owner/repo", clone_url: "https://github.com/owner/repo.git" };
  const body = JSON.stringify({ zen: "Keep it logically awesome.", repository });
  const headers = (secret: string) => ({
    "x-github-event": "ping",
    "x-github-delivery": "1",
    "x-hub-signature-256": gitHubSignature(secret, Buffer.from(body)),
  });
  const refused = await served.send("POST", pathname, { headers: headers(strangersThings.webhook.secret!), body });
  assert.equal(refused.status, 403);
  const unknown = await served.send("POST", "/webhooks/codebuild/nobody", { headers: headers("x"), body });
  assert.deepEqual([unknown.status, unknown.body], [403, refused.body]);
  assert.equal((await served.send("POST", pathname, { headers: headers(things.webhook.secret!), body })).status, 200);
});

test("a presigned URL is good for what its signer may do, and for nothing else", async () => {
  const s3 = ({ credentials }: Administrator) =>
    new S3Client({ endpoint: served.url, region: REGION, credentials, forcePathStyle: true });
  const object = { Bucket: `fixture-${ACCOUNT}`, Key: NAME };
  const url = await getSignedUrl(s3(owner), new GetObjectCommand(object));
  assert.equal((await fetch(url)).status, 200);
  for (const command of [new GetObjectCommand(object), new PutObjectCommand(object)]) {
    const strangers = await getSignedUrl(s3(stranger), command as GetObjectCommand);
    const answer = await fetch(strangers, { method: command instanceof PutObjectCommand ? "PUT" : "GET" });
    assert.equal(answer.status, 403);
    withoutSecrets(await answer.text());
  }
  const changes: readonly ((url: URL) => void)[] = [
    (changed) => (changed.pathname += "2"),
    (changed) => changed.searchParams.set("versionId", String(things.samples["s3.VersionId"]![0])),
    (changed) => changed.searchParams.set("X-Amz-Expires", "604799"),
    (changed) => changed.searchParams.append("X-Amz-Expires", "604799"),
    (changed) => changed.searchParams.set("X-Amz-Credential", strangersCredential(changed)),
  ];
  for (const change of changes) {
    const changed = new URL(url);
    change(changed);
    const answer = await fetch(changed);
    assert.ok([400, 403].includes(answer.status), `${change}: ${answer.status}`);
  }
});

function strangersCredential(url: URL): string {
  const [, ...scope] = url.searchParams.get("X-Amz-Credential")!.split("/");
  return [stranger.credentials.accessKeyId, ...scope].join("/");
}

test("a load balancer answers to its own name only", async () => {
  const path = `/kept-by-${ACCOUNT}`;
  const own = await served.send("GET", path, { headers: { host: things.dnsName } });
  assert.deepEqual([own.status, own.body], [200, `kept-by-${ACCOUNT}`]);
  const other = await served.send("GET", path, { headers: { host: strangersThings.dnsName } });
  withoutSecrets(other.body);
  const unknown = await served.send("GET", path, { headers: { host: `fixture-1.${REGION}.elb.amazonaws.com` } });
  assert.notEqual(unknown.status, 200);
});

test("a container's credentials need its own grant, while it runs", async () => {
  const { system } = served;
  const grant = {
    roleArn: `arn:aws:iam::${ACCOUNT}:role/${NAME}`,
    service: "ecs-tasks.amazonaws.com",
    sessionName: "task",
    accountId: ACCOUNT,
    region: REGION,
    groupId: "ecs-1",
  };
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI = "" } = await containerEnvironment(system, grant);
  const { pathname } = new URL(AWS_CONTAINER_CREDENTIALS_FULL_URI);
  assert.equal((await served.send("GET", pathname)).status, 403, "its group is not there");
  const image = served.engine.addImage("example.test/app:1").id;
  await served.engine.create({ id: "ecs-1", labels: {}, containers: [{ name: "app", image, environment: {} }] });
  assert.equal((await served.send("GET", pathname)).status, 200);
  const badge = new URL(things.badgeUrl).searchParams.get("uuid");
  for (const other of [`${pathname}A`, `${CREDENTIALS_PATH}${badge}`, CREDENTIALS_PATH, `${CREDENTIALS_PATH}../x`]) {
    assert.equal((await served.send("GET", other)).status, 403, other);
  }
  await served.engine.remove("ecs-1");
  assert.equal((await served.send("GET", pathname)).status, 403);
});
