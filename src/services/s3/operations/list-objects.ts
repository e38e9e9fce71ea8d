/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html and the lists that resemble it. */
import type * as sdk from "@aws-sdk/client-s3";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { bucketAccess, existingBucket } from "../access.ts";
import { shownVersion } from "../attributes.ts";
import { invalidArgument } from "../errors.ts";
import {
  behindPrefix,
  type Cursor,
  cursorAt,
  keyEncoder,
  type Listing,
  type ListingOptions,
  listing,
  pageLimit,
} from "../listing.ts";
import { type Bucket, NULL_VERSION, type ObjectVersion, quoted } from "../model.ts";
import { currentObjects, findObject, objectVersions } from "../store/objects.ts";

export const ListObjectsV2: OperationOf<sdk.ListObjectsV2Command> = {
  authorize: bucketAccess("s3:ListBucket"),
  async run(input, call) {
    const bucket = await existingBucket(input, call);
    const options = listingOptions(input, "max-keys", input.MaxKeys);
    const start: Cursor<ObjectVersion> =
      input.ContinuationToken === undefined ? { key: input.StartAfter ?? "" } : continued(input.ContinuationToken);
    const page = await objectListing(call, bucket, options, start);
    const encoded = keyEncoder(input.EncodingType);
    return {
      ...echoed(input, bucket, options),
      KeyCount: page.entries.length + page.commonPrefixes.length,
      StartAfter: input.StartAfter && encoded(input.StartAfter),
      ContinuationToken: input.ContinuationToken,
      NextContinuationToken: page.next && continuationToken(page.next),
      IsTruncated: page.next !== undefined,
      Contents: page.entries.map((object) => objectView(object, bucket, encoded, input.FetchOwner ?? false)),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encoded(prefix) })),
    };
  },
};

export const ListObjects: OperationOf<sdk.ListObjectsCommand> = {
  authorize: bucketAccess("s3:ListBucket"),
  async run(input, call) {
    const bucket = await existingBucket(input, call);
    const options = listingOptions(input, "max-keys", input.MaxKeys);
    const page = await objectListing(call, bucket, options, cursorAt(input.Marker ?? "", options));
    const encoded = keyEncoder(input.EncodingType);
    const next = page.next && ("entry" in page.next ? page.next.entry.key : page.next.commonPrefix);
    return {
      ...echoed(input, bucket, options),
      Marker: encoded(input.Marker ?? ""),
      // "This element is returned only if you have the delimiter request parameter specified."
      NextMarker: next !== undefined && options.delimiter ? encoded(next) : undefined,
      IsTruncated: page.next !== undefined,
      Contents: page.entries.map((object) => objectView(object, bucket, encoded, true)),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encoded(prefix) })),
    };
  },
};

export const ListObjectVersions: OperationOf<sdk.ListObjectVersionsCommand> = {
  authorize: bucketAccess("s3:ListBucketVersions"),
  async run(input, call) {
    const bucket = await existingBucket(input, call);
    const options = listingOptions(input, "max-keys", input.MaxKeys);
    const page = await listing(options, await versionCursor(call, bucket, input, options), ({ key, entry }, limit) =>
      objectVersions(call.db, {
        bucket: bucket.name,
        prefix: options.prefix,
        after: key,
        afterRevision: entry?.revision,
        limit,
      }),
    );
    const encoded = keyEncoder(input.EncodingType);
    const last = page.next && ("entry" in page.next ? page.next.entry : undefined);
    const nextKey = page.next && ("entry" in page.next ? page.next.entry.key : page.next.commonPrefix);
    return {
      ...echoed(input, bucket, options),
      KeyMarker: encoded(input.KeyMarker ?? ""),
      VersionIdMarker: input.VersionIdMarker ?? "",
      NextKeyMarker: nextKey === undefined ? undefined : encoded(nextKey),
      NextVersionIdMarker: last?.versionId,
      IsTruncated: page.next !== undefined,
      Versions: page.entries
        .filter(({ deleteMarker }) => !deleteMarker)
        .map((version) => ({
          ...objectView(version, bucket, encoded, true),
          VersionId: shownVersion(bucket, version.versionId) ?? NULL_VERSION,
          IsLatest: version.latest,
          StorageClass: version.attributes.storageClass as sdk.ObjectVersionStorageClass,
        })),
      DeleteMarkers: page.entries
        .filter(({ deleteMarker }) => deleteMarker)
        .map((marker) => ({
          Key: encoded(marker.key),
          VersionId: marker.versionId,
          IsLatest: marker.latest,
          LastModified: new Date(marker.lastModified),
          Owner: { ID: bucket.accountId },
        })),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encoded(prefix) })),
    };
  },
};

