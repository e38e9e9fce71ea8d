/** Tags and ACLs of objects. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html */
import type * as sdk from "@aws-sdk/client-s3";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { objectAccess } from "../access.ts";
import { shownVersion } from "../attributes.ts";
import type { Bucket, ObjectVersion } from "../model.ts";
import { updateAttributes } from "../store/objects.ts";
import { type Tags, toTagSet, toTags } from "../tags.ts";
import { ownerGrants } from "./bucket-access.ts";
import { requestedVersion } from "./get-object.ts";

const MAX_TAGS = 10;

export const PutObjectTagging: OperationOf<sdk.PutObjectTaggingCommand> = {
  authorize: objectAccess("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
  run: async (input, call) => tagged(input, call, toTags(input.Tagging!.TagSet!, MAX_TAGS)),
};

export const DeleteObjectTagging: OperationOf<sdk.DeleteObjectTaggingCommand> = {
  authorize: objectAccess("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
  run: async (input, call) => tagged(input, call, {}),
};

export const GetObjectTagging: OperationOf<sdk.GetObjectTaggingCommand> = {
  authorize: objectAccess("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
  async run(input, call) {
    const { bucket, version } = await taggedVersion(input, call);
    return { VersionId: shownVersion(bucket, version.versionId), TagSet: toTagSet(version.attributes.tags) };
  },
};

export const GetObjectAcl: OperationOf<sdk.GetObjectAclCommand> = {
  authorize: objectAccess("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
  async run(input, call) {
    const { bucket } = await taggedVersion(input, call);
    return ownerGrants(bucket);
  },
};

interface TaggingInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

async function tagged(input: TaggingInput, call: Call, tags: Tags): Promise<{ VersionId: string | undefined }> {
  return inTransaction(call.db, async (trx) => {
    const { bucket, version } = await taggedVersion(input, { ...call, db: trx });
    await updateAttributes(trx, version, { ...version.attributes, tags });
    return { VersionId: shownVersion(bucket, version.versionId) };
  });
}

function taggedVersion(input: TaggingInput, call: Call): Promise<{ bucket: Bucket; version: ObjectVersion }> {
  const { Bucket, Key, VersionId, ExpectedBucketOwner } = input;
  return requestedVersion({ Bucket, Key, VersionId, ExpectedBucketOwner }, call);
}
