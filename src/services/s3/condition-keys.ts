/**
 * What policies can ask of S3's requests.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
 */
import type { Tag } from "@aws-sdk/client-s3";
import { amzDateMilliseconds } from "#gateway/auth/amz-date.ts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";

type Members = Readonly<Record<string, string>>;

/** Members of inputs by the keys that have their values. */
const LISTING: Members = { "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys", "s3:prefix": "Prefix" };
const GRANTS: Members = {
  "s3:x-amz-acl": "ACL",
  "s3:x-amz-grant-full-control": "GrantFullControl",
  "s3:x-amz-grant-read": "GrantRead",
  "s3:x-amz-grant-read-acp": "GrantReadACP",
  "s3:x-amz-grant-write": "GrantWrite",
  "s3:x-amz-grant-write-acp": "GrantWriteACP",
};
const WRITING: Members = {
  ...GRANTS,
  "s3:if-match": "IfMatch",
  "s3:if-none-match": "IfNoneMatch",
  "s3:object-lock-legal-hold": "ObjectLockLegalHoldStatus",
  "s3:object-lock-mode": "ObjectLockMode",
  "s3:object-lock-retain-until-date": "ObjectLockRetainUntilDate",
  "s3:x-amz-copy-source": "CopySource",
  "s3:x-amz-metadata-directive": "MetadataDirective",
  "s3:x-amz-server-side-encryption": "ServerSideEncryption",
  "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
  "s3:x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
  "s3:x-amz-storage-class": "StorageClass",
  "s3:x-amz-website-redirect-location": "WebsiteRedirectLocation",
};
/** What an action can be made to depend on, beside how it is signed. */
const BY_ACTION: Readonly<Record<string, Members>> = {
  "s3:CreateBucket": { ...GRANTS, "s3:x-amz-object-ownership": "ObjectOwnership" },
  "s3:DeleteObject": { "s3:if-match": "IfMatch" },
  "s3:ListBucket": LISTING,
  "s3:ListBucketVersions": LISTING,
  "s3:PutObject": WRITING,
};
const TAGGING = /^s3:(PutObject|PutObjectTagging|PutObjectVersionTagging)$/;
const DAY_MS = 86_400_000;

/** `owner`: the account that the bucket belongs to; undefined where there is none. */
export function requestKeys(action: string, input: object, call: Call, owner: string | undefined): ContextKeys {
  const members = input as Record<string, unknown>;
  const named = Object.entries(BY_ACTION[action] ?? {});
  return {
    ...signatureKeys(call),
    ...Object.fromEntries(named.map(([key, member]) => [key, text(members[member])])),
    ...(TAGGING.test(action) && requestTagKeys(members.Tagging)),
    ...(action === "s3:PutObject" && retentionKeys(members.ObjectLockRetainUntilDate, call.now)),
    // Versions have actions of their own, which are the only ones to know the key.
    ...(action.includes("ObjectVersion") && { "s3:versionid": text(members.VersionId) }),
    "s3:resourceaccount": owner,
  };
}

function retentionKeys(until: unknown, now: Date): ContextKeys {
  if (!(until instanceof Date)) return {};
  const days = Math.ceil((until.getTime() - now.getTime()) / DAY_MS);
  return { "s3:object-lock-remaining-retention-days": String(days) };
}

/** How the request is signed and came; a call from inside is as one that is signed in its header. */
function signatureKeys({ http, now }: Call): ContextKeys {
  const query = new URLSearchParams(http?.query);
  const presigned = query.has("X-Amz-Signature");
  const signedAt = amzDateMilliseconds(query.get("X-Amz-Date") ?? http?.headers["x-amz-date"] ?? "");
  return {
    "s3:authtype": presigned ? "REST-QUERY-STRING" : "REST-HEADER",
    "s3:signatureversion": "AWS4-HMAC-SHA256",
    "s3:signatureage": signedAt === undefined ? undefined : String(Math.max(0, now.getTime() - signedAt)),
    "s3:tlsversion": http?.tlsVersion,
    "s3:x-amz-content-sha256": http?.headers["x-amz-content-sha256"],
  };
}

/** Of `x-amz-tagging: a=1&b=2`, or of a body with a tag set. */
function requestTagKeys(tagging: unknown): ContextKeys {
  const set = (tagging as { TagSet?: Tag[] } | undefined)?.TagSet ?? [];
  const tags =
    typeof tagging === "string"
      ? [...new URLSearchParams(tagging)]
      : set.map(({ Key = "", Value = "" }): [string, string] => [Key, Value]);
  if (tags.length === 0) return {};
  return {
    "s3:requestobjecttagkeys": tags.map(([key]) => key),
    ...Object.fromEntries(tags.map(([key, value]) => [`s3:requestobjecttag/${key.toLowerCase()}`, value])),
  };
}

function text(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return value instanceof Date ? value.toISOString() : String(value);
}
