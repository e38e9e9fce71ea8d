/** The nouns of S3 and their ARNs. */
import type { Checksums } from "./checksums.ts";

export interface Bucket {
  readonly name: string;
  /** The owner's. */
  readonly accountId: string;
  readonly region: string;
  /** Epoch milliseconds, like every time here. */
  readonly createdAt: number;
  /** undefined: never switched on. */
  readonly versioning: "Enabled" | "Suspended" | undefined;
}

/** A piece of an object's content: all of it, or what one part of a multipart upload brought. */
export interface Segment {
  readonly sha256: string;
  readonly size: number;
}

/** The headers that come back as they were given. */
export interface StoredHeaders {
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly ContentType?: string;
  /** Epoch milliseconds. */
  readonly Expires?: number;
  readonly WebsiteRedirectLocation?: string;
}

export interface Encryption {
  readonly ServerSideEncryption: "AES256" | "aws:kms" | "aws:kms:dsse";
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
}

/** What an upload decides when it starts and an object keeps. */
export interface ObjectAttributes {
  readonly headers: StoredHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly encryption: Encryption;
  readonly tags: Readonly<Record<string, string>>;
}

export interface PartSummary {
  readonly number: number;
  readonly size: number;
  readonly checksums: Checksums;
}

export interface StoredAttributes extends ObjectAttributes {
  readonly checksums: Checksums;
  readonly checksumType: "FULL_OBJECT" | "COMPOSITE";
  /** Of objects that were uploaded in parts. */
  readonly parts?: readonly PartSummary[];
}

export interface ObjectVersion {
  readonly bucket: string;
  readonly key: string;
  /** Orders the versions of a key; the bucket's count of changes when it was made. */
  readonly revision: number;
  /** "null" where it was made without versioning. */
  readonly versionId: string;
  readonly latest: boolean;
  readonly deleteMarker: boolean;
  readonly size: number;
  /** Without quotation marks. */
  readonly etag: string;
  readonly lastModified: number;
  readonly segments: readonly Segment[];
  readonly attributes: StoredAttributes;
}

export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiatedAt: number;
  /** The initiator's ARN. */
  readonly initiator: string;
  readonly attributes: UploadAttributes;
}

export interface UploadAttributes extends ObjectAttributes {
  readonly checksumAlgorithm: string | undefined;
  readonly checksumType: "FULL_OBJECT" | "COMPOSITE" | undefined;
}

export interface Part {
  readonly uploadId: string;
  readonly number: number;
  readonly sha256: string;
  readonly size: number;
  readonly md5: string;
  readonly checksums: Checksums;
  readonly lastModified: number;
}

export const NULL_VERSION = "null";

export const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;
export const objectArn = (bucket: string, key: string) => `arn:aws:s3:::${bucket}/${key}`;

export const quoted = (etag: string) => `"${etag}"`;
export const unquoted = (etag: string) => etag.trim().replace(/^W\//, "").replace(/^"|"$/g, "");

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes("..") &&
    !/^\d{1,3}(\.\d{1,3}){3}$/.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) &&
    !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)
  );
}
