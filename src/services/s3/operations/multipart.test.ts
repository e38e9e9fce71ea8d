import assert from "node:assert/strict";
import { hash } from "node:crypto";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import * as sdk from "@aws-sdk/client-s3";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { s3 } from "../index.ts";
import { blobsOf, sweepBlob } from "../store/blob-uses.ts";

const named = { Bucket: "parts", Key: "big file" };
const LARGE = Buffer.alloc(5 * 1024 * 1024, "large part ");
const SMALL = Buffer.from("the end");

async function system(): Promise<TestSystem> {
  const slipway = await testSystem({ services: [s3], work: false });
  await slipway.root.send(new sdk.CreateBucketCommand(named));
  return slipway;
}

async function started({ root }: TestSystem, more: Partial<sdk.CreateMultipartUploadCommandInput> = {}) {
  const { UploadId } = await root.send(new sdk.CreateMultipartUploadCommand({ ...named, ...more }));
  return { ...named, UploadId: UploadId! };
}

type Started = Awaited<ReturnType<typeof started>>;

async function part(
  { root }: TestSystem,
  upload: Started,
  PartNumber: number,
  Body: Buffer,
): Promise<sdk.CompletedPart> {
  const { ETag, ChecksumCRC32 } = await root.send(new sdk.UploadPartCommand({ ...upload, PartNumber, Body }));
  return { PartNumber, ETag, ChecksumCRC32 };
}

const complete = ({ root }: TestSystem, upload: Started, ...Parts: sdk.CompletedPart[]) =>
  root.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));

async function bytes({ root }: TestSystem, more: Partial<sdk.GetObjectCommandInput> = {}): Promise<Buffer> {
  const { Body } = await root.send(new sdk.GetObjectCommand({ ...named, ...more }));
  return Buffer.concat(await (Body as Readable).toArray());
}

const md5 = (data: Buffer) => hash("md5", data, "buffer");

test("parts become one object with an ETag of its own kind, readable whole, by range and by part", async () => {
  await using slipway = await system();
  const upload = await started(slipway, { ContentType: "text/x", Metadata: { a: "b" } });
  const [two, one] = [await part(slipway, upload, 7, SMALL), await part(slipway, upload, 2, LARGE)];
  const completed = await complete(slipway, upload, one, two);
  assert.equal(completed.ETag, `"${hash("md5", Buffer.concat([md5(LARGE), md5(SMALL)]))}-2"`);
  assert.equal(completed.Location, "https://parts.s3.amazonaws.com/big%20file");
  assert.ok((await bytes(slipway)).equals(Buffer.concat([LARGE, SMALL])));
  const across = await bytes(slipway, { Range: `bytes=${LARGE.length - 2}-${LARGE.length + 2}` });
  assert.ok(across.equals(Buffer.concat([LARGE.subarray(-2), SMALL.subarray(0, 3)])));
  assert.ok((await bytes(slipway, { PartNumber: 7 })).equals(SMALL));
  await assert.rejects(bytes(slipway, { PartNumber: 3 }), { name: "InvalidPartNumber" });
  const head = await slipway.root.send(new sdk.HeadObjectCommand({ ...named, PartNumber: 2 }));
  assert.deepEqual([head.PartsCount, head.ContentLength, head.ContentType], [2, LARGE.length, "text/x"]);
  const attributes = await slipway.root.send(
    new sdk.GetObjectAttributesCommand({ ...named, ObjectAttributes: ["ObjectParts", "ObjectSize"], MaxParts: 1 }),
  );
  assert.equal(attributes.ObjectSize, LARGE.length + SMALL.length);
  assert.deepEqual(
    attributes.ObjectParts!.Parts!.map(({ PartNumber }) => PartNumber),
    [2],
  );
  assert.equal(attributes.ObjectParts!.IsTruncated, true);
  await assert.rejects(complete(slipway, upload, one, two), { name: "NoSuchUpload" });
});

