/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and the other operations on buckets as such. */
import type * as sdk from "@aws-sdk/client-s3";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { bucketAccess, existingBucket } from "../access.ts";
import { requestKeys } from "../condition-keys.ts";
import {
  bucketAlreadyExists,
  bucketAlreadyOwnedByYou,
  invalidArgument,
  noSuchBucket,
  notFound,
  s3Error,
} from "../errors.ts";
import { type Bucket, bucketArn, isBucketName } from "../model.ts";
import { releaseBlobs } from "../store/blob-uses.ts";
import {
  deleteBucket,
  findBucket,
  insertBucket,
  isEmpty,
  listBuckets,
  nextRevision,
  putSetting,
  setVersioning,
} from "../store/buckets.ts";
import { deleteUpload, listParts, uploadsOfBucket } from "../store/uploads.ts";
import { toTags } from "../tags.ts";
import { ALL_BLOCKED } from "./bucket-access.ts";

const US_EAST_1 = "us-east-1";
const MAX_TAGS = 50;

export const CreateBucket: OperationOf<sdk.CreateBucketCommand> = {
  // Nobody owns it yet, and what a bucket of that name says about others is none of its policy's business.
  authorize: {
    action: "s3:CreateBucket",
    resources: (input) => [bucketArn(input.Bucket!)],
    context: (input, call) => {
      const { LocationConstraint, Tags } = input.CreateBucketConfiguration ?? {};
      return {
        ...requestKeys("s3:CreateBucket", input, call, call.accountId),
        "s3:locationconstraint": LocationConstraint,
        ...Object.fromEntries((Tags ?? []).map(({ Key, Value }) => [`aws:requesttag/${Key?.toLowerCase()}`, Value])),
        "aws:tagkeys": Tags?.map(({ Key }) => Key ?? ""),
      };
    },
  },
  async run(input, call) {
    const name = input.Bucket!;
    if (!isBucketName(name)) throw s3Error("InvalidBucketName", { members: { BucketName: name } });
    if (input.ObjectLockEnabledForBucket) throw s3Error("NotImplemented");
    const region = bucketRegion(input.CreateBucketConfiguration?.LocationConstraint, call.region);
    const tags = toTags(input.CreateBucketConfiguration?.Tags ?? [], MAX_TAGS);
    const ownership = input.ObjectOwnership ?? "BucketOwnerEnforced";
    if (input.ACL !== undefined && input.ACL !== "private") {
      if (ownership !== "BucketOwnerEnforced") throw s3Error("NotImplemented");
      const message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
      throw s3Error("InvalidRequest", { message });
    }
    await inTransaction(call.db, async (trx) => {
      const bucket: Bucket = {
        name,
        accountId: call.accountId,
        region,
        createdAt: call.now.getTime(),
        versioning: undefined,
      };
      if (await insertBucket(trx, bucket)) {
        await putSetting(trx, name, "public-access-block", ALL_BLOCKED);
        await putSetting(trx, name, "ownership", { Rules: [{ ObjectOwnership: ownership }] });
        if (Object.keys(tags).length > 0) await putSetting(trx, name, "tagging", tags);
        return;
      }
      const existing = await findBucket(trx, name);
      if (existing?.accountId !== call.accountId) throw bucketAlreadyExists();
      // "If you re-create an existing bucket that you already own in us-east-1, Amazon S3 returns 200 OK."
      if (existing.region !== US_EAST_1 || region !== US_EAST_1) throw bucketAlreadyOwnedByYou();
    });
    return {
      Location: region === US_EAST_1 ? `/${name}` : `http://${name}.s3.amazonaws.com/`,
      BucketArn: bucketArn(name),
    };
  },
};

