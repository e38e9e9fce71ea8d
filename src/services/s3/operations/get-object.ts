/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, HeadObject and GetObjectAttributes. */
import type * as sdk from "@aws-sdk/client-s3";
import type { Call } from "#gateway/context.ts";
import { WireError } from "#gateway/errors.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { existingBucket, objectAccess, requireListAccess } from "../access.ts";
import { headersOf, shownVersion } from "../attributes.ts";
import { shownChecksums } from "../checksum-view.ts";
import { type Conditions, readOutcome } from "../conditions.ts";
import { type ByteRange, byteRange, content } from "../content.ts";
import { noSuchKey, notFound, s3Error } from "../errors.ts";
import { type Bucket, type ObjectVersion, quoted } from "../model.ts";
import { blobsOf } from "../store/blob-uses.ts";
import { findObject } from "../store/objects.ts";

export const GetObject: OperationOf<sdk.GetObjectCommand> = {
  authorize: objectAccess("s3:GetObject", "s3:GetObjectVersion"),
  async run(input, call) {
    const { bucket, version } = await requestedVersion(input, call);
    const selection = selected(input, version);
    return {
      ...objectHeaders(input, bucket, version, selection),
      ...(input.ResponseCacheControl !== undefined && { CacheControl: input.ResponseCacheControl }),
      ...(input.ResponseContentDisposition !== undefined && { ContentDisposition: input.ResponseContentDisposition }),
      ...(input.ResponseContentEncoding !== undefined && { ContentEncoding: input.ResponseContentEncoding }),
      ...(input.ResponseContentLanguage !== undefined && { ContentLanguage: input.ResponseContentLanguage }),
      ...(input.ResponseContentType !== undefined && { ContentType: input.ResponseContentType }),
      ...(input.ResponseExpires && { Expires: input.ResponseExpires }),
      Body: await content(blobsOf(call.system), version.segments, selection?.range),
    };
  },
};

export const HeadObject: OperationOf<sdk.HeadObjectCommand> = {
  authorize: objectAccess("s3:GetObject", "s3:GetObjectVersion"),
  async run(input, call) {
    const { bucket, version } = await requestedVersion(input, call).catch((error: Error) => {
      throw error.name === "NoSuchKey" || error.name === "NoSuchBucket" ? notFound() : error;
    });
    return objectHeaders(input, bucket, version, selected(input, version));
  },
};

const MAX_PARTS = 1000;

export const GetObjectAttributes: OperationOf<sdk.GetObjectAttributesCommand> = {
  authorize: objectAccess("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"),
  async run(input, call) {
    const { bucket, version } = await requestedVersion(input, call);
    const { attributes } = version;
    const wanted = new Set(input.ObjectAttributes!.flatMap((names) => names.split(",")).map((name) => name.trim()));
    const after = Number(input.PartNumberMarker ?? 0);
    const maximum = Math.min(input.MaxParts ?? MAX_PARTS, MAX_PARTS);
    const following = (attributes.parts ?? []).filter(({ number }) => number > after);
    const page = following.slice(0, maximum);
    return {
      LastModified: new Date(version.lastModified),
      VersionId: shownVersion(bucket, version.versionId),
      ETag: wanted.has("ETag") ? version.etag : undefined,
      Checksum: wanted.has("Checksum") ? shownChecksums(version) : undefined,
      ObjectSize: wanted.has("ObjectSize") ? version.size : undefined,
      StorageClass: wanted.has("StorageClass") ? (attributes.storageClass as sdk.StorageClass) : undefined,
      ObjectParts:
        wanted.has("ObjectParts") && attributes.parts
          ? {
              TotalPartsCount: attributes.parts.length,
              PartNumberMarker: String(after),
              NextPartNumberMarker: String(page.at(-1)?.number ?? after),
              MaxParts: maximum,
              IsTruncated: following.length > page.length,
              Parts: page.map(({ number, size, checksums }) => ({ PartNumber: number, Size: size, ...checksums })),
            }
          : undefined,
    };
  },
};

interface VersionInput extends Conditions {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Throws what a request for an object answers where there is none, or its conditions do not hold. */
export async function requestedVersion(
  input: VersionInput,
  call: Call,
): Promise<{ bucket: Bucket; version: ObjectVersion }> {
  const bucket = await existingBucket(input, call);
  const version = await findObject(call.db, bucket.name, input.Key!, input.VersionId);
  if (!version) {
    await requireListAccess(call, bucket.name);
    if (input.VersionId === undefined) throw noSuchKey();
    throw s3Error("NoSuchVersion", { members: { Key: input.Key, VersionId: input.VersionId } });
  }
  if (version.deleteMarker) throw deleteMarkerError(version, input.VersionId !== undefined);
  const outcome = readOutcome(input, version);
  if (outcome === "failed") throw s3Error("PreconditionFailed");
  if (outcome === "not-modified") {
    const headers = { etag: quoted(version.etag), "last-modified": new Date(version.lastModified).toUTCString() };
    throw s3Error("NotModified", { headers });
  }
  return { bucket, version };
}

/** A marker is like nothing, unless it is named: then it cannot be read. */
function deleteMarkerError({ versionId }: ObjectVersion, named: boolean): Error {
  const headers = { "x-amz-delete-marker": "true", "x-amz-version-id": versionId };
  if (named) return s3Error("MethodNotAllowed", { headers: { ...headers, allow: "DELETE" } });
  return new WireError("NoSuchKey", 404, "The specified key does not exist.", {}, headers);
}

/** A part of the object's bytes; `range` is undefined only for an empty part. */
interface Selection {
  readonly range: ByteRange | undefined;
  readonly partsCount: number | undefined;
}

/** undefined: the whole object. */
function selected(
  { Range, PartNumber }: { readonly Range?: string | undefined; readonly PartNumber?: number | undefined },
  { size, attributes, segments }: ObjectVersion,
): Selection | undefined {
  if (PartNumber !== undefined) {
    if (Range !== undefined) {
      throw s3Error("InvalidRequest", { message: "Cannot specify both Range header and partNumber query parameter" });
    }
    const index = attributes.parts ? attributes.parts.findIndex(({ number }) => number === PartNumber) : PartNumber - 1;
    const segment = segments[index];
    if (!segment && !(size === 0 && PartNumber === 1)) throw s3Error("InvalidPartNumber");
    const start = segments.slice(0, index).reduce((sum, before) => sum + before.size, 0);
    const range = segment && segment.size > 0 ? { start, end: start + segment.size - 1 } : undefined;
    return { range, partsCount: attributes.parts?.length };
  }
  const range = Range === undefined ? undefined : byteRange(Range, size);
  if (range === "unsatisfiable") {
    throw s3Error("InvalidRange", { members: { RangeRequested: Range, ActualObjectSize: size } });
  }
  return range && { range, partsCount: undefined };
}

function objectHeaders(
  input: { readonly ChecksumMode?: string | undefined },
  bucket: Bucket,
  version: ObjectVersion,
  selection: Selection | undefined,
) {
  const range = selection?.range;
  return {
    ...headersOf(version, bucket),
    AcceptRanges: "bytes",
    LastModified: new Date(version.lastModified),
    ETag: quoted(version.etag),
    ContentLength: range ? range.end - range.start + 1 : version.size,
    ContentRange: range && `bytes ${range.start}-${range.end}/${version.size}`,
    PartsCount: selection?.partsCount,
    // Of the whole object, so that a client does not compare them with a part of it.
    ...(input.ChecksumMode === "ENABLED" && !range && shownChecksums(version)),
  };
}
