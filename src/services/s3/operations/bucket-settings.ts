/** Tags, default encryption and lifecycle rules of buckets. */
import type * as sdk from "@aws-sdk/client-s3";
import type { OperationOf } from "#gateway/operation.ts";
import { bucketAccess, existingBucket } from "../access.ts";
import { invalidArgument, s3Error } from "../errors.ts";
import { deleteSetting, putSetting, setting } from "../store/buckets.ts";
import { type Tags, toTagSet, toTags } from "../tags.ts";

const MAX_TAGS = 50;

export const PutBucketTagging: OperationOf<sdk.PutBucketTaggingCommand> = {
  authorize: bucketAccess("s3:PutBucketTagging"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    await putSetting(call.db, name, "tagging", toTags(input.Tagging!.TagSet!, MAX_TAGS));
    return {};
  },
};

export const GetBucketTagging: OperationOf<sdk.GetBucketTaggingCommand> = {
  authorize: bucketAccess("s3:GetBucketTagging"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const tags = await setting<Tags>(call.db, name, "tagging");
    if (!tags) throw s3Error("NoSuchTagSet", { members: { BucketName: name } });
    return { TagSet: toTagSet(tags) };
  },
};

export const DeleteBucketTagging: OperationOf<sdk.DeleteBucketTaggingCommand> = {
  authorize: bucketAccess("s3:PutBucketTagging"),
  async run(input, call) {
    await deleteSetting(call.db, (await existingBucket(input, call)).name, "tagging");
    return {};
  },
};

/** Every bucket has it since January 2023. https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html */
const SSE_S3: sdk.ServerSideEncryptionConfiguration = {
  Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }],
};

export const PutBucketEncryption: OperationOf<sdk.PutBucketEncryptionCommand> = {
  authorize: bucketAccess("s3:PutEncryptionConfiguration"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const configuration = input.ServerSideEncryptionConfiguration!;
    const standard = configuration.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
    if (configuration.Rules?.length !== 1) throw s3Error("MalformedXML");
    if (standard?.SSEAlgorithm === "AES256" && standard.KMSMasterKeyID !== undefined) {
      const message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
      throw invalidArgument(message, "ApplyServerSideEncryptionByDefault", standard.KMSMasterKeyID);
    }
    await putSetting(call.db, name, "encryption", configuration);
    return {};
  },
};

export const GetBucketEncryption: OperationOf<sdk.GetBucketEncryptionCommand> = {
  authorize: bucketAccess("s3:GetEncryptionConfiguration"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const configured = await setting<sdk.ServerSideEncryptionConfiguration>(call.db, name, "encryption");
    return { ServerSideEncryptionConfiguration: configured ?? SSE_S3 };
  },
};

export const DeleteBucketEncryption: OperationOf<sdk.DeleteBucketEncryptionCommand> = {
  authorize: bucketAccess("s3:PutEncryptionConfiguration"),
  async run(input, call) {
    await deleteSetting(call.db, (await existingBucket(input, call)).name, "encryption");
    return {};
  },
};

interface StoredLifecycle {
  readonly rules: sdk.LifecycleRule[];
  readonly minimumSize: sdk.TransitionDefaultMinimumObjectSize;
}

const MAX_RULES = 1000;

export const PutBucketLifecycleConfiguration: OperationOf<sdk.PutBucketLifecycleConfigurationCommand> = {
  authorize: bucketAccess("s3:PutLifecycleConfiguration"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const rules = input.LifecycleConfiguration?.Rules ?? [];
    if (rules.length === 0 || rules.length > MAX_RULES) throw s3Error("MalformedXML");
    const identified = rules.map((rule, index) => ({ ...rule, ID: rule.ID ?? `rule-${index + 1}` }));
    if (new Set(identified.map(({ ID }) => ID)).size < rules.length) {
      throw invalidArgument("Rule ID must be unique. Found same ID for more than one rule", "ID", undefined);
    }
    const minimumSize = input.TransitionDefaultMinimumObjectSize ?? "all_storage_classes_128K";
    await putSetting(call.db, name, "lifecycle", { rules: identified, minimumSize } satisfies StoredLifecycle);
    return { TransitionDefaultMinimumObjectSize: minimumSize };
  },
};

export const GetBucketLifecycleConfiguration: OperationOf<sdk.GetBucketLifecycleConfigurationCommand> = {
  authorize: bucketAccess("s3:GetLifecycleConfiguration"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const lifecycle = await setting<StoredLifecycle>(call.db, name, "lifecycle");
    if (!lifecycle) throw s3Error("NoSuchLifecycleConfiguration", { members: { BucketName: name } });
    return { Rules: lifecycle.rules.map(withDates), TransitionDefaultMinimumObjectSize: lifecycle.minimumSize };
  },
};

export const DeleteBucketLifecycle: OperationOf<sdk.DeleteBucketLifecycleCommand> = {
  authorize: bucketAccess("s3:PutLifecycleConfiguration"),
  async run(input, call) {
    await deleteSetting(call.db, (await existingBucket(input, call)).name, "lifecycle");
    return {};
  },
};

/** JSON keeps dates as text. */
function withDates(rule: sdk.LifecycleRule): sdk.LifecycleRule {
  const dated = <T extends { Date?: Date | undefined }>(part: T): T =>
    part.Date === undefined ? part : { ...part, Date: new Date(part.Date) };
  return {
    ...rule,
    ...(rule.Expiration && { Expiration: dated(rule.Expiration) }),
    ...(rule.Transitions && { Transitions: rule.Transitions.map(dated) }),
  };
}
