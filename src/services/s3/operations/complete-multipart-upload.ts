/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
import type * as sdk from "@aws-sdk/client-s3";
import { type ChecksumAlgorithm, createChecksum } from "#gateway/auth/checksums.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { writeAccess } from "../access.ts";
import { shownVersion } from "../attributes.ts";
import { shownChecksums } from "../checksum-view.ts";
import {
  type Checksums,
  checksumName,
  compositeChecksum,
  DEFAULT_ALGORITHM,
  givenChecksums,
  multipartEtag,
  toAlgorithm,
} from "../checksums.ts";
import { content, sizeOf } from "../content.ts";
import { noSuchUpload, s3Error } from "../errors.ts";
import { type Part, quoted, type StoredAttributes, type Upload, unquoted } from "../model.ts";
import { blobsOf, releaseBlobs } from "../store/blob-uses.ts";
import { deleteUpload, listParts } from "../store/uploads.ts";
import { writeObject } from "../versions.ts";
import { existingUpload } from "./multipart-uploads.ts";

/** Every part but the last. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_BYTES = 5 * 1024 * 1024;

export const CompleteMultipartUpload: OperationOf<sdk.CompleteMultipartUploadCommand> = {
  authorize: writeAccess({ creates: true }),
  async run(input, call) {
    const upload = await existingUpload(input, call);
    const stored = await listParts(call.db, upload.id);
    const parts = chosenParts(input.MultipartUpload?.Parts ?? [], stored, upload);
    const segments = parts.map(({ sha256, size }) => ({ sha256, size }));
    const size = sizeOf(segments);
    if (input.MpuObjectSize !== undefined && Number(input.MpuObjectSize) !== size) {
      const message = `The provided 'x-amz-mp-object-size' header value ${input.MpuObjectSize} does not match what was computed: ${size}`;
      throw s3Error("InvalidRequest", { message });
    }
    const attributes = await completedAttributes(upload, parts, call);
    requireChecksums(input, attributes);
    const { bucket, version } = await writeObject(
      call,
      upload.bucket,
      { key: upload.key, size, etag: multipartEtag(parts.map(({ md5 }) => md5)), segments, attributes },
      input,
      async (trx) => {
        // The parts' own uses end with the upload; the object has taken over those it is made of.
        const current = await listParts(trx, upload.id);
        if (!(await deleteUpload(trx, upload.id))) throw noSuchUpload();
        await releaseBlobs(
          call.system,
          trx,
          current.map(({ sha256 }) => sha256),
          call.now,
        );
      },
    );
    return {
      Location: `${call.http ? `http://${call.http.host}/${bucket.name}` : `https://${bucket.name}.s3.amazonaws.com`}/${encodeURIComponent(upload.key).replaceAll("%2F", "/")}`,
      Bucket: bucket.name,
      Key: upload.key,
      ETag: quoted(version.etag),
      VersionId: shownVersion(bucket, version.versionId),
      ...shownChecksums(version),
      ...attributes.encryption,
    };
  },
};

/** Throws MalformedXML, InvalidPartOrder, InvalidPart and EntityTooSmall. */
function chosenParts(listed: readonly sdk.CompletedPart[], stored: readonly Part[], upload: Upload): readonly Part[] {
  if (listed.length === 0) throw s3Error("MalformedXML");
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  const algorithm = toAlgorithm(upload.attributes.checksumAlgorithm);
  let before = 0;
  const parts = listed.map((given) => {
    const number = given.PartNumber ?? 0;
    if (number <= before) throw s3Error("InvalidPartOrder", { members: { UploadId: upload.id } });
    before = number;
    const part = byNumber.get(number);
    const etag = unquoted(given.ETag ?? "");
    const wrongSum = Object.entries(givenChecksums(given)).some(
      ([name, value]) =>
        part?.checksums[name as keyof Checksums] !== undefined && part.checksums[name as keyof Checksums] !== value,
    );
    if (!part || part.md5 !== etag || wrongSum) {
      throw s3Error("InvalidPart", { members: { UploadId: upload.id, PartNumber: number, ETag: etag } });
    }
    if (upload.attributes.checksumType === "COMPOSITE" && algorithm && !given[checksumName(algorithm)]) {
      const message = `The upload was created using a ${algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`;
      throw s3Error("InvalidRequest", { message });
    }
    return part;
  });
  const small = parts.slice(0, -1).find(({ size }) => size < MIN_PART_BYTES);
  if (small) {
    throw s3Error("EntityTooSmall", {
      members: { ETag: small.md5, MinSizeAllowed: MIN_PART_BYTES, ProposedSize: small.size, PartNumber: small.number },
    });
  }
  return parts;
}

async function completedAttributes(upload: Upload, parts: readonly Part[], call: Call): Promise<StoredAttributes> {
  const { checksumAlgorithm, checksumType, ...attributes } = upload.attributes;
  const algorithm = toAlgorithm(checksumAlgorithm) ?? DEFAULT_ALGORITHM;
  const name = checksumName(algorithm);
  const type = checksumType ?? "FULL_OBJECT";
  const checksum =
    type === "COMPOSITE"
      ? compositeChecksum(
          algorithm,
          parts.map((part) => part.checksums[name] ?? ""),
        )
      : await fullChecksum(algorithm, parts, call);
  return {
    ...attributes,
    checksums: { [name]: checksum },
    checksumType: type,
    parts: parts.map(({ number, size, checksums }) => ({ number, size, checksums })),
  };
}

/** Reads everything once more: the parts' checksums say nothing about the whole. */
async function fullChecksum(algorithm: ChecksumAlgorithm, parts: readonly Part[], call: Call): Promise<string> {
  if (parts.length === 1) return parts[0]!.checksums[checksumName(algorithm)]!;
  const checksum = createChecksum(algorithm);
  const stream = await content(blobsOf(call.system), parts);
  for await (const chunk of stream as AsyncIterable<Buffer>) checksum.update(chunk);
  return checksum.digest();
}

/** The client may say what the whole has to be. */
function requireChecksums(input: Checksums, attributes: StoredAttributes): void {
  for (const [name, value] of Object.entries(givenChecksums(input))) {
    const computed = attributes.checksums[name as keyof Checksums];
    if (computed !== undefined && computed !== value.replace(/-\d+$/, "")) throw s3Error("BadDigest");
  }
}
