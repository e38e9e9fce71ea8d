/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html and UploadPartCopy */
import type * as sdk from "@aws-sdk/client-s3";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { writeAccess } from "../access.ts";
import { shownVersion } from "../attributes.ts";
import { MAX_BODY_BYTES, type ReceivedBody, receivedBody, storedBody } from "../body.ts";
import { DEFAULT_ALGORITHM, toAlgorithm } from "../checksums.ts";
import { type ByteRange, byteRange, content } from "../content.ts";
import { copySource } from "../copy-source.ts";
import { invalidArgument, noSuchUpload, s3Error } from "../errors.ts";
import { type ObjectVersion, quoted, type Upload } from "../model.ts";
import { blobsOf, dropBlob, releaseBlobs, useBlobs } from "../store/blob-uses.ts";
import { findUpload, listParts, putPart } from "../store/uploads.ts";
import { existingUpload } from "./multipart-uploads.ts";

const MAX_PART_NUMBER = 10_000;

export const UploadPart: OperationOf<sdk.UploadPartCommand> = {
  authorize: writeAccess({ creates: false }),
  async run(input, call) {
    requirePartNumber(input.PartNumber!);
    const upload = await existingUpload(input, call);
    const body = await receivedBody(input, call, partAlgorithm(upload));
    await storePart(upload, input.PartNumber!, body, call);
    return { ETag: quoted(body.md5), ...body.checksums, ...upload.attributes.encryption };
  },
};

export const UploadPartCopy: OperationOf<sdk.UploadPartCopyCommand> = {
  authorize: writeAccess({ creates: false }),
  async run(input, call) {
    requirePartNumber(input.PartNumber!);
    const upload = await existingUpload(input, call);
    const source = await copySource(input, call);
    const range = copiedRange(input.CopySourceRange, source.version);
    const stream = await content(blobsOf(call.system), source.version.segments, range);
    const body = await storedBody(stream, [partAlgorithm(upload)], call);
    await storePart(upload, input.PartNumber!, body, call);
    return {
      CopySourceVersionId: shownVersion(source.bucket, source.version.versionId),
      CopyPartResult: { ETag: quoted(body.md5), LastModified: call.now, ...body.checksums },
      ...upload.attributes.encryption,
    };
  },
};

/** So that CompleteMultipartUpload finds on every part what it needs. */
function partAlgorithm({ attributes }: Upload) {
  return toAlgorithm(attributes.checksumAlgorithm) ?? DEFAULT_ALGORITHM;
}

function requirePartNumber(number: number): void {
  if (!Number.isInteger(number) || number < 1 || number > MAX_PART_NUMBER) {
    throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", number);
  }
}

/** Unlike `Range`, it must lie inside the source. */
function copiedRange(text: string | undefined, { size }: ObjectVersion): ByteRange | undefined {
  if (text === undefined) {
    if (size > MAX_BODY_BYTES) throw s3Error("EntityTooLarge");
    return undefined;
  }
  const range = /^bytes=\d+-\d+$/.test(text) ? byteRange(text, size) : undefined;
  if (range === undefined || range === "unsatisfiable" || range.end !== Number(text.split("-")[1])) {
    const message =
      range === undefined
        ? "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
        : `Range specified is not valid for source object of size: ${size}`;
    throw invalidArgument(message, "x-amz-copy-source-range", text);
  }
  return range;
}

/** Replaces a part of the same number; the upload may have been completed while the bytes came in. */
async function storePart(upload: Upload, number: number, body: ReceivedBody, call: Call): Promise<void> {
  await inTransaction(call.db, async (trx) => {
    if (!(await findUpload(trx, upload.bucket, upload.key, upload.id))) throw noSuchUpload();
    const [replaced] = (await listParts(trx, upload.id, number - 1, 1)).filter((part) => part.number === number);
    await useBlobs(call.system, trx, [body.sha256]);
    const { sha256, size, md5, checksums } = body;
    await putPart(trx, { uploadId: upload.id, number, sha256, size, md5, checksums, lastModified: call.now.getTime() });
    if (replaced) await releaseBlobs(call.system, trx, [replaced.sha256], call.now);
  }).catch(async (error: unknown) => {
    await dropBlob(call.system, call.db, body.sha256, call.now);
    throw error;
  });
}
