/** Who may use a bucket: its policy, the block on public access, ownership of objects and the one ACL there is. */
import type * as sdk from "@aws-sdk/client-s3";
import {
  MalformedPolicyError,
  type PolicyDocument,
  parsePolicy,
  type Statement,
} from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { policyToStore } from "#gateway/policy-principals.ts";
import { inTransaction } from "#store/database.ts";
import { bucketAccess, existingBucket } from "../access.ts";
import { s3Error } from "../errors.ts";
import { type Bucket, bucketArn } from "../model.ts";
import { deleteSetting, putSetting, setting } from "../store/buckets.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html */
const MAX_POLICY_BYTES = 20 * 1024;

export const PutBucketPolicy: OperationOf<sdk.PutBucketPolicyCommand> = {
  authorize: bucketAccess("s3:PutBucketPolicy"),
  async run(input, call) {
    const { name, accountId } = await ownBucket(input, call);
    const policy = checkedPolicy(input.Policy!, name);
    const block = await setting<sdk.PublicAccessBlockConfiguration>(call.db, name, "public-access-block");
    if (block?.BlockPublicPolicy && isPublic(policy)) {
      throw s3Error("AccessDenied", {
        message: `User: ${call.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn(name)}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
      });
    }
    await inTransaction(call.db, async (trx) => {
      const kept = await policyToStore(call, trx, { accountId, document: input.Policy! }, () =>
        s3Error("MalformedPolicy", { message: "Invalid principal in policy" }),
      );
      await putSetting(trx, name, "policy", kept);
    });
    return {};
  },
};

export const GetBucketPolicy: OperationOf<sdk.GetBucketPolicyCommand> = {
  authorize: bucketAccess("s3:GetBucketPolicy"),
  async run(input, call) {
    return { Policy: await existingPolicy(input, call) };
  },
};

export const GetBucketPolicyStatus: OperationOf<sdk.GetBucketPolicyStatusCommand> = {
  authorize: bucketAccess("s3:GetBucketPolicyStatus"),
  async run(input, call) {
    return { PolicyStatus: { IsPublic: isPublic(parsePolicy(await existingPolicy(input, call), "resource")) } };
  },
};

export const DeleteBucketPolicy: OperationOf<sdk.DeleteBucketPolicyCommand> = {
  authorize: bucketAccess("s3:DeleteBucketPolicy"),
  async run(input, call) {
    await deleteSetting(call.db, (await ownBucket(input, call)).name, "policy");
    return {};
  },
};

/**
 * "If you have the correct permissions, but you're not using an identity that belongs to the bucket owner's account, Amazon S3
 * returns a 405 Method Not Allowed error." https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 */
async function ownBucket(input: { readonly Bucket?: string | undefined }, call: Call): Promise<Bucket> {
  const bucket = await existingBucket(input, call);
  if (bucket.accountId !== call.accountId) throw s3Error("MethodNotAllowed");
  return bucket;
}

async function existingPolicy(input: { readonly Bucket?: string | undefined }, call: Call): Promise<string> {
  const { name } = await ownBucket(input, call);
  const policy = await setting<string>(call.db, name, "policy");
  if (policy === undefined) throw s3Error("NoSuchBucketPolicy", { members: { BucketName: name } });
  return policy;
}

/** Throws MalformedPolicy. A bucket's policy may speak of this bucket and its objects only. */
function checkedPolicy(text: string, bucket: string): PolicyDocument {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    throw s3Error("MalformedPolicy", { message: "Policy is too large" });
  }
  if (!text.trimStart().startsWith("{")) throw s3Error("MalformedPolicy");
  let policy: PolicyDocument;
  try {
    policy = parsePolicy(text, "resource");
  } catch (error) {
    if (!(error instanceof MalformedPolicyError)) throw error;
    throw s3Error("MalformedPolicy", { message: error.message });
  }
  const own = (resource: string) =>
    resource === bucketArn(bucket) ||
    resource.startsWith(`${bucketArn(bucket)}/`) ||
    resource === `${bucketArn(bucket)}*`;
  for (const { resources, notResources } of policy.statements) {
    if (![...(resources ?? []), ...(notResources ?? [])].every(own)) {
      throw s3Error("MalformedPolicy", { message: "Policy has invalid resource" });
    }
  }
  return policy;
}

/** Conditions on these narrow a wildcard down to somebody. */
const NARROWING_KEYS: ReadonlySet<string> = new Set([
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceip",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:userid",
  "aws:username",
  "s3:dataaccesspointaccount",
  "s3:dataaccesspointarn",
]);

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status */
function isPublic(policy: PolicyDocument): boolean {
  return policy.statements.some(
    (statement) =>
      statement.effect === "Allow" &&
      isForEverybody(statement) &&
      !statement.conditions.some(
        ({ key, values }) => NARROWING_KEYS.has(key.toLowerCase()) && !values.some((value) => /^[*?]+$/.test(value)),
      ),
  );
}

function isForEverybody({ principal, notPrincipal }: Statement): boolean {
  return notPrincipal !== undefined || principal === "*" || principal?.AWS?.includes("*") === true;
}

/** New buckets have it since April 2023. */
export const ALL_BLOCKED: sdk.PublicAccessBlockConfiguration = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

export const PutPublicAccessBlock: OperationOf<sdk.PutPublicAccessBlockCommand> = {
  authorize: bucketAccess("s3:PutBucketPublicAccessBlock"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const given = input.PublicAccessBlockConfiguration!;
    const all: sdk.PublicAccessBlockConfiguration = {
      BlockPublicAcls: given.BlockPublicAcls ?? false,
      IgnorePublicAcls: given.IgnorePublicAcls ?? false,
      BlockPublicPolicy: given.BlockPublicPolicy ?? false,
      RestrictPublicBuckets: given.RestrictPublicBuckets ?? false,
    };
    await putSetting(call.db, name, "public-access-block", all);
    return {};
  },
};

export const GetPublicAccessBlock: OperationOf<sdk.GetPublicAccessBlockCommand> = {
  authorize: bucketAccess("s3:GetBucketPublicAccessBlock"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const block = await setting<sdk.PublicAccessBlockConfiguration>(call.db, name, "public-access-block");
    if (!block) throw s3Error("NoSuchPublicAccessBlockConfiguration", { members: { BucketName: name } });
    return { PublicAccessBlockConfiguration: block };
  },
};

export const DeletePublicAccessBlock: OperationOf<sdk.DeletePublicAccessBlockCommand> = {
  authorize: bucketAccess("s3:PutBucketPublicAccessBlock"),
  async run(input, call) {
    await deleteSetting(call.db, (await existingBucket(input, call)).name, "public-access-block");
    return {};
  },
};

export const PutBucketOwnershipControls: OperationOf<sdk.PutBucketOwnershipControlsCommand> = {
  authorize: bucketAccess("s3:PutBucketOwnershipControls"),
  async run(input, call) {
    if (input.OwnershipControls!.Rules?.length !== 1) throw s3Error("MalformedXML");
    await putSetting(call.db, (await existingBucket(input, call)).name, "ownership", input.OwnershipControls);
    return {};
  },
};

export const GetBucketOwnershipControls: OperationOf<sdk.GetBucketOwnershipControlsCommand> = {
  authorize: bucketAccess("s3:GetBucketOwnershipControls"),
  async run(input, call) {
    const { name } = await existingBucket(input, call);
    const controls = await setting<sdk.OwnershipControls>(call.db, name, "ownership");
    if (!controls) throw s3Error("OwnershipControlsNotFoundError", { members: { BucketName: name } });
    return { OwnershipControls: controls };
  },
};

export const DeleteBucketOwnershipControls: OperationOf<sdk.DeleteBucketOwnershipControlsCommand> = {
  authorize: bucketAccess("s3:PutBucketOwnershipControls"),
  async run(input, call) {
    await deleteSetting(call.db, (await existingBucket(input, call)).name, "ownership");
    return {};
  },
};

export const GetBucketAcl: OperationOf<sdk.GetBucketAclCommand> = {
  authorize: bucketAccess("s3:GetBucketAcl"),
  run: async (input, call) => ownerGrants(await existingBucket(input, call)),
};

/** What "private" means. The canonical user id is the account's id here. */
export function ownerGrants({ accountId }: Bucket): { Owner: sdk.Owner; Grants: sdk.Grant[] } {
  return {
    Owner: { ID: accountId },
    Grants: [{ Grantee: { Type: "CanonicalUser", ID: accountId }, Permission: "FULL_CONTROL" }],
  };
}
