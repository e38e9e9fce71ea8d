/**
 * Who may do what: S3's actions, the bucket's policy and owner.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */

import { requireAccess } from "#gateway/authorize.ts";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import { noSuchBucket, s3Error } from "./errors.ts";
import { type Bucket, bucketArn, objectArn } from "./model.ts";
import { findBucket, setting } from "./store/buckets.ts";

interface NamesBucket {
  readonly Bucket?: string | undefined;
}

interface NamesObject extends NamesBucket {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
}

/** Members of many inputs that policies can ask about. */
interface Conditions {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly MaxKeys?: number | undefined;
  readonly VersionId?: string | undefined;
  readonly ACL?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly StorageClass?: string | undefined;
}

/** An operation on a bucket as a whole. */
export function bucketAccess<I extends NamesBucket>(action: string): Authorization<I> {
  return {
    action,
    resources: (input) => [bucketArn(input.Bucket!)],
    context: (input) => conditionKeys(input as Conditions),
    resourceAccountId: (_resource, input, call) => ownerOf(call, input.Bucket!),
    resourcePolicy: (_resource, input, call) => bucketPolicy(call, input.Bucket!),
  };
}

/** An operation on an object; with a version id it has an action of its own. */
export function objectAccess<I extends NamesObject>(action: string, versionAction = action): Authorization<I> {
  return {
    ...bucketAccess<I>(action),
    action: (input) => (input.VersionId === undefined ? action : versionAction),
    resources: (input) => [objectArn(input.Bucket!, input.Key!)],
  };
}

/** Asks for something beside the operation's own action; throws AccessDenied. */
export async function requireObjectAccess(call: Call, action: string, bucket: string, key: string): Promise<void> {
  await requireS3Access(call, action, bucket, objectArn(bucket, key));
}

/** An object that is not there is told only to those who may list the bucket; the others get AccessDenied. */
export async function requireListAccess(call: Call, bucket: string): Promise<void> {
  await requireS3Access(call, "s3:ListBucket", bucket, bucketArn(bucket));
}

async function requireS3Access(call: Call, action: string, bucket: string, resource: string): Promise<void> {
  await requireAccess(call, {
    action,
    resource,
    resourceAccountId: await ownerOf(call, bucket),
    resourcePolicy: await bucketPolicy(call, bucket),
  });
}

interface ExpectsOwner extends NamesBucket {
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Throws NoSuchBucket, or AccessDenied where the caller expects another owner. */
export async function existingBucket(input: ExpectsOwner, call: Call): Promise<Bucket> {
  const bucket = await findBucket(call.db, input.Bucket!);
  if (!bucket) throw noSuchBucket();
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.accountId) {
    throw s3Error("AccessDenied");
  }
  return bucket;
}

async function ownerOf(call: Call, bucket: string): Promise<string | undefined> {
  return (await findBucket(call.db, bucket))?.accountId;
}

async function bucketPolicy(call: Call, bucket: string): Promise<CompiledPolicy | undefined> {
  const policy = await setting<string>(call.db, bucket, "policy");
  return policy === undefined ? undefined : compilePolicy(parsePolicy(policy, "resource"));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html */
function conditionKeys(input: Conditions): ContextKeys {
  return {
    "s3:prefix": input.Prefix,
    "s3:delimiter": input.Delimiter,
    "s3:max-keys": input.MaxKeys === undefined ? undefined : String(input.MaxKeys),
    "s3:versionid": input.VersionId,
    "s3:x-amz-acl": input.ACL,
    "s3:x-amz-server-side-encryption": input.ServerSideEncryption,
    "s3:x-amz-server-side-encryption-aws-kms-key-id": input.SSEKMSKeyId,
    "s3:x-amz-storage-class": input.StorageClass,
  };
}
