import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-kms";
import { until } from "#demo/until.ts";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Client } from "#gateway/client.ts";
import { type Principal, rootPrincipal, servicePrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { kms } from "../index.ts";

const SCOPE = { accountId: ACCOUNT, region: REGION };
const USER_ARN = `arn:aws:iam::${ACCOUNT}:user/dev`;

async function aKey(system: TestSystem, input: sdk.CreateKeyCommandInput = {}): Promise<sdk.KeyMetadata> {
  return (await system.root.send(new sdk.CreateKeyCommand(input))).KeyMetadata!;
}

/** A user whose one policy allows the actions on everything. */
function aUser(system: TestSystem, ...Action: string[]): Client {
  const document = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });
  system.policies.set(USER_ARN, Action.length > 0 ? [compilePolicy(parsePolicy(document, "identity"))] : []);
  const principal: Principal = {
    type: "User",
    arn: USER_ARN,
    accountId: ACCOUNT,
    userId: "AIDAEXAMPLE",
    accessKeyId: "AKIAEXAMPLE",
  };
  return system.client(principal, SCOPE);
}

function keyPolicy(Principal: object, Action: string | string[] = "kms:*"): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action, Resource: "*" }] });
}

const ROOT = { AWS: `arn:aws:iam::${ACCOUNT}:root` };

