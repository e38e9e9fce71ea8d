import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-s3";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { s3 } from "../index.ts";

const OTHER = "999988887777";
const OPEN = { BlockPublicPolicy: false };

const system = () => testSystem({ services: [s3], work: false });
const inRegion = (slipway: TestSystem, region: string) =>
  slipway.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region });
const otherAccount = (slipway: TestSystem) =>
  slipway.client(rootPrincipal(OTHER), { accountId: OTHER, region: REGION });

const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

test("a bucket is made, found, listed and deleted", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await root.send(new sdk.CreateBucketCommand({ Bucket: "one" }));
  await root.send(new sdk.CreateBucketCommand({ Bucket: "two" }));
  const head = await root.send(new sdk.HeadBucketCommand({ Bucket: "one" }));
  assert.equal(head.BucketRegion, "us-east-1");
  const first = await root.send(new sdk.ListBucketsCommand({ MaxBuckets: 1 }));
  assert.deepEqual(
    first.Buckets!.map(({ Name }) => Name),
    ["one"],
  );
  const second = await root.send(new sdk.ListBucketsCommand({ ContinuationToken: first.ContinuationToken }));
  assert.deepEqual(
    second.Buckets!.map(({ Name }) => Name),
    ["two"],
  );
  assert.equal(second.ContinuationToken, undefined);
  await root.send(new sdk.DeleteBucketCommand({ Bucket: "one" }));
  await assert.rejects(root.send(new sdk.HeadBucketCommand({ Bucket: "one" })), { name: "NotFound" });
  await assert.rejects(root.send(new sdk.ListObjectsV2Command({ Bucket: "one" })), { name: "NoSuchBucket" });
});

test("names and locations are checked in S3's words", async () => {
  await using slipway = await system();
  const { root } = slipway;
  for (const Bucket of ["ab", "Upper", "a..b", "192.168.0.1", "-a-", "x".repeat(64), "xn--abc"]) {
    await assert.rejects(root.send(new sdk.CreateBucketCommand({ Bucket })), { name: "InvalidBucketName" });
  }
  const located = (LocationConstraint: string) => ({
    Bucket: "located",
    CreateBucketConfiguration: { LocationConstraint: LocationConstraint as sdk.BucketLocationConstraint },
  });
  await assert.rejects(root.send(new sdk.CreateBucketCommand(located("us-east-1"))), {
    name: "InvalidLocationConstraint",
  });
  const canada = inRegion(slipway, "ca-central-1");
  await assert.rejects(canada.send(new sdk.CreateBucketCommand({ Bucket: "located" })), {
    name: "IllegalLocationConstraintException",
    message: /^The unspecified location constraint is incompatible/,
  });
  await assert.rejects(canada.send(new sdk.CreateBucketCommand(located("eu-west-1"))), {
    message: /^The eu-west-1 location constraint is incompatible/,
  });
  await canada.send(new sdk.CreateBucketCommand(located("ca-central-1")));
  const location = await root.send(new sdk.GetBucketLocationCommand({ Bucket: "located" }));
  assert.equal(location.LocationConstraint, "ca-central-1");
});

test("a name that is taken: yours again in us-east-1, yours elsewhere, somebody else's", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const canada = inRegion(slipway, "ca-central-1");
  const there = {
    Bucket: "there",
    CreateBucketConfiguration: { LocationConstraint: "ca-central-1" as sdk.BucketLocationConstraint },
  };
  await root.send(new sdk.CreateBucketCommand({ Bucket: "here" }));
  await root.send(new sdk.CreateBucketCommand({ Bucket: "here" }));
  await canada.send(new sdk.CreateBucketCommand(there));
  await assert.rejects(canada.send(new sdk.CreateBucketCommand(there)), { name: "BucketAlreadyOwnedByYou" });
  await assert.rejects(otherAccount(slipway).send(new sdk.CreateBucketCommand({ Bucket: "here" })), {
    name: "BucketAlreadyExists",
  });
});

test("only an empty bucket is deleted; unfinished uploads go with it", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const named = { Bucket: "full", Key: "k" };
  await root.send(new sdk.CreateBucketCommand(named));
  await root.send(new sdk.CreateMultipartUploadCommand(named));
  await root.send(new sdk.PutObjectCommand({ ...named, Body: "x" }));
  await assert.rejects(root.send(new sdk.DeleteBucketCommand(named)), { name: "BucketNotEmpty" });
  await root.send(new sdk.DeleteObjectCommand(named));
  await root.send(new sdk.DeleteBucketCommand(named));
});

