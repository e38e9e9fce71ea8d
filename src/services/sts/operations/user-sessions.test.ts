import assert from "node:assert/strict";
import { test } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-sts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { sts } from "../index.ts";

const SCOPE = { accountId: ACCOUNT, region: REGION };

function system(): Promise<TestSystem> {
  return testSystem({ services: [iam, sts], identities: (parts) => new IamIdentities(parts) });
}

function allow(...Action: string[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });
}

async function clientOf(on: TestSystem, { AccessKeyId = "", SessionToken }: Partial<sdk.Credentials>) {
  const credentials = SessionToken === undefined ? { AccessKeyId } : { AccessKeyId, SessionToken };
  return on.client(await on.principalOf(credentials), SCOPE);
}

async function aUser(on: TestSystem, ...actions: string[]) {
  await on.root.send(new iamSdk.CreateUserCommand({ UserName: "dev" }));
  const PolicyDocument = allow(...actions);
  await on.root.send(new iamSdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "own", PolicyDocument }));
  const { AccessKey } = await on.root.send(new iamSdk.CreateAccessKeyCommand({ UserName: "dev" }));
  return clientOf(on, AccessKey!);
}

test("a session token is its user's, without a permission", async () => {
  await using on = await system();
  on.setNow(new Date("2026-01-01T00:00:00Z"));
  const client = await aUser(on, "iam:ListUsers");
  const { Credentials } = await client.send(new sdk.GetSessionTokenCommand({}));
  assert.deepEqual(Credentials?.Expiration, new Date("2026-01-01T12:00:00Z"));
  const session = await clientOf(on, Credentials!);
  const identity = await session.send(new sdk.GetCallerIdentityCommand({}));
  assert.equal(identity.Arn, `arn:aws:iam::${ACCOUNT}:user/dev`);
  await session.send(new iamSdk.ListUsersCommand({}));
  await assert.rejects(session.send(new iamSdk.ListRolesCommand({})), { name: "AccessDenied" });
  await assert.rejects(session.send(new sdk.GetSessionTokenCommand({})), {
    name: "AccessDenied",
    message: "Cannot call GetSessionToken with session credentials",
  });
  await assert.rejects(client.send(new sdk.GetSessionTokenCommand({ DurationSeconds: 129_601 })), {
    name: "ValidationError",
  });
});

test("root's sessions last an hour at most", async () => {
  await using on = await system();
  on.setNow(new Date("2026-01-01T00:00:00Z"));
  const { Credentials } = await on.root.send(new sdk.GetSessionTokenCommand({}));
  assert.deepEqual(Credentials?.Expiration, new Date("2026-01-01T01:00:00Z"));
});

test("a federated user has what both its session policy and its issuer's policies allow", async () => {
  await using on = await system();
  const client = await aUser(on, "sts:GetFederationToken", "iam:ListUsers", "iam:ListGroups");
  const token = new sdk.GetFederationTokenCommand({ Name: "guest", Policy: allow("iam:ListUsers", "iam:ListRoles") });
  const { Credentials, FederatedUser } = await client.send(token);
  assert.deepEqual(FederatedUser, {
    FederatedUserId: `${ACCOUNT}:guest`,
    Arn: `arn:aws:sts::${ACCOUNT}:federated-user/guest`,
  });
  const guest = await clientOf(on, Credentials!);
  await guest.send(new iamSdk.ListUsersCommand({}));
  await assert.rejects(guest.send(new iamSdk.ListGroupsCommand({})), { name: "AccessDenied" });
  await assert.rejects(guest.send(new iamSdk.ListRolesCommand({})), { name: "AccessDenied" });
  const { Credentials: bare } = await client.send(new sdk.GetFederationTokenCommand({ Name: "guest" }));
  const nobody = await clientOf(on, bare!);
  await assert.rejects(nobody.send(new iamSdk.ListUsersCommand({})), { name: "AccessDenied" });
});

