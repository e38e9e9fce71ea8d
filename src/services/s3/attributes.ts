/** What a request to store an object says about it, beside the bytes. */

import type {
  ObjectCannedACL,
  OwnershipControls,
  ServerSideEncryption,
  ServerSideEncryptionConfiguration,
} from "@aws-sdk/client-s3";
import type { Call } from "#gateway/context.ts";
import { invalidArgument, s3Error } from "./errors.ts";
import type { Bucket, Encryption, ObjectAttributes, ObjectVersion, StoredHeaders } from "./model.ts";
import { setting } from "./store/buckets.ts";
import { headerTags } from "./tags.ts";

export interface AttributesInput {
  readonly Key?: string | undefined;
  readonly ACL?: ObjectCannedACL | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Expires?: Date | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly StorageClass?: string | undefined;
  readonly Tagging?: string | undefined;
  readonly ServerSideEncryption?: ServerSideEncryption | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

const MAX_KEY_BYTES = 1024;
/** Names and values together. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_METADATA_BYTES = 2048;
const DEFAULT_CONTENT_TYPE = "binary/octet-stream";

/** Throws where the input asks for what its bucket does not allow, or what is not built. */
export async function objectAttributes(input: AttributesInput, bucket: Bucket, call: Call): Promise<ObjectAttributes> {
  requireKey(input.Key!);
  if (input.SSECustomerAlgorithm || input.ObjectLockMode || input.ObjectLockLegalHoldStatus)
    throw s3Error("NotImplemented");
  await requireAcl(input.ACL, bucket, call);
  return {
    headers: storedHeaders(input),
    metadata: metadata(input.Metadata),
    storageClass: input.StorageClass ?? "STANDARD",
    encryption: await encryption(input, bucket, call),
    tags: headerTags(input.Tagging),
  };
}

function requireKey(key: string): void {
  const size = Buffer.byteLength(key);
  if (size > MAX_KEY_BYTES)
    throw s3Error("KeyTooLongError", { members: { Size: size, MaxSizeAllowed: MAX_KEY_BYTES } });
}

function storedHeaders(input: AttributesInput): StoredHeaders {
  // "aws-chunked" describes the transfer, not the object.
  const encodings = input.ContentEncoding?.split(",").filter((encoding) => encoding.trim() !== "aws-chunked");
  return {
    ...(input.CacheControl !== undefined && { CacheControl: input.CacheControl }),
    ...(input.ContentDisposition !== undefined && { ContentDisposition: input.ContentDisposition }),
    ...(encodings?.length && { ContentEncoding: encodings.join(",").trim() }),
    ...(input.ContentLanguage !== undefined && { ContentLanguage: input.ContentLanguage }),
    ContentType: input.ContentType ?? DEFAULT_CONTENT_TYPE,
    ...(input.Expires && { Expires: input.Expires.getTime() }),
    ...(input.WebsiteRedirectLocation !== undefined && { WebsiteRedirectLocation: input.WebsiteRedirectLocation }),
  };
}

function metadata(given: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  const size = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (size > MAX_METADATA_BYTES) {
    throw s3Error("MetadataTooLarge", { members: { Size: size, MaxSizeAllowed: MAX_METADATA_BYTES } });
  }
  return Object.fromEntries(entries);
}

/** Buckets without ACLs (the default) take the one that changes nothing; the others know no grants to third parties here. */
async function requireAcl(acl: string | undefined, bucket: Bucket, call: Call): Promise<void> {
  if (acl === undefined || acl === "bucket-owner-full-control") return;
  const controls = await setting<OwnershipControls>(call.db, bucket.name, "ownership");
  const enforced = (controls?.Rules?.[0]?.ObjectOwnership ?? "BucketOwnerEnforced") === "BucketOwnerEnforced";
  if (enforced) throw s3Error("AccessControlListNotSupported");
  if (acl !== "private") throw s3Error("NotImplemented");
}

/** The request's own, else the bucket's default, else SSE-S3. */
async function encryption(input: AttributesInput, bucket: Bucket, call: Call): Promise<Encryption> {
  const { ServerSideEncryption: asked, SSEKMSKeyId } = input;
  if (asked === undefined && SSEKMSKeyId !== undefined) {
    throw invalidArgument(
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
      "x-amz-server-side-encryption",
      "",
    );
  }
  if (asked !== undefined) {
    return toEncryption(asked, SSEKMSKeyId, input.BucketKeyEnabled, bucket);
  }
  const configuration = await setting<ServerSideEncryptionConfiguration>(call.db, bucket.name, "encryption");
  const rule = configuration?.Rules?.[0];
  const standard = rule?.ApplyServerSideEncryptionByDefault;
  return toEncryption(standard?.SSEAlgorithm ?? "AES256", standard?.KMSMasterKeyID, rule?.BucketKeyEnabled, bucket);
}

function toEncryption(
  algorithm: ServerSideEncryption,
  keyId: string | undefined,
  bucketKey: boolean | undefined,
  bucket: Bucket,
): Encryption {
  if (algorithm === "AES256") return { ServerSideEncryption: "AES256" };
  if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse") throw s3Error("NotImplemented");
  const key = keyId ?? "alias/aws/s3";
  const arn = key.startsWith("arn:")
    ? key
    : `arn:aws:kms:${bucket.region}:${bucket.accountId}:${key.startsWith("alias/") ? key : `key/${key}`}`;
  return { ServerSideEncryption: algorithm, SSEKMSKeyId: arn, ...(bucketKey && { BucketKeyEnabled: true }) };
}

/** What every answer about an object carries of its attributes. */
export function headersOf({ attributes, deleteMarker, versionId }: ObjectVersion, bucket: Bucket) {
  const { Expires, ...headers } = attributes.headers;
  const tags = Object.keys(attributes.tags).length;
  return {
    ...headers,
    ...(Expires !== undefined && { Expires: new Date(Expires), ExpiresString: new Date(Expires).toUTCString() }),
    ...attributes.encryption,
    Metadata: { ...attributes.metadata },
    VersionId: shownVersion(bucket, versionId),
    ...(deleteMarker && { DeleteMarker: true }),
    ...(attributes.storageClass !== "STANDARD" && { StorageClass: attributes.storageClass as "STANDARD_IA" }),
    ...(tags > 0 && { TagCount: tags }),
  };
}

/** Buckets that never had versioning do not speak of versions. */
export function shownVersion(bucket: Bucket, versionId: string): string | undefined {
  return bucket.versioning === undefined ? undefined : versionId;
}
