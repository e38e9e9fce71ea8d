import assert from "node:assert/strict";
import { hash } from "node:crypto";
import type { Readable } from "node:stream";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-s3";
import { inTransaction } from "#store/database.ts";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { s3 } from "../index.ts";
import { blobsOf, sweepBlob, useBlobs } from "../store/blob-uses.ts";

const Bucket = "objects";

async function system(): Promise<TestSystem> {
  const slipway = await testSystem({ services: [s3], work: false });
  await slipway.root.send(new sdk.CreateBucketCommand({ Bucket }));
  return slipway;
}

const put = ({ root }: TestSystem, Key: string, Body: string, more: Partial<sdk.PutObjectCommandInput> = {}) =>
  root.send(new sdk.PutObjectCommand({ Bucket, Key, Body, ...more }));

async function text({ root }: TestSystem, Key: string, more: Partial<sdk.GetObjectCommandInput> = {}): Promise<string> {
  const { Body } = await root.send(new sdk.GetObjectCommand({ Bucket, Key, ...more }));
  return Buffer.concat(await (Body as Readable).toArray()).toString();
}

const versioning = ({ root }: TestSystem, Status: "Enabled" | "Suspended") =>
  root.send(new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));

test("an object comes back with all that was said about it", async () => {
  await using slipway = await system();
  const Expires = new Date("2031-01-01T00:00:00Z");
  const given = {
    CacheControl: "no-cache",
    ContentDisposition: "attachment",
    ContentEncoding: "gzip,aws-chunked",
    ContentLanguage: "de",
    ContentType: "text/x-test",
    Expires,
    Metadata: { Owner: "me" },
    StorageClass: "STANDARD_IA" as const,
  };
  const { ETag, ChecksumCRC64NVME } = await put(slipway, "k", "hello", { ...given, Tagging: "a=1&b=2" });
  assert.equal(ETag, `"${hash("md5", "hello")}"`);
  assert.equal(ChecksumCRC64NVME, "M3eFcAZSQlc=");
  const head = await slipway.root.send(new sdk.HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
  assert.deepEqual(
    { ...head, LastModified: undefined },
    {
      ...given,
      ContentEncoding: "gzip",
      Metadata: { owner: "me" },
      ExpiresString: "Wed, 01 Jan 2031 00:00:00 GMT",
      ServerSideEncryption: "AES256",
      VersionId: undefined,
      TagCount: 2,
      AcceptRanges: "bytes",
      LastModified: undefined,
      ETag,
      ContentLength: 5,
      ContentRange: undefined,
      PartsCount: undefined,
      ChecksumCRC64NVME,
      ChecksumType: "FULL_OBJECT",
    },
  );
  assert.equal(await text(slipway, "k"), "hello");
});

test("ranges", async () => {
  await using slipway = await system();
  await put(slipway, "k", "0123456789");
  assert.equal(await text(slipway, "k", { Range: "bytes=2-4" }), "234");
  const tail = await slipway.root.send(new sdk.GetObjectCommand({ Bucket, Key: "k", Range: "bytes=-2" }));
  assert.equal(tail.ContentRange, "bytes 8-9/10");
  assert.equal(tail.ContentLength, 2);
  (tail.Body as Readable).destroy();
  await assert.rejects(text(slipway, "k", { Range: "bytes=10-" }), { name: "InvalidRange" });
  assert.equal(await text(slipway, "k", { Range: "bytes=5-2" }), "0123456789");
});

test("conditions of reads and writes", async () => {
  await using slipway = await system();
  const { ETag } = await put(slipway, "k", "x", { IfNoneMatch: "*" });
  await assert.rejects(put(slipway, "k", "y", { IfNoneMatch: "*" }), { name: "PreconditionFailed" });
  await assert.rejects(put(slipway, "k", "y", { IfMatch: '"other"' }), { name: "PreconditionFailed" });
  await assert.rejects(put(slipway, "absent", "y", { IfMatch: ETag }), { name: "NoSuchKey" });
  await assert.rejects(text(slipway, "k", { IfNoneMatch: ETag }), { name: "NotModified" });
  await assert.rejects(text(slipway, "k", { IfMatch: '"other"' }), { name: "PreconditionFailed" });
  await put(slipway, "k", "z", { IfMatch: ETag });
  assert.equal(await text(slipway, "k"), "z");
});

test("what does not match its digest is refused and nothing is stored", async () => {
  await using slipway = await system();
  const good = hash("md5", "x", "base64");
  await put(slipway, "k", "x", { ContentMD5: good });
  const wrong: [Partial<sdk.PutObjectCommandInput>, string][] = [
    [{ ContentMD5: good }, "BadDigest"],
    [{ ContentMD5: "nonsense" }, "InvalidDigest"],
    [{ ChecksumCRC32: "AAAAAA==" }, "BadDigest"],
    [{ ChecksumSHA256: hash("sha256", "other", "base64") }, "BadDigest"],
  ];
  for (const [more, name] of wrong) await assert.rejects(put(slipway, "bad", "changed", more), { name });
  await assert.rejects(text(slipway, "bad"), { name: "NoSuchKey" });
  const stored = await put(slipway, "k", "x", { ChecksumSHA256: hash("sha256", "x", "base64") });
  assert.equal(stored.ChecksumSHA256, hash("sha256", "x", "base64"));
});

test("keys, metadata and tags have their limits", async () => {
  await using slipway = await system();
  await put(slipway, "ü".repeat(512), "x");
  await assert.rejects(put(slipway, "ü".repeat(513), "x"), { name: "KeyTooLongError" });
  await assert.rejects(put(slipway, "k", "x", { Metadata: { a: "x".repeat(2048) } }), { name: "MetadataTooLarge" });
  const eleven = Array.from({ length: 11 }, (_, index) => `k${index}=v`).join("&");
  await assert.rejects(put(slipway, "k", "x", { Tagging: eleven }), { name: "InvalidTag" });
  await assert.rejects(put(slipway, "k", "x", { Tagging: "aws:x=1" }), { name: "InvalidTag" });
  await assert.rejects(put(slipway, "k", "x", { SSECustomerAlgorithm: "AES256" }), { name: "NotImplemented" });
});

test("versions: every put is one, a deletion is a marker, and each can be taken away", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await put(slipway, "k", "before");
  await versioning(slipway, "Enabled");
  const one = (await put(slipway, "k", "one")).VersionId!;
  const two = (await put(slipway, "k", "two")).VersionId!;
  assert.equal(await text(slipway, "k"), "two");
  assert.equal(await text(slipway, "k", { VersionId: one }), "one");
  assert.equal(await text(slipway, "k", { VersionId: "null" }), "before");

  const marker = await root.send(new sdk.DeleteObjectCommand({ Bucket, Key: "k" }));
  assert.equal(marker.DeleteMarker, true);
  await assert.rejects(text(slipway, "k"), { name: "NoSuchKey" });
  await assert.rejects(text(slipway, "k", { VersionId: marker.VersionId }), { name: "MethodNotAllowed" });
  assert.deepEqual((await root.send(new sdk.ListObjectsV2Command({ Bucket }))).Contents, []);

  const listed = await root.send(new sdk.ListObjectVersionsCommand({ Bucket }));
  assert.deepEqual(
    listed.Versions!.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
    [
      [two, false],
      [one, false],
      ["null", false],
    ],
  );
  assert.deepEqual(
    listed.DeleteMarkers!.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
    [[marker.VersionId, true]],
  );

  await root.send(new sdk.DeleteObjectCommand({ Bucket, Key: "k", VersionId: marker.VersionId }));
  assert.equal(await text(slipway, "k"), "two");
  await root.send(new sdk.DeleteObjectCommand({ Bucket, Key: "k", VersionId: two }));
  assert.equal(await text(slipway, "k"), "one");
  await assert.rejects(text(slipway, "k", { VersionId: two }), { name: "NoSuchVersion" });

  await versioning(slipway, "Suspended");
  assert.equal((await put(slipway, "k", "suspended")).VersionId, "null");
  assert.equal(await text(slipway, "k", { VersionId: "null" }), "suspended");
  assert.equal(await text(slipway, "k", { VersionId: one }), "one");
  assert.equal((await root.send(new sdk.GetBucketVersioningCommand({ Bucket }))).Status, "Suspended");
});