test("a federated user of the root has what its session policy allows", async () => {
  await using on = await system();
  const token = new sdk.GetFederationTokenCommand({ Name: "guest", Policy: allow("iam:ListUsers") });
  const guest = await clientOf(on, (await on.root.send(token)).Credentials!);
  await guest.send(new iamSdk.ListUsersCommand({}));
  await assert.rejects(guest.send(new iamSdk.ListRolesCommand({})), { name: "AccessDenied" });
  const bare = await on.root.send(new sdk.GetFederationTokenCommand({ Name: "guest" }));
  const nobody = await clientOf(on, bare.Credentials!);
  await assert.rejects(nobody.send(new iamSdk.ListUsersCommand({})), { name: "AccessDenied" });
});

test("a federated user's tags need sts:TagSession", async () => {
  await using on = await system();
  const client = await aUser(on, "sts:GetFederationToken");
  const tagged = new sdk.GetFederationTokenCommand({ Name: "guest", Tags: [{ Key: "team", Value: "blue" }] });
  await assert.rejects(client.send(tagged), {
    name: "AccessDenied",
    message: `User: arn:aws:iam::${ACCOUNT}:user/dev is not authorized to perform: sts:TagSession on resource: arn:aws:sts::${ACCOUNT}:federated-user/guest because no identity-based policy allows the sts:TagSession action`,
  });
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: ["sts:GetFederationToken", "sts:TagSession"], Resource: "*" },
      {
        Effect: "Deny",
        Action: "sts:GetFederationToken",
        Resource: "*",
        Condition: { StringEquals: { "aws:RequestTag/team": "red" } },
      },
    ],
  });
  await on.root.send(new iamSdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "own", PolicyDocument }));
  const { Credentials, PackedPolicySize } = await client.send(tagged);
  assert.deepEqual((await clientOf(on, Credentials!)).principal.tags, { team: "blue" });
  assert.equal(PackedPolicySize, 1);
  const red = new sdk.GetFederationTokenCommand({ Name: "guest", Tags: [{ Key: "team", Value: "red" }] });
  await assert.rejects(client.send(red), /sts:GetFederationToken .* with an explicit deny/);
});

test("a federated user has its user's tags, but for those that are passed", async () => {
  await using on = await system();
  const client = await aUser(on, "sts:GetFederationToken", "sts:TagSession");
  const Tags = [
    { Key: "Department", Value: "Marketing" },
    { Key: "Floor", Value: "3" },
  ];
  await on.root.send(new iamSdk.TagUserCommand({ UserName: "dev", Tags }));
  const tagged = await clientOf(on, { AccessKeyId: client.principal.accessKeyId! });
  const federated = async (input: Partial<sdk.GetFederationTokenCommandInput>) => {
    const { Credentials } = await tagged.send(new sdk.GetFederationTokenCommand({ Name: "guest", ...input }));
    return (await clientOf(on, Credentials!)).principal.tags;
  };
  assert.deepEqual(await federated({}), { Department: "Marketing", Floor: "3" });
  const passed = [{ Key: "department", Value: "engineering" }];
  assert.deepEqual(await federated({ Tags: passed }), { Floor: "3", department: "engineering" });
});

test("the account of a key is told", async () => {
  await using on = await system();
  const client = await aUser(on, "sts:GetAccessKeyInfo");
  const AccessKeyId = client.principal.accessKeyId;
  assert.equal((await client.send(new sdk.GetAccessKeyInfoCommand({ AccessKeyId }))).Account, ACCOUNT);
  await assert.rejects(client.send(new sdk.GetAccessKeyInfoCommand({ AccessKeyId: "0123456789abcdef" })), {
    name: "ValidationError",
  });
});

test("everybody may ask who they are, root too", async () => {
  await using on = await system();
  assert.deepEqual(await on.root.send(new sdk.GetCallerIdentityCommand({})), {
    UserId: ACCOUNT,
    Account: ACCOUNT,
    Arn: `arn:aws:iam::${ACCOUNT}:root`,
  });
});