test("composite and full checksums", async () => {
  await using slipway = await system();
  const sum = (data: Buffer) => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(crc32(data));
    return buffer;
  };
  const composite = await started(slipway, { ChecksumAlgorithm: "CRC32" });
  const parts = [await part(slipway, composite, 1, LARGE), await part(slipway, composite, 2, SMALL)];
  const withoutSums = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
  await assert.rejects(complete(slipway, composite, ...withoutSums), {
    name: "InvalidRequest",
    message: /checksum for each part/,
  });
  const first = await complete(slipway, composite, ...parts);
  assert.equal(first.ChecksumCRC32, `${sum(Buffer.concat([sum(LARGE), sum(SMALL)])).toString("base64")}-2`);
  assert.equal(first.ChecksumType, "COMPOSITE");

  const full = await started(slipway, { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
  const again = [await part(slipway, full, 1, LARGE), await part(slipway, full, 2, SMALL)];
  const second = await complete(slipway, full, ...again);
  assert.equal(second.ChecksumCRC32, sum(Buffer.concat([LARGE, SMALL])).toString("base64"));
  await assert.rejects(started(slipway, { ChecksumAlgorithm: "SHA256", ChecksumType: "FULL_OBJECT" }), {
    name: "InvalidRequest",
  });
});

test("completing wants the right parts in the right order and size", async () => {
  await using slipway = await system();
  const upload = await started(slipway);
  const one = await part(slipway, upload, 1, SMALL);
  const two = await part(slipway, upload, 2, SMALL);
  await assert.rejects(complete(slipway, upload), { name: "MalformedXML" });
  await assert.rejects(complete(slipway, upload, two, one), { name: "InvalidPartOrder" });
  await assert.rejects(complete(slipway, upload, one, { ...two, ETag: '"x"' }), { name: "InvalidPart" });
  await assert.rejects(complete(slipway, upload, one, { ...two, PartNumber: 3 }), { name: "InvalidPart" });
  await assert.rejects(complete(slipway, upload, one, two), { name: "EntityTooSmall" });
  await assert.rejects(part(slipway, upload, 10_001, SMALL), { name: "InvalidArgument" });
  await complete(slipway, upload, one);
  assert.ok((await bytes(slipway)).equals(SMALL));
});

test("parts are copied from objects, by range", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await root.send(new sdk.PutObjectCommand({ Bucket: "parts", Key: "source", Body: "0123456789" }));
  const upload = await started(slipway);
  const copy = (CopySourceRange: string) =>
    root.send(new sdk.UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource: "parts/source", CopySourceRange }));
  const { CopyPartResult } = await copy("bytes=2-4");
  await assert.rejects(copy("bytes=2-40"), { name: "InvalidArgument" });
  await complete(slipway, upload, { PartNumber: 1, ETag: CopyPartResult!.ETag });
  assert.equal((await bytes(slipway)).toString(), "234");
});

test("uploads and parts are listed, and an abort frees their bytes", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const upload = await started(slipway);
  const other = await started(slipway, { Key: "other" });
  await part(slipway, upload, 1, Buffer.from("replaced"));
  await part(slipway, upload, 1, Buffer.from("kept"));
  await part(slipway, upload, 2, SMALL);
  const page = await root.send(new sdk.ListPartsCommand({ ...upload, MaxParts: 1 }));
  assert.deepEqual(
    [page.Parts!.map(({ Size }) => Size), page.IsTruncated, page.NextPartNumberMarker],
    [[4], true, "1"],
  );
  const rest = await root.send(new sdk.ListPartsCommand({ ...upload, PartNumberMarker: page.NextPartNumberMarker }));
  assert.deepEqual(
    rest.Parts!.map(({ PartNumber }) => PartNumber),
    [2],
  );

  const uploads = await root.send(new sdk.ListMultipartUploadsCommand({ Bucket: "parts", MaxUploads: 1 }));
  assert.deepEqual(
    uploads.Uploads!.map(({ Key }) => Key),
    ["big file"],
  );
  const next = await root.send(
    new sdk.ListMultipartUploadsCommand({
      Bucket: "parts",
      KeyMarker: uploads.NextKeyMarker,
      UploadIdMarker: uploads.NextUploadIdMarker,
    }),
  );
  assert.deepEqual(
    next.Uploads!.map(({ UploadId }) => UploadId),
    [other.UploadId],
  );

  await root.send(new sdk.AbortMultipartUploadCommand(upload));
  await assert.rejects(root.send(new sdk.ListPartsCommand(upload)), { name: "NoSuchUpload" });
  for (const content of ["replaced", "kept", SMALL]) {
    const blob = hash("sha256", content);
    await sweepBlob(slipway, blob);
    assert.equal(await blobsOf(slipway).has(blob), false);
  }
});

test("a copy of a multipart object is a plain one", async () => {
  await using slipway = await system();
  const upload = await started(slipway);
  await complete(slipway, upload, await part(slipway, upload, 1, SMALL));
  const copy = new sdk.CopyObjectCommand({ Bucket: "parts", Key: "copy", CopySource: "parts/big%20file" });
  assert.equal((await slipway.root.send(copy)).CopyObjectResult!.ETag, `"${hash("md5", SMALL)}"`);
});