test("versions are listed page by page", async () => {
  await using slipway = await system();
  await versioning(slipway, "Enabled");
  for (const Key of ["a", "a", "a", "b/1", "b/2", "c"]) await put(slipway, Key, "x");
  const seen: string[] = [];
  let page: Partial<sdk.ListObjectVersionsCommandOutput> = {};
  do {
    page = await slipway.root.send(
      new sdk.ListObjectVersionsCommand({
        Bucket,
        Delimiter: "/",
        MaxKeys: 2,
        KeyMarker: page.NextKeyMarker,
        VersionIdMarker: page.NextVersionIdMarker,
      }),
    );
    seen.push(...page.Versions!.map(({ Key }) => Key!), ...page.CommonPrefixes!.map(({ Prefix }) => Prefix!));
  } while (page.IsTruncated);
  assert.deepEqual(seen, ["a", "a", "a", "b/", "c"]);
});

test("objects are listed with prefix, delimiter, limit and markers", async () => {
  await using slipway = await system();
  const { root } = slipway;
  for (const Key of ["a/1", "a/2", "b", "c/x/1", "ü +&"]) await put(slipway, Key, "x");
  const all = await root.send(new sdk.ListObjectsV2Command({ Bucket, EncodingType: "url" }));
  assert.deepEqual(
    all.Contents!.map(({ Key }) => Key),
    ["a/1", "a/2", "b", "c/x/1", "%C3%BC%20%2B%26"],
  );
  const seen: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page: sdk.ListObjectsV2CommandOutput = (await root.send(
      new sdk.ListObjectsV2Command({ Bucket, Delimiter: "/", MaxKeys: 1, ContinuationToken }),
    )) as sdk.ListObjectsV2CommandOutput;
    assert.equal(page.KeyCount, 1);
    seen.push(...page.Contents!.map(({ Key }) => Key!), ...page.CommonPrefixes!.map(({ Prefix }) => Prefix!));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  assert.deepEqual(seen, ["a/", "b", "c/", "ü +&"]);
  const after = await root.send(new sdk.ListObjectsV2Command({ Bucket, StartAfter: "a/2", MaxKeys: 1 }));
  assert.deepEqual(
    after.Contents!.map(({ Key }) => Key),
    ["b"],
  );
  assert.equal(after.IsTruncated, true);
  const older = await root.send(new sdk.ListObjectsCommand({ Bucket, Delimiter: "/", MaxKeys: 1 }));
  assert.equal(older.NextMarker, "a/");
  const next = await root.send(new sdk.ListObjectsCommand({ Bucket, Delimiter: "/", Marker: "a/", MaxKeys: 1 }));
  assert.deepEqual(
    next.Contents!.map(({ Key }) => Key),
    ["b"],
  );
  const none = await root.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
  assert.equal(none.IsTruncated, false);
  for (const bad of [{ MaxKeys: -1 }, { ContinuationToken: "forged" }]) {
    await assert.rejects(root.send(new sdk.ListObjectsV2Command({ Bucket, ...bad })), { name: "InvalidArgument" });
  }
});

