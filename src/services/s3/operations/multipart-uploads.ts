/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
import { randomBytes } from "node:crypto";
import type * as sdk from "@aws-sdk/client-s3";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { bucketAccess, existingBucket, objectAccess, requireObjectAccess, writeAccess } from "../access.ts";
import { objectAttributes } from "../attributes.ts";
import { checksumType, toAlgorithm } from "../checksums.ts";
import { noSuchUpload, s3Error } from "../errors.ts";
import { type Cursor, cursorAt, keyEncoder, listing, pageLimit } from "../listing.ts";
import type { Upload } from "../model.ts";
import { releaseBlobs } from "../store/blob-uses.ts";
import { deleteUpload, findUpload, insertUpload, listParts, listUploads } from "../store/uploads.ts";

export const CreateMultipartUpload: OperationOf<sdk.CreateMultipartUploadCommand> = {
  authorize: writeAccess({ creates: false }),
  async run(input, call) {
    const bucket = await existingBucket(input, call);
    if (input.Tagging) await requireObjectAccess(call, "s3:PutObjectTagging", bucket.name, input.Key!, input);
    const attributes = await objectAttributes(input, bucket, call);
    const algorithm = toAlgorithm(input.ChecksumAlgorithm);
    if (input.ChecksumAlgorithm && !algorithm) throw s3Error("NotImplemented");
    const type = algorithm && checksumType(algorithm, input.ChecksumType);
    if (algorithm && !type) {
      const message = `The ${input.ChecksumType} checksum type cannot be used with the ${algorithm} checksum algorithm.`;
      throw s3Error("InvalidRequest", { message });
    }
    const id = randomBytes(48).toString("base64url");
    await insertUpload(call.db, {
      id,
      bucket: bucket.name,
      key: input.Key!,
      initiatedAt: call.now.getTime(),
      initiator: call.principal.arn,
      attributes: { ...attributes, checksumAlgorithm: algorithm, checksumType: type },
    });
    return {
      Bucket: bucket.name,
      Key: input.Key,
      UploadId: id,
      ChecksumAlgorithm: algorithm && (algorithm.toUpperCase() as sdk.ChecksumAlgorithm),
      ChecksumType: type,
      ...attributes.encryption,
    };
  },
};

export const AbortMultipartUpload: OperationOf<sdk.AbortMultipartUploadCommand> = {
  authorize: objectAccess("s3:AbortMultipartUpload"),
  async run(input, call) {
    const { id } = await existingUpload(input, call);
    await inTransaction(call.db, async (trx) => {
      const parts = await listParts(trx, id);
      if (!(await deleteUpload(trx, id))) throw noSuchUpload();
      await releaseBlobs(
        call.system,
        trx,
        parts.map(({ sha256 }) => sha256),
        call.now,
      );
    });
    return {};
  },
};

export const ListParts: OperationOf<sdk.ListPartsCommand> = {
  authorize: objectAccess("s3:ListMultipartUploadParts"),
  async run(input, call) {
    const upload = await existingUpload(input, call);
    const bucket = await existingBucket(input, call);
    const limit = pageLimit("max-parts", input.MaxParts);
    const after = Number(input.PartNumberMarker ?? 0);
    const found = await listParts(call.db, upload.id, after, limit + 1);
    const page = found.slice(0, limit);
    const { checksumAlgorithm } = upload.attributes;
    return {
      Bucket: upload.bucket,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: String(after),
      NextPartNumberMarker: String(page.at(-1)?.number ?? after),
      MaxParts: limit,
      IsTruncated: limit > 0 && found.length > limit,
      Parts: page.map((part) => ({
        PartNumber: part.number,
        LastModified: new Date(part.lastModified),
        ETag: `"${part.md5}"`,
        Size: part.size,
        ...(checksumAlgorithm && part.checksums),
      })),
      Initiator: { ID: upload.initiator },
      Owner: { ID: bucket.accountId },
      StorageClass: upload.attributes.storageClass as sdk.StorageClass,
      ChecksumAlgorithm: checksumAlgorithm?.toUpperCase() as sdk.ChecksumAlgorithm | undefined,
      ChecksumType: upload.attributes.checksumType,
    };
  },
};

export const ListMultipartUploads: OperationOf<sdk.ListMultipartUploadsCommand> = {
  authorize: bucketAccess("s3:ListBucketMultipartUploads"),
  async run(input, call) {
    const bucket = await existingBucket(input, call);
    const options = {
      prefix: input.Prefix ?? "",
      delimiter: input.Delimiter ?? "",
      limit: pageLimit("max-uploads", input.MaxUploads),
    };
    const page = await listing(options, await uploadCursor(input, options, call), ({ key, entry }, limit) =>
      listUploads(call.db, {
        bucket: bucket.name,
        prefix: options.prefix,
        after: key === "" ? undefined : { key, id: entry?.id },
        limit,
      }),
    );
    const encoded = keyEncoder(input.EncodingType);
    const last = page.next && ("entry" in page.next ? page.next.entry : undefined);
    const nextKey = page.next && ("entry" in page.next ? page.next.entry.key : page.next.commonPrefix);
    return {
      Bucket: bucket.name,
      Prefix: encoded(options.prefix),
      Delimiter: options.delimiter ? encoded(options.delimiter) : undefined,
      KeyMarker: encoded(input.KeyMarker ?? ""),
      UploadIdMarker: input.UploadIdMarker ?? "",
      NextKeyMarker: nextKey === undefined ? undefined : encoded(nextKey),
      NextUploadIdMarker: last?.id,
      MaxUploads: options.limit,
      EncodingType: input.EncodingType,
      IsTruncated: page.next !== undefined,
      Uploads: page.entries.map((upload) => ({
        UploadId: upload.id,
        Key: encoded(upload.key),
        Initiated: new Date(upload.initiatedAt),
        StorageClass: upload.attributes.storageClass as sdk.StorageClass,
        Owner: { ID: bucket.accountId },
        Initiator: { ID: upload.initiator },
        ChecksumAlgorithm: upload.attributes.checksumAlgorithm?.toUpperCase() as sdk.ChecksumAlgorithm | undefined,
        ChecksumType: upload.attributes.checksumType,
      })),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encoded(prefix) })),
    };
  },
};

async function uploadCursor(
  input: {
    readonly Bucket?: string | undefined;
    readonly KeyMarker?: string | undefined;
    readonly UploadIdMarker?: string | undefined;
  },
  options: { readonly prefix: string; readonly delimiter: string },
  call: Call,
): Promise<Cursor<Upload>> {
  const { KeyMarker: key = "", UploadIdMarker: id } = input;
  if (key === "" || !id) return cursorAt(key, options);
  return { key, entry: await findUpload(call.db, input.Bucket!, key, id) };
}

interface UploadInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Throws NoSuchBucket and NoSuchUpload. */
export async function existingUpload(input: UploadInput, call: Call): Promise<Upload> {
  const bucket = await existingBucket(input, call);
  const upload = await findUpload(call.db, bucket.name, input.Key!, input.UploadId!);
  if (!upload) throw noSuchUpload();
  return upload;
}
