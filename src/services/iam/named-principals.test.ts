import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { aRole, aUser, iamSystem, policy, roleArn, trust } from "./testing.ts";

const ANA = `arn:aws:iam::${ACCOUNT}:user/ana`;
const ASSUME = policy("Allow", "sts:AssumeRole");

function create(system: TestSystem, name: string, document: string): Promise<sdk.CreateRoleCommandOutput | object> {
  return system.root.send(new sdk.CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: document }));
}

async function trustOf(system: TestSystem, role: string): Promise<unknown> {
  const { Role } = await system.root.send(new sdk.GetRoleCommand({ RoleName: role }));
  return JSON.parse(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).Statement[0].Principal;
}

function assume(client: Client, role: string) {
  return client.send(new AssumeRoleCommand({ RoleArn: roleArn(role), RoleSessionName: "session" }));
}

async function deleteUser(system: TestSystem, UserName: string): Promise<void> {
  const { AccessKeyMetadata } = await system.root.send(new sdk.ListAccessKeysCommand({ UserName }));
  for (const { AccessKeyId } of AccessKeyMetadata!) {
    await system.root.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  }
  await system.root.send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: "own" }));
  await system.root.send(new sdk.DeleteUserCommand({ UserName }));
}

test("users and roles of the account that do not exist are refused", async () => {
  await using system = await iamSystem();
  const refused = (principal: string) => ({
    name: "MalformedPolicyDocumentException",
    message: `Invalid principal in policy: "AWS":"${principal}"`,
  });
  await assert.rejects(create(system, "r", trust(ANA)), refused(ANA));
  await assert.rejects(create(system, "r", trust(roleArn("r"))), refused(roleArn("r")));
  await assert.rejects(create(system, "r", trust("AIDACKCEVSQ6C2EXAMPLE")), refused("AIDACKCEVSQ6C2EXAMPLE"));
  await assert.rejects(system.root.send(new sdk.GetRoleCommand({ RoleName: "r" })), { name: "NoSuchEntityException" });

  await aUser(system, "ana");
  await assert.rejects(create(system, "r", trust(`arn:aws:iam::${ACCOUNT}:user/a/ana`)), {
    name: "MalformedPolicyDocumentException",
  });
  await create(system, "r", trust(ANA));
  const self = new sdk.UpdateAssumeRolePolicyCommand({ RoleName: "r", PolicyDocument: trust(roleArn("r")) });
  await system.root.send(self);
  const unknown = new sdk.UpdateAssumeRolePolicyCommand({ RoleName: "r", PolicyDocument: trust(roleArn("x")) });
  await assert.rejects(system.root.send(unknown), refused(roleArn("x")));
  assert.deepEqual(await trustOf(system, "r"), { AWS: roleArn("r") });
  // Another account's may be real without being here.
  await create(system, "other", trust("arn:aws:iam::999988887777:role/builder"));
});

test("a deleted user leaves its id, and its namesake has no access", async () => {
  await using system = await iamSystem();
  const { client } = await aUser(system, "ana", ASSUME);
  const { User } = await system.root.send(new sdk.GetUserCommand({ UserName: "ana" }));
  await create(system, "deployer", trust(ANA, { Condition: { ArnLike: { "aws:PrincipalArn": ANA } } }));
  await assume(client, "deployer");

  await deleteUser(system, "ana");
  assert.deepEqual(await trustOf(system, "deployer"), { AWS: User!.UserId });
  const namesake = await aUser(system, "ana", ASSUME);
  await assert.rejects(assume(namesake.client, "deployer"), { name: "AccessDenied" });
  // The condition compares texts, and they are the same.
  const { Role } = await system.root.send(new sdk.GetRoleCommand({ RoleName: "deployer" }));
  assert.ok(decodeURIComponent(Role!.AssumeRolePolicyDocument!).includes(ANA));
  // As on AWS, a policy that still has the id of somebody who is gone cannot be put.
  const left = decodeURIComponent(Role!.AssumeRolePolicyDocument!);
  const put = new sdk.UpdateAssumeRolePolicyCommand({ RoleName: "deployer", PolicyDocument: left });
  await assert.rejects(system.root.send(put), { name: "MalformedPolicyDocumentException" });
});

test("a deleted role leaves its id in the policies of other accounts too", async () => {
  await using system = await iamSystem();
  const role = await aRole(system, "builder");
  const there = system.client(rootPrincipal("444455556666"), { accountId: "444455556666", region: REGION });
  const document = trust("x", { Principal: { AWS: ["444455556666", role.Arn!] } });
  await there.send(new sdk.CreateRoleCommand({ RoleName: "shared", AssumeRolePolicyDocument: document }));
  await system.root.send(new sdk.DeleteRoleCommand({ RoleName: "builder" }));
  const { Role } = await there.send(new sdk.GetRoleCommand({ RoleName: "shared" }));
  const { Principal } = JSON.parse(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).Statement[0];
  assert.deepEqual(Principal, { AWS: ["444455556666", role.RoleId] });
});

test("a renamed user stays the one who is trusted", async () => {
  await using system = await iamSystem();
  const { accessKeyId } = await aUser(system, "ana", ASSUME);
  const { User } = await system.root.send(new sdk.GetUserCommand({ UserName: "ana" }));
  await create(system, "deployer", trust(User!.UserId!));
  assert.deepEqual(await trustOf(system, "deployer"), { AWS: ANA });
  await system.root.send(new sdk.UpdateUserCommand({ UserName: "ana", NewUserName: "anna", NewPath: "/people/" }));
  assert.deepEqual(await trustOf(system, "deployer"), { AWS: `arn:aws:iam::${ACCOUNT}:user/people/anna` });
  const renamed = await system.principalOf({ AccessKeyId: accessKeyId });
  await assume(system.client(renamed, { accountId: ACCOUNT, region: REGION }), "deployer");
});