/** us-east-1 makes buckets anywhere; other regions make their own only, and want to be told so. */
function bucketRegion(constraint: string | undefined, endpoint: string): string {
  const wanted = constraint === "EU" ? "eu-west-1" : constraint || undefined;
  if (wanted !== undefined && !/^[a-z]{2}(-[a-z]+)+-\d$/.test(wanted)) {
    throw s3Error("InvalidLocationConstraint", { members: { LocationConstraint: constraint } });
  }
  if (endpoint === US_EAST_1) {
    if (wanted === US_EAST_1) {
      throw s3Error("InvalidLocationConstraint", { members: { LocationConstraint: constraint } });
    }
    return wanted ?? US_EAST_1;
  }
  if (wanted === endpoint) return wanted;
  throw s3Error("IllegalLocationConstraintException", {
    message: `The ${wanted ?? "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  });
}

export const HeadBucket: OperationOf<sdk.HeadBucketCommand> = {
  authorize: bucketAccess("s3:ListBucket"),
  async run(input, call) {
    const { name, region } = await existingBucket(input, call).catch((error: Error) => {
      throw error.name === "NoSuchBucket" ? notFound() : error;
    });
    return { BucketArn: bucketArn(name), BucketRegion: region, AccessPointAlias: false };
  },
};

export const GetBucketLocation: OperationOf<sdk.GetBucketLocationCommand> = {
  authorize: bucketAccess("s3:GetBucketLocation"),
  async run(input, call) {
    const { region } = await existingBucket(input, call);
    return { LocationConstraint: region === US_EAST_1 ? undefined : (region as sdk.BucketLocationConstraint) };
  },
};

const MAX_BUCKETS = 10_000;

export const ListBuckets: OperationOf<sdk.ListBucketsCommand> = {
  authorize: {
    action: "s3:ListAllMyBuckets",
    resources: () => ["*"],
    context: (input, call) => requestKeys("s3:ListAllMyBuckets", input, call, call.accountId),
  },
  async run(input, call) {
    const limit = input.MaxBuckets ?? MAX_BUCKETS;
    if (limit < 1 || limit > MAX_BUCKETS) {
      throw invalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", limit);
    }
    const found = await listBuckets(call.db, {
      accountId: call.accountId,
      prefix: input.Prefix,
      region: input.BucketRegion,
      after: input.ContinuationToken && Buffer.from(input.ContinuationToken, "base64url").toString(),
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    return {
      Buckets: page.map((bucket) => ({
        Name: bucket.name,
        CreationDate: new Date(bucket.createdAt),
        BucketRegion: bucket.region,
        BucketArn: bucketArn(bucket.name),
      })),
      Owner: { ID: call.accountId },
      Prefix: input.Prefix,
      ContinuationToken: found.length > limit ? Buffer.from(page.at(-1)!.name).toString("base64url") : undefined,
    };
  },
};

export const DeleteBucket: OperationOf<sdk.DeleteBucketCommand> = {
  authorize: bucketAccess("s3:DeleteBucket"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    await inTransaction(call.db, async (trx) => {
      // Takes the bucket's lock: no object can come in between the look and the deletion.
      if ((await nextRevision(trx, name)) === undefined) throw noSuchBucket();
      if (!(await isEmpty(trx, name))) throw s3Error("BucketNotEmpty", { members: { BucketName: name } });
      for (const { id } of await uploadsOfBucket(trx, name)) {
        const parts = await listParts(trx, id);
        await deleteUpload(trx, id);
        await releaseBlobs(
          call.system,
          trx,
          parts.map(({ sha256 }) => sha256),
          call.now,
        );
      }
      await deleteBucket(trx, name);
    });
    return {};
  },
};

export const GetBucketVersioning: OperationOf<sdk.GetBucketVersioningCommand> = {
  authorize: bucketAccess("s3:GetBucketVersioning"),
  async run(input, call) {
    const { versioning } = await existingBucket(input, call);
    return { Status: versioning };
  },
};

export const PutBucketVersioning: OperationOf<sdk.PutBucketVersioningCommand> = {
  authorize: bucketAccess("s3:PutBucketVersioning"),
  async run(input, call) {
    const { Status, MFADelete } = input.VersioningConfiguration!;
    if (MFADelete === "Enabled") throw s3Error("NotImplemented");
    if (Status === undefined) throw s3Error("IllegalVersioningConfigurationException");
    const { name } = await existingBucket(input, call);
    await setVersioning(call.db, name, Status);
    return {};
  },
};
