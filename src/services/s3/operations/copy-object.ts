/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
import type * as sdk from "@aws-sdk/client-s3";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { existingBucket, requireObjectAccess, writeAccess } from "../access.ts";
import { objectAttributes, shownVersion } from "../attributes.ts";
import { MAX_BODY_BYTES, storedBody } from "../body.ts";
import { shownChecksums } from "../checksum-view.ts";
import { checksumName, DEFAULT_ALGORITHM, toAlgorithm } from "../checksums.ts";
import { content } from "../content.ts";
import { copySource } from "../copy-source.ts";
import { s3Error } from "../errors.ts";
import { type ObjectAttributes, type ObjectVersion, quoted, type StoredAttributes } from "../model.ts";
import { blobsOf } from "../store/blob-uses.ts";
import { type NewVersion, writeObject } from "../versions.ts";

export const CopyObject: OperationOf<sdk.CopyObjectCommand> = {
  authorize: writeAccess({ creates: true }),
  async run(input, call) {
    const target = await existingBucket(input, call);
    const source = await copySource(input, call);
    requireCopyable(input, source.version);
    const asked = await objectAttributes(input, target, call);
    const attributes: ObjectAttributes = {
      ...asked,
      ...(input.MetadataDirective !== "REPLACE" && {
        headers: source.version.attributes.headers,
        metadata: source.version.attributes.metadata,
      }),
      tags: input.TaggingDirective === "REPLACE" ? asked.tags : source.version.attributes.tags,
    };
    if (input.TaggingDirective === "REPLACE" && input.Tagging) {
      await requireObjectAccess(call, "s3:PutObjectTagging", target.name, input.Key!, input);
    }
    const bytes = await copiedBytes(source.version, input.ChecksumAlgorithm, call);
    const copy = { key: input.Key!, ...bytes, attributes: { ...attributes, ...bytes.attributes } };
    const { bucket, version } = await writeObject(call, target.name, copy, input);
    return {
      CopyObjectResult: {
        ETag: quoted(version.etag),
        LastModified: new Date(version.lastModified),
        ...shownChecksums(version),
      },
      CopySourceVersionId: shownVersion(source.bucket, source.version.versionId),
      VersionId: shownVersion(bucket, version.versionId),
      ...attributes.encryption,
    };
  },
};

interface CopyInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly MetadataDirective?: string | undefined;
  readonly TaggingDirective?: string | undefined;
  readonly StorageClass?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
}

function requireCopyable(input: CopyInput, source: ObjectVersion): void {
  if (source.size > MAX_BODY_BYTES) {
    const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_BODY_BYTES}`;
    throw s3Error("InvalidRequest", { message });
  }
  const toItself = source.latest && input.Bucket === source.bucket && input.Key === source.key;
  const changes =
    input.MetadataDirective === "REPLACE" ||
    input.TaggingDirective === "REPLACE" ||
    input.StorageClass !== undefined ||
    input.WebsiteRedirectLocation !== undefined ||
    input.ServerSideEncryption !== undefined;
  if (toItself && !changes) {
    throw s3Error("InvalidRequest", {
      message:
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    });
  }
}

type Bytes = Pick<NewVersion, "size" | "etag" | "segments"> & {
  attributes: Pick<StoredAttributes, "checksums" | "checksumType">;
};

/** The same blob where it can be; a multipart object becomes a plain one, with the MD5 of its bytes as ETag. */
async function copiedBytes(source: ObjectVersion, askedAlgorithm: string | undefined, call: Call): Promise<Bytes> {
  const known = Object.keys(source.attributes.checksums);
  const asked = toAlgorithm(askedAlgorithm);
  const plain = source.attributes.parts === undefined && source.segments.length === 1;
  if (plain && (!asked || known.includes(checksumName(asked)))) {
    const { size, etag, segments } = source;
    return {
      size,
      etag,
      segments,
      attributes: { checksums: source.attributes.checksums, checksumType: "FULL_OBJECT" },
    };
  }
  const stream = await content(blobsOf(call.system), source.segments);
  const body = await storedBody(stream, [asked ?? DEFAULT_ALGORITHM], call);
  return {
    size: body.size,
    etag: body.md5,
    segments: [{ sha256: body.sha256, size: body.size }],
    attributes: { checksums: body.checksums, checksumType: "FULL_OBJECT" },
  };
}
