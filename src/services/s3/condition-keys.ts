/**
 * What policies can ask of S3's requests.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
 */
import type { Tag } from "@aws-sdk/client-s3";
import { amzDateMilliseconds } from "#gateway/auth/amz-date.ts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";

/** Members of inputs by the keys that have their values. */
const MEMBERS: Readonly<Record<string, string>> = {
  "s3:delimiter": "Delimiter",
  "s3:if-match": "IfMatch",
  "s3:if-none-match": "IfNoneMatch",
  "s3:max-keys": "MaxKeys",
  "s3:object-lock-legal-hold": "ObjectLockLegalHoldStatus",
  "s3:object-lock-mode": "ObjectLockMode",
  "s3:object-lock-retain-until-date": "ObjectLockRetainUntilDate",
  "s3:prefix": "Prefix",
  "s3:versionid": "VersionId",
  "s3:x-amz-acl": "ACL",
  "s3:x-amz-copy-source": "CopySource",
  "s3:x-amz-grant-full-control": "GrantFullControl",
  "s3:x-amz-grant-read": "GrantRead",
  "s3:x-amz-grant-read-acp": "GrantReadACP",
  "s3:x-amz-grant-write": "GrantWrite",
  "s3:x-amz-grant-write-acp": "GrantWriteACP",
  "s3:x-amz-metadata-directive": "MetadataDirective",
  "s3:x-amz-object-ownership": "ObjectOwnership",
  "s3:x-amz-server-side-encryption": "ServerSideEncryption",
  "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
  "s3:x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
  "s3:x-amz-storage-class": "StorageClass",
  "s3:x-amz-website-redirect-location": "WebsiteRedirectLocation",
};
const DAY_MS = 86_400_000;

/** `owner`: the account that the bucket belongs to; undefined where there is none. */
export function requestKeys(input: object, call: Call, owner: string | undefined): ContextKeys {
  const members = input as Record<string, unknown>;
  const retained = members.ObjectLockRetainUntilDate;
  return {
    ...signatureKeys(call),
    ...Object.fromEntries(Object.entries(MEMBERS).map(([key, member]) => [key, text(members[member])])),
    ...("Key" in members && requestTagKeys(members.Tagging)),
    "s3:object-lock-remaining-retention-days":
      retained instanceof Date ? String(Math.ceil((retained.getTime() - call.now.getTime()) / DAY_MS)) : undefined,
    "s3:resourceaccount": owner,
  };
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