test("copies keep what they are not told to replace", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await put(slipway, "from here", "content", { Metadata: { a: "1" }, ContentType: "text/x", Tagging: "t=1" });
  const copy = (more: Partial<sdk.CopyObjectCommandInput>) =>
    root.send(new sdk.CopyObjectCommand({ Bucket, Key: "to", CopySource: `/${Bucket}/from%20here`, ...more }));
  await copy({});
  const kept = await root.send(new sdk.HeadObjectCommand({ Bucket, Key: "to" }));
  assert.deepEqual([kept.Metadata, kept.ContentType, kept.TagCount], [{ a: "1" }, "text/x", 1]);
  await copy({ MetadataDirective: "REPLACE", Metadata: { b: "2" }, TaggingDirective: "REPLACE" });
  const replaced = await root.send(new sdk.HeadObjectCommand({ Bucket, Key: "to" }));
  assert.deepEqual(
    [replaced.Metadata, replaced.ContentType, replaced.TagCount],
    [{ b: "2" }, "binary/octet-stream", undefined],
  );
  assert.equal(await text(slipway, "to"), "content");
  await assert.rejects(copy({ Key: "from here" }), { name: "InvalidRequest", message: /copy an object to itself/ });
  await assert.rejects(copy({ CopySource: `${Bucket}/absent` }), { name: "NoSuchKey" });
  await assert.rejects(copy({ CopySource: "nowhere" }), { name: "InvalidArgument" });
  await assert.rejects(copy({ CopySourceIfMatch: '"x"' }), { name: "PreconditionFailed" });
});