test("another account is denied until the bucket's policy lets it in, and only so far", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const named = { Bucket: "shared", Key: "k" };
  const guest = otherAccount(slipway);
  await root.send(new sdk.CreateBucketCommand(named));
  await root.send(new sdk.PutObjectCommand({ ...named, Body: "x" }));
  await assert.rejects(guest.send(new sdk.GetObjectCommand(named)), {
    name: "AccessDenied",
    message: `User: arn:aws:iam::${OTHER}:root is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::shared/k" because no resource-based policy allows the s3:GetObject action`,
  });
  const Principal = { AWS: `arn:aws:iam::${OTHER}:root` };
  const Policy = policy({ Effect: "Allow", Principal, Action: "s3:GetObject", Resource: "arn:aws:s3:::shared/*" });
  await root.send(new sdk.PutBucketPolicyCommand({ ...named, Policy }));
  await guest.send(new sdk.HeadObjectCommand(named));
  await assert.rejects(guest.send(new sdk.PutObjectCommand({ ...named, Body: "y" })), { name: "AccessDenied" });
  await assert.rejects(guest.send(new sdk.ListObjectsV2Command(named)), { name: "AccessDenied" });
  // Who may not list the bucket is not told what is not in it.
  await assert.rejects(guest.send(new sdk.GetObjectCommand({ ...named, Key: "absent" })), {
    name: "AccessDenied",
    message: /s3:ListBucket/,
  });
  await assert.rejects(root.send(new sdk.GetObjectCommand({ ...named, ExpectedBucketOwner: OTHER })), {
    name: "AccessDenied",
  });
});

test("a bucket's policy denies even its owner, by the request's encryption", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const named = { Bucket: "artifacts", Key: "k" };
  await root.send(new sdk.CreateBucketCommand(named));
  const Policy = policy({
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObject",
    Resource: "arn:aws:s3:::artifacts/*",
    Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "aws:kms" } },
  });
  await root.send(new sdk.PutBucketPolicyCommand({ ...named, Policy }));
  assert.equal((await root.send(new sdk.GetBucketPolicyCommand(named))).Policy, Policy);
  await assert.rejects(root.send(new sdk.PutObjectCommand({ ...named, Body: "x" })), {
    name: "AccessDenied",
    message: /with an explicit deny in a resource-based policy$/,
  });
  const stored = await root.send(new sdk.PutObjectCommand({ ...named, Body: "x", ServerSideEncryption: "aws:kms" }));
  assert.equal(stored.ServerSideEncryption, "aws:kms");
  await root.send(new sdk.DeleteBucketPolicyCommand(named));
  await root.send(new sdk.PutObjectCommand({ ...named, Body: "x" }));
  await assert.rejects(root.send(new sdk.GetBucketPolicyCommand(named)), { name: "NoSuchBucketPolicy" });
});