test("a key is made, described and listed", async () => {
  await using system = await testSystem({ services: [kms] });
  system.setNow(new Date("2026-01-01T00:00:00Z"));
  const key = await aKey(system, { Description: "d", Tags: [{ TagKey: "a", TagValue: "1" }] });
  assert.equal(key.Arn, `arn:aws:kms:${REGION}:${ACCOUNT}:key/${key.KeyId}`);
  assert.deepEqual([key.KeyState, key.Enabled, key.KeyManager, key.Description], ["Enabled", true, "CUSTOMER", "d"]);
  for (const KeyId of [key.KeyId, key.Arn]) {
    assert.deepEqual((await system.root.send(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata, key);
  }
  await aKey(system);
  const first = await system.root.send(new sdk.ListKeysCommand({ Limit: 1 }));
  const second = await system.root.send(new sdk.ListKeysCommand({ Limit: 1, Marker: first.NextMarker }));
  assert.deepEqual([first.Truncated, second.Truncated], [true, false]);
  assert.notEqual(first.Keys?.[0]?.KeyId, second.Keys?.[0]?.KeyId);
  await assert.rejects(system.root.send(new sdk.ListKeysCommand({ Marker: "AAAA" })), {
    name: "InvalidMarkerException",
  });
  const tags = await system.root.send(new sdk.ListResourceTagsCommand({ KeyId: key.KeyId }));
  assert.deepEqual(tags.Tags, [{ TagKey: "a", TagValue: "1" }]);
});

test("keys that are not there are said not to be there", async () => {
  await using system = await testSystem({ services: [kms] });
  const describe = (KeyId: string) => system.root.send(new sdk.DescribeKeyCommand({ KeyId }));
  const id = "12345678-1234-1234-1234-123456789012";
  await assert.rejects(describe(id), {
    name: "NotFoundException",
    message: `Key 'arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}' does not exist`,
  });
  await assert.rejects(describe("alias/none"), {
    name: "NotFoundException",
    message: `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/none is not found.`,
  });
  await assert.rejects(describe("nonsense"), { name: "NotFoundException", message: "Invalid keyId 'nonsense'" });
  await assert.rejects(describe(`arn:aws:kms:eu-west-3:${ACCOUNT}:key/${id}`), { name: "InvalidArnException" });
  const { KeyId } = await aKey(system);
  const elsewhere = system.client(rootPrincipal(ACCOUNT), { ...SCOPE, region: "eu-west-3" });
  await assert.rejects(elsewhere.send(new sdk.DescribeKeyCommand({ KeyId })), { name: "NotFoundException" });
});

test("states: disabled keys are not used, pending ones come back disabled or go", async () => {
  await using system = await testSystem({ services: [kms], work: false });
  const { root } = system;
  system.setNow(new Date("2026-01-01T00:00:00Z"));
  const { KeyId, Arn } = await aKey(system);
  const encrypt = () => root.send(new sdk.EncryptCommand({ KeyId, Plaintext: Buffer.from("x") }));
  await root.send(new sdk.DisableKeyCommand({ KeyId }));
  await assert.rejects(encrypt(), { name: "DisabledException", message: `${Arn} is disabled.` });
  await root.send(new sdk.EnableKeyCommand({ KeyId }));
  await encrypt();
  await assert.rejects(root.send(new sdk.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 6 })), {
    name: "ValidationException",
  });
  const scheduled = await root.send(new sdk.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  assert.deepEqual(scheduled, {
    KeyId: Arn,
    DeletionDate: new Date("2026-01-08T00:00:00Z"),
    KeyState: "PendingDeletion",
    PendingWindowInDays: 7,
  });
  const pending = { name: "KMSInvalidStateException", message: `${Arn} is pending deletion.` };
  await assert.rejects(encrypt(), pending);
  await assert.rejects(root.send(new sdk.EnableKeyCommand({ KeyId })), pending);
  await assert.rejects(root.send(new sdk.ScheduleKeyDeletionCommand({ KeyId })), pending);
  await root.send(new sdk.CancelKeyDeletionCommand({ KeyId }));
  const cancelled = (await root.send(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata;
  assert.deepEqual([cancelled?.KeyState, cancelled?.DeletionDate], ["Disabled", undefined]);
  await assert.rejects(root.send(new sdk.CancelKeyDeletionCommand({ KeyId })), { name: "KMSInvalidStateException" });

  await root.send(new sdk.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  system.setNow(new Date("2026-01-08T00:00:00Z"));
  await assert.rejects(root.send(new sdk.DescribeKeyCommand({ KeyId })), { name: "NotFoundException" });
});

test("a key is deleted with its aliases when its waiting period is over", async () => {
  await using system = await testSystem({ services: [kms], work: false });
  system.setNow(new Date("2020-01-01T00:00:00Z"));
  const { KeyId } = await aKey(system);
  await system.root.send(new sdk.CreateAliasCommand({ AliasName: "alias/app", TargetKeyId: KeyId }));
  await system.root.send(new sdk.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  system.setNow(new Date("2020-01-08T00:00:00Z"));
  await system.work.start();
  await until(async () => (await system.root.send(new sdk.ListAliasesCommand({}))).Aliases!.length === 0);
  assert.deepEqual((await system.root.send(new sdk.ListKeysCommand({}))).Keys, []);
  assert.deepEqual(system.workErrors, []);
});

test("the key policy alone decides unless it enables the account's IAM policies", async () => {
  await using system = await testSystem({ services: [kms] });
  const { KeyId, Arn } = await aKey(system);
  const describe = (client: Client) => client.send(new sdk.DescribeKeyCommand({ KeyId }));
  await assert.rejects(describe(aUser(system)), /because no identity-based policy allows the kms:DescribeKey action/);
  await describe(aUser(system, "kms:DescribeKey"));

  const put = (Policy: string, BypassPolicyLockoutSafetyCheck = false) =>
    system.root.send(new sdk.PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck }));
  await put(keyPolicy({ AWS: USER_ARN }, "kms:DescribeKey"), true);
  await describe(aUser(system));
  const denied = system.root.send(new sdk.GetKeyPolicyCommand({ KeyId }));
  await assert.rejects(denied, {
    name: "AccessDenied",
    message: `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: kms:GetKeyPolicy on resource: ${Arn} because no resource-based policy allows the kms:GetKeyPolicy action`,
  });
});

test("a policy that would lock its writer out, or is none, is refused", async () => {
  await using system = await testSystem({ services: [kms] });
  const { KeyId } = await aKey(system);
  const put = (Policy: string) => system.root.send(new sdk.PutKeyPolicyCommand({ KeyId, Policy }));
  await assert.rejects(put(keyPolicy({ AWS: USER_ARN })), {
    name: "MalformedPolicyDocumentException",
    message: "The new key policy will not allow you to update the key policy in the future.",
  });
  await assert.rejects(put("{}"), { name: "MalformedPolicyDocumentException" });
  await assert.rejects(aKey(system, { Policy: keyPolicy({ AWS: USER_ARN }) }), {
    name: "MalformedPolicyDocumentException",
  });
  await put(keyPolicy(ROOT));
  const got = await system.root.send(new sdk.GetKeyPolicyCommand({ KeyId }));
  assert.deepEqual(got, { Policy: keyPolicy(ROOT), PolicyName: "default" });
});

test("another account uses a key that its policy shares", async () => {
  await using system = await testSystem({ services: [kms] });
  const { KeyId, Arn } = await aKey(system);
  const other = system.client(rootPrincipal("999999999999"), { accountId: "999999999999", region: REGION });
  const encrypt = () => other.send(new sdk.EncryptCommand({ KeyId: Arn, Plaintext: Buffer.from("x") }));
  await assert.rejects(encrypt(), { name: "AccessDenied" });
  await assert.rejects(other.send(new sdk.DescribeKeyCommand({ KeyId })), { name: "NotFoundException" });
  const Policy = keyPolicy({ AWS: [ROOT.AWS, "999999999999"] });
  await system.root.send(new sdk.PutKeyPolicyCommand({ KeyId, Policy }));
  const { CiphertextBlob } = await encrypt();
  const opened = await other.send(new sdk.DecryptCommand({ CiphertextBlob }));
  assert.equal(Buffer.from(opened.Plaintext!).toString(), "x");
});

test("aliases lead to keys of the account", async () => {
  await using system = await testSystem({ services: [kms] });
  const { root } = system;
  const one = await aKey(system);
  const two = await aKey(system);
  const AliasName = "alias/app";
  const describe = async (KeyId: string) => (await root.send(new sdk.DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyId;
  await root.send(new sdk.CreateAliasCommand({ AliasName, TargetKeyId: one.KeyId }));
  assert.equal(await describe(AliasName), one.KeyId);
  assert.equal(await describe(`arn:aws:kms:${REGION}:${ACCOUNT}:${AliasName}`), one.KeyId);
  const create = (name: string, TargetKeyId = two.KeyId) =>
    root.send(new sdk.CreateAliasCommand({ AliasName: name, TargetKeyId }));
  await assert.rejects(create(AliasName), { name: "AlreadyExistsException" });
  await assert.rejects(create("app"), { name: "ValidationException" });
  await assert.rejects(create("alias/aws/mine"), { name: "NotAuthorizedException" });
  await assert.rejects(create("alias/b", AliasName), { message: "Aliases must refer to keys. Not aliases" });
  await root.send(new sdk.UpdateAliasCommand({ AliasName, TargetKeyId: two.KeyId }));
  assert.equal(await describe(AliasName), two.KeyId);
  await create("alias/b");
  const names = async (input: sdk.ListAliasesRequest) =>
    (await root.send(new sdk.ListAliasesCommand(input))).Aliases?.map((alias) => alias.AliasName);
  assert.deepEqual(await names({ KeyId: two.KeyId }), [AliasName, "alias/b"]);
  assert.deepEqual(await names({ KeyId: one.KeyId }), []);
  await root.send(new sdk.DeleteAliasCommand({ AliasName }));
  assert.deepEqual(await names({}), ["alias/b"]);
  await assert.rejects(root.send(new sdk.DeleteAliasCommand({ AliasName })), { name: "NotFoundException" });
});

test("a service's default key is made on first use, and only the service may use it", async () => {
  await using system = await testSystem({ services: [kms] });
  const describe = new sdk.DescribeKeyCommand({ KeyId: "alias/aws/s3" });
  const { KeyMetadata } = await system.root.send(describe);
  assert.equal(KeyMetadata?.KeyManager, "AWS");
  assert.deepEqual((await system.root.send(describe)).KeyMetadata, KeyMetadata);
  const dataKey = new sdk.GenerateDataKeyCommand({ KeyId: "alias/aws/s3", KeySpec: "AES_256" });
  await assert.rejects(system.root.send(dataKey), { name: "AccessDenied" });
  await assert.rejects(system.root.send(new sdk.DisableKeyCommand({ KeyId: KeyMetadata?.KeyId })), {
    name: "AccessDenied",
  });
  const used = await system.client(servicePrincipal("s3.amazonaws.com", ACCOUNT), SCOPE).send(dataKey);
  assert.equal(used.KeyId, KeyMetadata?.Arn);
  const ecr = system.client(servicePrincipal("ecr.amazonaws.com", ACCOUNT), SCOPE);
  await assert.rejects(ecr.send(dataKey), { name: "AccessDenied" });
});

test("tags and rotation are kept", async () => {
  await using system = await testSystem({ services: [kms] });
  const { root } = system;
  system.setNow(new Date("2026-01-01T00:00:00Z"));
  const { KeyId } = await aKey(system);
  await root.send(new sdk.TagResourceCommand({ KeyId, Tags: [{ TagKey: "a", TagValue: "1" }] }));
  await root.send(new sdk.TagResourceCommand({ KeyId, Tags: [{ TagKey: "b", TagValue: "2" }] }));
  await root.send(new sdk.UntagResourceCommand({ KeyId, TagKeys: ["a"] }));
  assert.deepEqual((await root.send(new sdk.ListResourceTagsCommand({ KeyId }))).Tags, [
    { TagKey: "b", TagValue: "2" },
  ]);
  await assert.rejects(root.send(new sdk.TagResourceCommand({ KeyId, Tags: [{ TagKey: "aws:x", TagValue: "1" }] })), {
    name: "TagException",
  });
  await root.send(new sdk.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
  assert.deepEqual(await root.send(new sdk.GetKeyRotationStatusCommand({ KeyId })), {
    KeyId,
    KeyRotationEnabled: true,
    RotationPeriodInDays: 90,
    NextRotationDate: new Date("2026-04-01T00:00:00Z"),
  });
  await root.send(new sdk.DisableKeyRotationCommand({ KeyId }));
  assert.equal((await root.send(new sdk.GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled, false);
});

test("kinds of keys that are not built are refused", async () => {
  await using system = await testSystem({ services: [kms] });
  await assert.rejects(aKey(system, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" }), {
    name: "UnsupportedOperationException",
  });
  assert.deepEqual((await system.root.send(new sdk.ListKeysCommand({}))).Keys, []);
});