test("DeleteObjects deletes what is there and what is not, quietly if asked", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await put(slipway, "a", "x");
  const Objects = [{ Key: "a" }, { Key: "never there" }];
  const loud = await root.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.deepEqual(
    loud.Deleted!.map(({ Key }) => Key),
    ["a", "never there"],
  );
  const quiet = await root.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  assert.deepEqual(quiet.Deleted, []);
  await assert.rejects(root.send(new sdk.DeleteObjectsCommand({ Bucket, Delete: { Objects: [] } })), {
    name: "MalformedXML",
  });
});

test("tags of objects", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const named = { Bucket, Key: "k" };
  await put(slipway, "k", "x");
  const TagSet = [{ Key: "a", Value: "1" }];
  await root.send(new sdk.PutObjectTaggingCommand({ ...named, Tagging: { TagSet } }));
  assert.deepEqual((await root.send(new sdk.GetObjectTaggingCommand(named))).TagSet, TagSet);
  await root.send(new sdk.DeleteObjectTaggingCommand(named));
  assert.deepEqual((await root.send(new sdk.GetObjectTaggingCommand(named))).TagSet, []);
  await assert.rejects(root.send(new sdk.GetObjectTaggingCommand({ Bucket, Key: "absent" })), { name: "NoSuchKey" });
});

test("a blob lives as long as something uses it", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const blob = hash("sha256", "shared");
  const stored = () => blobsOf(slipway).has(blob);
  await put(slipway, "one", "shared");
  await put(slipway, "two", "shared");
  await root.send(new sdk.CopyObjectCommand({ Bucket, Key: "three", CopySource: `${Bucket}/one` }));
  await put(slipway, "one", "overwritten");
  await root.send(new sdk.DeleteObjectCommand({ Bucket, Key: "two" }));
  await sweepBlob(slipway, blob);
  assert.equal(await stored(), true, "the copy still uses it");
  assert.equal(await text(slipway, "three"), "shared");
  await root.send(new sdk.DeleteObjectCommand({ Bucket, Key: "three" }));
  assert.equal(await stored(), true, "readers get some time");
  await put(slipway, "again", "shared");
  await sweepBlob(slipway, blob);
  assert.equal(await text(slipway, "again"), "shared", "a new user saves it");
  await root.send(new sdk.DeleteObjectCommand({ Bucket, Key: "again" }));
  await sweepBlob(slipway, blob);
  assert.equal(await stored(), false);
  // A put whose blob was swept between its bytes and its row must not leave a row without bytes.
  await assert.rejects(
    inTransaction(slipway.db, (trx) => useBlobs(slipway, trx, [blob])),
    { name: "SlowDown" },
  );
});

test("a put inside a transaction that fails leaves nothing", async () => {
  await using slipway = await system();
  const failing = inTransaction(slipway.db, async (trx) => {
    await slipway.root.within(trx).send(new sdk.PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    throw new Error("rolled back");
  });
  await assert.rejects(failing, /rolled back/);
  await assert.rejects(text(slipway, "k"), { name: "NoSuchKey" });
});

test("concurrent puts of a key leave one latest version", async () => {
  await using slipway = await system();
  await versioning(slipway, "Enabled");
  await Promise.all(Array.from({ length: 10 }, (_, index) => put(slipway, "k", `body ${index}`)));
  const { Versions } = await slipway.root.send(new sdk.ListObjectVersionsCommand({ Bucket }));
  assert.equal(Versions!.length, 10);
  assert.deepEqual(
    Versions!.filter(({ IsLatest }) => IsLatest).map(({ VersionId }) => VersionId),
    [Versions![0]!.VersionId],
  );
});