interface ListInput {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly EncodingType?: sdk.EncodingType | undefined;
}

function listingOptions(input: ListInput, limitName: string, limit: number | undefined): ListingOptions {
  return { prefix: input.Prefix ?? "", delimiter: input.Delimiter ?? "", limit: pageLimit(limitName, limit) };
}

function echoed(input: ListInput, bucket: Bucket, { prefix, delimiter, limit }: ListingOptions) {
  const encoded = keyEncoder(input.EncodingType);
  return {
    Name: bucket.name,
    Prefix: encoded(prefix),
    Delimiter: delimiter ? encoded(delimiter) : undefined,
    MaxKeys: limit,
    EncodingType: input.EncodingType,
  };
}

function objectListing(
  call: Call,
  bucket: Bucket,
  options: ListingOptions,
  start: Cursor<ObjectVersion>,
): Promise<Listing<ObjectVersion>> {
  return listing(options, start, ({ key }, limit) =>
    currentObjects(call.db, { bucket: bucket.name, prefix: options.prefix, after: key, limit }),
  );
}

/** A version id marker is a version of the key marker; a key alone means: behind all of its versions. */
async function versionCursor(
  call: Call,
  bucket: Bucket,
  input: { readonly KeyMarker?: string | undefined; readonly VersionIdMarker?: string | undefined },
  options: ListingOptions,
): Promise<Cursor<ObjectVersion>> {
  const { KeyMarker: key = "", VersionIdMarker: versionId } = input;
  if (versionId === undefined || versionId === "") return cursorAt(key, options);
  if (key === "") {
    throw invalidArgument(
      "A version-id marker cannot be specified without a key marker.",
      "version-id-marker",
      versionId,
    );
  }
  const entry = await findObject(call.db, bucket.name, key, versionId);
  if (!entry) throw invalidArgument("Invalid version id specified", "version-id-marker", versionId);
  return { key, entry };
}

function objectView(object: ObjectVersion, bucket: Bucket, encoded: (key: string) => string, owner: boolean) {
  const algorithms = Object.keys(object.attributes.checksums).map((name) => name.replace("Checksum", ""));
  return {
    Key: encoded(object.key),
    LastModified: new Date(object.lastModified),
    ETag: quoted(object.etag),
    ChecksumAlgorithm: algorithms as sdk.ChecksumAlgorithm[],
    ChecksumType: algorithms.length > 0 ? object.attributes.checksumType : undefined,
    Size: object.size,
    StorageClass: object.attributes.storageClass as sdk.ObjectStorageClass,
    Owner: owner ? { ID: bucket.accountId } : undefined,
  };
}

function continuationToken(next: NonNullable<Listing<ObjectVersion>["next"]>): string {
  const place = "entry" in next ? { key: next.entry.key } : { commonPrefix: next.commonPrefix };
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

function continued(token: string): Cursor<ObjectVersion> {
  try {
    const place = JSON.parse(Buffer.from(token, "base64url").toString()) as { key?: unknown; commonPrefix?: unknown };
    if (typeof place.key === "string") return { key: place.key };
    if (typeof place.commonPrefix === "string") return behindPrefix(place.commonPrefix);
  } catch {
    // Falls through to the one answer for every token that is not ours.
  }
  throw invalidArgument("The continuation token provided is incorrect", "continuation-token", token);
}
