/**
 * Who may do what: S3's actions, the bucket's policy and owner.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */

import { requireAccess } from "#gateway/authorize.ts";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import { requestKeys } from "./condition-keys.ts";
import { noSuchBucket, s3Error } from "./errors.ts";
import { type Bucket, bucketArn, objectArn } from "./model.ts";
import { findBucket, setting } from "./store/buckets.ts";
import { findObject } from "./store/objects.ts";

interface NamesBucket {
  readonly Bucket?: string | undefined;
}

interface NamesObject extends NamesBucket {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
}

/** An operation on a bucket as a whole. */
export function bucketAccess<I extends NamesBucket>(action: string): Authorization<I> {
  return {
    action,
    resources: (input) => [bucketArn(input.Bucket!)],
    context: async (input, call) => requestKeys(action, input, call, await ownerOf(call, input.Bucket!)),
    resourceAccountId: (_resource, input, call) => ownerOf(call, input.Bucket!),
    resourcePolicy: (_resource, input, call) => bucketPolicy(call, input.Bucket!),
  };
}

/** An operation on an object; with a version id it has an action of its own. */
export function objectAccess<I extends NamesObject>(action: string, versionAction = action): Authorization<I> {
  const actionOf = (input: I) => (input.VersionId === undefined ? action : versionAction);
  return {
    ...bucketAccess<I>(action),
    action: actionOf,
    resources: (input) => [objectArn(input.Bucket!, input.Key!)],
    context: async (input, call) => ({
      ...requestKeys(actionOf(input), input, call, await ownerOf(call, input.Bucket!)),
      ...(ABOUT_TAGS.test(action) && (await existingTagKeys(call, input))),
    }),
  };
}

/**
 * Writing an object or a part of one. `creates`: an object is there afterwards, which conditions on multipart uploads need to
 * tell apart.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
 */
export function writeAccess<I extends NamesObject>({ creates }: { readonly creates: boolean }): Authorization<I> {
  const access = objectAccess<I>("s3:PutObject");
  return {
    ...access,
    context: async (input, call, resource) => ({
      ...(await access.context?.(input, call, resource)),
      "s3:objectcreationoperation": String(creates),
    }),
  };
}

/** The actions that can be made to depend on the tags which the object has. */
const ABOUT_TAGS = /^s3:(GetObject|GetObjectAcl|GetObjectAttributes|(Get|Put|Delete)ObjectTagging)$/;

async function existingTagKeys(call: Call, { Bucket, Key, VersionId }: NamesObject): Promise<ContextKeys> {
  const object = await findObject(call.db, Bucket!, Key!, VersionId);
  const tags = Object.entries(object?.attributes.tags ?? {});
  return Object.fromEntries(tags.map(([key, value]) => [`s3:existingobjecttag/${key.toLowerCase()}`, value]));
}

/** Asks for something beside the operation's own action; throws AccessDenied. */
export async function requireObjectAccess(
  call: Call,
  action: string,
  bucket: string,
  key: string,
  input: object = {},
): Promise<void> {
  await requireS3Access(call, action, bucket, objectArn(bucket, key), input);
}

/** An object that is not there is told only to those who may list the bucket; the others get AccessDenied. */
export async function requireListAccess(call: Call, bucket: string): Promise<void> {
  await requireS3Access(call, "s3:ListBucket", bucket, bucketArn(bucket));
}

async function requireS3Access(
  call: Call,
  action: string,
  bucket: string,
  resource: string,
  input: object = {},
): Promise<void> {
  const owner = await ownerOf(call, bucket);
  await requireAccess(call, {
    action,
    resource,
    context: () => requestKeys(action, input, call, owner),
    resourceAccountId: owner,
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
