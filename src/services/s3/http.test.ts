import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { sign } from "#gateway/auth/sigv4.ts";
import { REGION } from "#tests/helpers/test-system.ts";
import { ACCESS_KEY, s3Server } from "./testing.ts";

const named = { Bucket: "wire", Key: "a b/ü+&.txt" };

async function server() {
  const made = await s3Server();
  await made.client.send(new sdk.CreateBucketCommand(named));
  return made;
}

test("the SDK's client puts, lists, reads and deletes", async () => {
  await using wire = await server();
  const { client } = wire;
  const Body = Readable.from([Buffer.alloc(200_000, "a"), Buffer.from("end")]);
  await client.send(
    new sdk.PutObjectCommand({
      ...named,
      Body,
      ContentLength: 200_003,
      ContentType: "text/plain",
      Metadata: { who: "me" },
    }),
  );
  const got = await client.send(new sdk.GetObjectCommand({ ...named, ChecksumMode: "ENABLED" }));
  assert.equal((await got.Body!.transformToString()).length, 200_003);
  assert.deepEqual([got.ContentType, got.Metadata, typeof got.ChecksumCRC32], ["text/plain", { who: "me" }, "string"]);
  const part = await client.send(new sdk.GetObjectCommand({ ...named, Range: "bytes=200000-" }));
  assert.deepEqual([part.$metadata.httpStatusCode, await part.Body!.transformToString()], [206, "end"]);
  const listed = await client.send(new sdk.ListObjectsV2Command({ Bucket: "wire", Delimiter: "/" }));
  assert.deepEqual(listed.CommonPrefixes, [{ Prefix: "a b/" }]);
  const all = await client.send(new sdk.ListObjectsV2Command({ Bucket: "wire" }));
  assert.deepEqual(
    all.Contents!.map(({ Key }) => Key),
    [named.Key],
  );
  await client.send(
    new sdk.CopyObjectCommand({ Bucket: "wire", Key: "copy", CopySource: `wire/${encodeURIComponent(named.Key)}` }),
  );
  await client.send(
    new sdk.DeleteObjectsCommand({ Bucket: "wire", Delete: { Objects: [{ Key: named.Key }, { Key: "copy" }] } }),
  );
  await client.send(new sdk.DeleteBucketCommand({ Bucket: "wire" }));
});

test("errors have S3's codes, statuses and headers", async () => {
  await using wire = await server();
  const { client } = wire;
  await assert.rejects(client.send(new sdk.GetObjectCommand(named)), sdk.NoSuchKey);
  await assert.rejects(client.send(new sdk.HeadObjectCommand(named)), sdk.NotFound);
  await assert.rejects(client.send(new sdk.ListObjectsV2Command({ Bucket: "absent" })), sdk.NoSuchBucket);
  const { ETag } = await client.send(new sdk.PutObjectCommand({ ...named, Body: "x" }));
  await assert.rejects(
    client.send(new sdk.GetObjectCommand({ ...named, IfNoneMatch: ETag })),
    (error: sdk.S3ServiceException) => error.$metadata.httpStatusCode === 304 && error.$response?.headers.etag === ETag,
  );
  await assert.rejects(client.send(new sdk.GetObjectCommand({ ...named, Range: "bytes=9-" })), {
    name: "InvalidRange",
  });
  await assert.rejects(client.send(new sdk.PutObjectCommand({ ...named, Body: "x", ChecksumCRC32: "AAAAAA==" })), {
    name: "BadDigest",
  });
  await assert.rejects(client.send(new sdk.GetBucketCorsCommand({ Bucket: "wire" })), { name: "NotImplemented" });
  const Tagging = { TagSet: [{ Key: "", Value: "x" }] };
  await assert.rejects(client.send(new sdk.PutObjectTaggingCommand({ ...named, Tagging })), { name: "MalformedXML" });
});

test("presigned URLs work for whoever has them, and not when they are changed", async () => {
  await using wire = await server();
  const { client } = wire;
  const putUrl = await getSignedUrl(client, new sdk.PutObjectCommand(named));
  assert.equal((await fetch(putUrl, { method: "PUT", body: "by link" })).status, 200);
  const getUrl = await getSignedUrl(client, new sdk.GetObjectCommand({ ...named, ResponseContentType: "text/x-link" }));
  const answer = await fetch(getUrl);
  assert.deepEqual([await answer.text(), answer.headers.get("content-type")], ["by link", "text/x-link"]);
  const changed = await fetch(getUrl.replace(/text%2Fx-link/, "text%2Fhtml"));
  assert.equal(changed.status, 403);
  assert.match(await changed.text(), /<Code>SignatureDoesNotMatch<\/Code>/);
});

test("a delete marker shows in the headers of the 404", async () => {
  await using wire = await server();
  const { client } = wire;
  const VersioningConfiguration = { Status: "Enabled" as const };
  await client.send(new sdk.PutBucketVersioningCommand({ Bucket: "wire", VersioningConfiguration }));
  await client.send(new sdk.PutObjectCommand({ ...named, Body: "x" }));
  const { VersionId } = await client.send(new sdk.DeleteObjectCommand(named));
  const answer = await fetch(await getSignedUrl(client, new sdk.GetObjectCommand(named)));
  assert.equal(answer.status, 404);
  assert.equal(answer.headers.get("x-amz-delete-marker"), "true");
  assert.equal(answer.headers.get("x-amz-version-id"), VersionId);
});

test("malformed XML, unsigned and SigV2 requests are told so", async () => {
  await using wire = await server();
  const body = Buffer.from("<VersioningConfiguration><Status>");
  const request = {
    method: "PUT",
    path: "/wire",
    rawQuery: "versioning=",
    headers: { host: new URL(wire.url).host },
    body,
  };
  const headers = sign(request, ACCESS_KEY, { region: REGION, service: "s3" }, new Date());
  const malformed = await fetch(`${wire.url}/wire?versioning=`, { method: "PUT", body, headers });
  assert.equal(malformed.status, 400);
  assert.match(await malformed.text(), /<Code>MalformedXML<\/Code>/);
  const unsigned = await fetch(`${wire.url}/wire/k`);
  assert.equal(unsigned.status, 403);
  assert.match(await unsigned.text(), /<Code>AccessDenied<\/Code>/);
  const old = await fetch(`${wire.url}/wire/k?AWSAccessKeyId=A&Signature=b&Expires=1`);
  assert.match(await old.text(), /Please use AWS4-HMAC-SHA256/);
});
