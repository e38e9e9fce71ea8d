/** What the policy of one account's resource lets another account do is done, and nothing more. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as ecr from "@aws-sdk/client-ecr";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as s3 from "@aws-sdk/client-s3";
import * as sts from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { type Administrator, type ServedSystem, servedSystem } from "#tests/helpers/served-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { anImage, pushed } from "./ecr/testing.ts";

const GUEST = "444455556666";
const DENIED = { name: "AccessDenied" };

let served: ServedSystem;
let owner: Administrator;
let guest: Administrator;
/** Of the guest's account too, but allowed nothing by it. */
let powerless: Client;

before(async () => {
  served = await servedSystem();
  owner = await served.administratorOf(ACCOUNT);
  guest = await served.administratorOf(GUEST);
  await guest.client.send(new iam.CreateUserCommand({ UserName: "powerless" }));
  const { AccessKey } = await guest.client.send(new iam.CreateAccessKeyCommand({ UserName: "powerless" }));
  const principal = await served.system.principalOf({ AccessKeyId: AccessKey!.AccessKeyId! });
  powerless = served.system.client(principal, { accountId: GUEST, region: REGION });
});
after(() => served?.[Symbol.asyncDispose]());

const allow = (Action: string | string[], more: object = {}) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${GUEST}:root` }, Action, ...more }],
  });

test("a bucket policy shares reading: neither writing, listing nor the policy itself", async () => {
  const Bucket = "shared";
  const object = { Bucket, Key: "k" };
  await owner.client.send(new s3.CreateBucketCommand({ Bucket }));
  await owner.client.send(new s3.PutObjectCommand({ ...object, Body: "content" }));
  await assert.rejects(guest.client.send(new s3.GetObjectCommand(object)), DENIED);
  const Policy = allow("s3:GetObject", { Resource: `arn:aws:s3:::${Bucket}/*` });
  await owner.client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  await guest.client.send(new s3.GetObjectCommand(object));
  await assert.rejects(powerless.send(new s3.GetObjectCommand(object)), DENIED);
  await assert.rejects(guest.client.send(new s3.PutObjectCommand({ ...object, Body: "x" })), DENIED);
  await assert.rejects(guest.client.send(new s3.DeleteObjectCommand(object)), DENIED);
  await assert.rejects(guest.client.send(new s3.ListObjectsV2Command({ Bucket })), DENIED);
  await assert.rejects(guest.client.send(new s3.GetBucketPolicyCommand({ Bucket })), DENIED);
  const { Buckets } = await guest.client.send(new s3.ListBucketsCommand({}));
  assert.deepEqual(Buckets, []);
});

test("not even s3:* lets another account see or change a bucket's policy; what it writes is the owner's", async () => {
  const Bucket = "shared-all";
  await owner.client.send(new s3.CreateBucketCommand({ Bucket }));
  const Policy = allow("s3:*", { Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`] });
  await owner.client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
  const notAllowed = { name: "MethodNotAllowed" };
  await assert.rejects(guest.client.send(new s3.GetBucketPolicyCommand({ Bucket })), notAllowed);
  await assert.rejects(guest.client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy })), notAllowed);
  await assert.rejects(guest.client.send(new s3.DeleteBucketPolicyCommand({ Bucket })), notAllowed);
  await guest.client.send(new s3.PutObjectCommand({ Bucket, Key: "k", Body: "by the guest" }));
  await owner.client.send(new s3.DeleteObjectCommand({ Bucket, Key: "k" }));
});

test("a repository policy shares pulling: neither pushing nor describing, by API and registry", async () => {
  const repositoryName = "shared";
  const named = { repositoryName, registryId: ACCOUNT };
  const image = anImage();
  await owner.client.send(new ecr.CreateRepositoryCommand({ repositoryName }));
  await pushed(owner.client, repositoryName, image, "1");
  const get = new ecr.BatchGetImageCommand({ ...named, imageIds: [{ imageTag: "1" }] });
  await assert.rejects(guest.client.send(get), DENIED);
  const policyText = allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]);
  await owner.client.send(new ecr.SetRepositoryPolicyCommand({ repositoryName, policyText }));
  assert.equal((await guest.client.send(get)).images?.[0]?.imageManifest, image.manifest);
  await assert.rejects(powerless.send(get), DENIED);
  await assert.rejects(guest.client.send(new ecr.DescribeImagesCommand(named)), DENIED);
  await assert.rejects(guest.client.send(new ecr.InitiateLayerUploadCommand(named)), DENIED);
  await assert.rejects(guest.client.send(new ecr.GetRepositoryPolicyCommand(named)), DENIED);

  const { authorizationData } = await guest.client.send(new ecr.GetAuthorizationTokenCommand({}));
  const headers = {
    host: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`,
    authorization: `Basic ${authorizationData![0]!.authorizationToken}`,
    "content-type": image.mediaType,
  };
  const pulled = await served.send("GET", "/v2/shared/manifests/1", { headers });
  assert.deepEqual([pulled.status, pulled.body], [200, image.manifest]);
  const denied = await served.send("PUT", "/v2/shared/manifests/2", { headers, body: image.manifest });
  assert.equal(denied.status, 403);
  assert.equal((await served.send("DELETE", `/v2/shared/manifests/${image.digest}`, { headers })).status, 403);
});

test("a key policy shares using the key; managing it has no effect for another account", async () => {
  const { KeyMetadata } = await owner.client.send(new kms.CreateKeyCommand({}));
  const KeyId = KeyMetadata!.Arn!;
  const encrypt = new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from("text") });
  await assert.rejects(guest.client.send(encrypt), DENIED);
  const statements = ["kms:*"].flatMap((Action) =>
    [ACCOUNT, GUEST].map((account) => ({
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action,
      Resource: "*",
    })),
  );
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  await owner.client.send(new kms.PutKeyPolicyCommand({ KeyId, Policy }));
  const { CiphertextBlob } = await guest.client.send(encrypt);
  const { Plaintext } = await guest.client.send(new kms.DecryptCommand({ CiphertextBlob }));
  assert.equal(Buffer.from(Plaintext!).toString(), "text");
  await assert.rejects(powerless.send(encrypt), DENIED);
  await assert.rejects(guest.client.send(new kms.GetKeyPolicyCommand({ KeyId })), DENIED);
  await assert.rejects(guest.client.send(new kms.PutKeyPolicyCommand({ KeyId, Policy })), DENIED);
  await assert.rejects(guest.client.send(new kms.ScheduleKeyDeletionCommand({ KeyId })), DENIED);
  const alias = new kms.CreateAliasCommand({ AliasName: "alias/stolen", TargetKeyId: KeyId });
  await assert.rejects(guest.client.send(alias), { name: "NotFoundException" });
  assert.deepEqual((await guest.client.send(new kms.ListKeysCommand({}))).Keys, []);
});

test("a role's trust lets in whom it names, who then may what the role may", async () => {
  const RoleName = "for-the-guest";
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${GUEST}:user/admin` }, Action: "sts:AssumeRole" }],
  });
  const { Role } = await owner.client.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
  });
  await owner.client.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
  const assume = new sts.AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "visit" });
  await assert.rejects(powerless.send(assume), DENIED);
  const { Credentials } = await guest.client.send(assume);
  const session = await served.system.principalOf(Credentials!);
  const visitor = served.system.client(session, { accountId: session.accountId, region: REGION });
  assert.equal(session.accountId, ACCOUNT);
  const { Buckets } = await visitor.send(new s3.ListBucketsCommand({}));
  assert.ok(Buckets!.some(({ Name }) => Name === "shared"));
  await assert.rejects(visitor.send(new s3.CreateBucketCommand({ Bucket: "visitors" })), DENIED);
  await assert.rejects(visitor.send(new iam.ListRolesCommand({})), DENIED);
  const other = new sts.AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/nobody`, RoleSessionName: "visit" });
  await assert.rejects(guest.client.send(other), DENIED);
});