test("a role may do what its policy says, action by action", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const named = { Bucket: "roles", Key: "in/k" };
  await root.send(new sdk.CreateBucketCommand(named));
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/builder/s`;
  const builder: Principal = {
    type: "AssumedRole",
    arn,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/builder`,
    accountId: ACCOUNT,
    userId: "AROA:s",
    accessKeyId: undefined,
  };
  const granted = policy(
    { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::roles/in/*" },
    {
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: "arn:aws:s3:::roles",
      Condition: { StringLike: { "s3:prefix": "in/*" } },
    },
  );
  slipway.policies.set(arn, [compilePolicy(parsePolicy(granted, "identity"))]);
  const client = slipway.client(builder, { accountId: ACCOUNT, region: REGION });
  await client.send(new sdk.PutObjectCommand({ ...named, Body: "x" }));
  await client.send(new sdk.HeadObjectCommand(named));
  await client.send(new sdk.ListObjectsV2Command({ Bucket: "roles", Prefix: "in/" }));
  const denied = [
    () => client.send(new sdk.ListObjectsV2Command({ Bucket: "roles" })),
    () => client.send(new sdk.PutObjectCommand({ ...named, Key: "out/k", Body: "x" })),
    () => client.send(new sdk.PutObjectCommand({ ...named, Body: "x", Tagging: "a=b" })),
    () => client.send(new sdk.GetObjectCommand({ ...named, VersionId: "null" })),
    () => client.send(new sdk.CopyObjectCommand({ Bucket: "roles", Key: "in/copy", CopySource: "roles/out/k" })),
    () => client.send(new sdk.DeleteObjectCommand(named)),
  ];
  for (const attempt of denied) await assert.rejects(attempt(), { name: "AccessDenied" });
  const deletion = await client.send(
    new sdk.DeleteObjectsCommand({ Bucket: "roles", Delete: { Objects: [{ Key: "in/k" }] } }),
  );
  assert.deepEqual(
    deletion.Errors!.map(({ Key, Code }) => [Key, Code]),
    [["in/k", "AccessDenied"]],
  );
});

test("policies are checked when they are put", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const Bucket = "checked";
  await root.send(new sdk.CreateBucketCommand({ Bucket }));
  const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::checked/*" };
  const put = (Policy: string) => root.send(new sdk.PutBucketPolicyCommand({ Bucket, Policy }));
  await assert.rejects(put("no JSON"), { name: "MalformedPolicy" });
  await assert.rejects(put(policy({ ...statement, Effect: "Perhaps" })), { name: "MalformedPolicy" });
  await assert.rejects(put(policy({ ...statement, Resource: "arn:aws:s3:::another/*" })), {
    name: "MalformedPolicy",
    message: "Policy has invalid resource",
  });
  await assert.rejects(put(policy(statement)), { name: "AccessDenied", message: /BlockPublicPolicy/ });
  await put(policy({ ...statement, Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } } }));
  assert.deepEqual((await root.send(new sdk.GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus, {
    IsPublic: false,
  });
  await root.send(new sdk.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: OPEN }));
  await put(policy(statement));
  assert.deepEqual((await root.send(new sdk.GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus, {
    IsPublic: true,
  });
});

test("settings come back as they were put, and are gone after their deletion", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const Bucket = "settings";
  await root.send(new sdk.CreateBucketCommand({ Bucket }));

  await assert.rejects(root.send(new sdk.GetBucketTaggingCommand({ Bucket })), { name: "NoSuchTagSet" });
  const TagSet = [{ Key: "team", Value: "blue" }];
  await root.send(new sdk.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
  assert.deepEqual((await root.send(new sdk.GetBucketTaggingCommand({ Bucket }))).TagSet, TagSet);
  const twice = { TagSet: [...TagSet, ...TagSet] };
  await assert.rejects(root.send(new sdk.PutBucketTaggingCommand({ Bucket, Tagging: twice })), { name: "InvalidTag" });
  await root.send(new sdk.DeleteBucketTaggingCommand({ Bucket }));
  await assert.rejects(root.send(new sdk.GetBucketTaggingCommand({ Bucket })), { name: "NoSuchTagSet" });

  const Rules: sdk.LifecycleRule[] = [
    { ID: "old", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Date: new Date("2030-01-01T00:00:00Z") } },
  ];
  await root.send(new sdk.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
  const lifecycle = await root.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket }));
  assert.deepEqual(lifecycle.Rules, Rules);
  await root.send(new sdk.DeleteBucketLifecycleCommand({ Bucket }));
  await assert.rejects(root.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket })), {
    name: "NoSuchLifecycleConfiguration",
  });

  const kms: sdk.ServerSideEncryptionConfiguration = {
    Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "k1" } }],
  };
  await root.send(new sdk.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: kms }));
  const stored = await root.send(new sdk.PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
  assert.equal(stored.SSEKMSKeyId, `arn:aws:kms:us-east-1:${ACCOUNT}:key/k1`);
  await root.send(new sdk.DeleteBucketEncryptionCommand({ Bucket }));
  assert.equal(
    (await root.send(new sdk.PutObjectCommand({ Bucket, Key: "k", Body: "x" }))).ServerSideEncryption,
    "AES256",
  );

  await root.send(new sdk.DeletePublicAccessBlockCommand({ Bucket }));
  await assert.rejects(root.send(new sdk.GetPublicAccessBlockCommand({ Bucket })), {
    name: "NoSuchPublicAccessBlockConfiguration",
  });
  const ownership = await root.send(new sdk.GetBucketOwnershipControlsCommand({ Bucket }));
  assert.deepEqual(ownership.OwnershipControls, { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] });
  const withAcl = new sdk.PutObjectCommand({ Bucket, Key: "k", Body: "x", ACL: "public-read" });
  await assert.rejects(root.send(withAcl), { name: "AccessControlListNotSupported" });
  assert.equal((await root.send(new sdk.GetBucketAclCommand({ Bucket }))).Grants![0]!.Permission, "FULL_CONTROL");
});
