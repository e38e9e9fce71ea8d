import assert from "node:assert/strict";
import { test } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand, type AssumeRoleCommandInput, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { servicePrincipal } from "#gateway/context.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { sts } from "../index.ts";

const ROLE = `arn:aws:iam::${ACCOUNT}:role/deployer`;
const SCOPE = { accountId: ACCOUNT, region: REGION };
const ALL = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });

function system(config = {}): Promise<TestSystem> {
  return testSystem({ services: [iam, sts], identities: (parts) => new IamIdentities(parts), config });
}

interface Trust {
  readonly Principal: object | string;
  readonly Action?: string | string[];
  readonly Condition?: object;
}

async function aRole(on: TestSystem, trust: Trust, more: Partial<iamSdk.CreateRoleCommandInput> = {}): Promise<void> {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", ...trust }],
  });
  await on.root.send(new iamSdk.CreateRoleCommand({ RoleName: "deployer", AssumeRolePolicyDocument, ...more }));
  await on.root.send(new iamSdk.PutRolePolicyCommand({ RoleName: "deployer", PolicyName: "all", PolicyDocument: ALL }));
}

/** A user with full rights unless a policy is given; "" means none. */
async function aUser(on: TestSystem, PolicyDocument = ALL): Promise<Client> {
  await on.root.send(new iamSdk.CreateUserCommand({ UserName: "dev" }));
  if (PolicyDocument) {
    await on.root.send(new iamSdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "own", PolicyDocument }));
  }
  const { AccessKey } = await on.root.send(new iamSdk.CreateAccessKeyCommand({ UserName: "dev" }));
  return on.client(await on.principalOf({ AccessKeyId: AccessKey!.AccessKeyId! }), SCOPE);
}

async function assumed(on: TestSystem, by: Client, input: Partial<AssumeRoleCommandInput> = {}): Promise<Client> {
  const command = new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "session", ...input });
  const { Credentials } = await by.send(command);
  const { AccessKeyId, SessionToken } = Credentials!;
  return on.client(await on.principalOf({ AccessKeyId: AccessKeyId!, SessionToken: SessionToken! }), SCOPE);
}

const EVERYONE_HERE: Trust = { Principal: { AWS: ACCOUNT } };

test("a service that the role trusts gets a session of it", async () => {
  await using on = await system();
  on.setNow(new Date("2026-01-01T00:00:00.500Z"));
  await aRole(on, { Principal: { Service: "codebuild.amazonaws.com" } });
  const codebuild = on.client(servicePrincipal("codebuild.amazonaws.com", ACCOUNT), SCOPE);
  const answer = await codebuild.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "build" }));
  assert.equal(answer.AssumedRoleUser?.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/build`);
  assert.match(answer.AssumedRoleUser!.AssumedRoleId!, /^AROA[A-Z2-7]{17}:build$/);
  assert.match(answer.Credentials!.AccessKeyId!, /^ASIA[A-Z2-7]{16}$/);
  assert.equal(answer.Credentials!.SecretAccessKey!.length, 40);
  assert.deepEqual(answer.Credentials!.Expiration, new Date("2026-01-01T01:00:00Z"));

  const session = await assumed(on, codebuild);
  assert.deepEqual(await session.send(new GetCallerIdentityCommand({})), {
    UserId: answer.AssumedRoleUser!.AssumedRoleId!.replace("build", "session"),
    Account: ACCOUNT,
    Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/session`,
  });
  const other = on.client(servicePrincipal("ecs-tasks.amazonaws.com", ACCOUNT), SCOPE);
  await assert.rejects(assumed(on, other), {
    name: "AccessDenied",
    message: `User: ecs-tasks.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: ${ROLE} because no role trust policy allows the sts:AssumeRole action`,
  });
});

test("a role that trusts the account leaves it to the caller's own policies", async () => {
  await using on = await system();
  await aRole(on, EVERYONE_HERE);
  const denied = await aUser(on, "");
  await assert.rejects(assumed(on, denied), /because no identity-based policy allows the sts:AssumeRole action/);
  const PolicyDocument = ALL;
  await on.root.send(new iamSdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "own", PolicyDocument }));
  await assumed(on, denied);
});

test("a role that trusts somebody else, or is not there, cannot be assumed", async () => {
  await using on = await system();
  await on.root.send(new iamSdk.CreateUserCommand({ UserName: "other" }));
  await aRole(on, { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/other` } });
  const client = await aUser(on);
  await assert.rejects(assumed(on, client), { name: "AccessDenied" });
  await assert.rejects(assumed(on, client, { RoleArn: `arn:aws:iam::${ACCOUNT}:role/missing` }), {
    name: "AccessDenied",
  });
  await assert.rejects(assumed(on, client, { RoleArn: `arn:aws:iam::${ACCOUNT}:role/path/deployer` }), {
    name: "AccessDenied",
  });
});

test("the external id must be the one that the trust policy asks for", async () => {
  await using on = await system();
  await aRole(on, { ...EVERYONE_HERE, Condition: { StringEquals: { "sts:ExternalId": "abc" } } });
  const client = await aUser(on);
  await assert.rejects(assumed(on, client), { name: "AccessDenied" });
  await assert.rejects(assumed(on, client, { ExternalId: "xyz" }), { name: "AccessDenied" });
  await assumed(on, client, { ExternalId: "abc" });
});

test("a session has no more than its session policy allows", async () => {
  await using on = await system();
  await aRole(on, EVERYONE_HERE);
  const client = await aUser(on);
  const Policy = ALL.replace('"Action":"*"', '"Action":"iam:ListRoles"');
  const session = await assumed(on, client, { Policy });
  await session.send(new iamSdk.ListRolesCommand({}));
  await assert.rejects(session.send(new iamSdk.ListUsersCommand({})), /because no session policy allows/);

  const managed = await assumed(on, client, { PolicyArns: [{ arn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess" }] });
  await managed.send(new iamSdk.ListUsersCommand({}));
  await assert.rejects(managed.send(new iamSdk.CreateUserCommand({ UserName: "x" })), { name: "AccessDenied" });
  const PolicyDocument = ALL.replace('"Allow"', '"Deny"');
  const { Policy: nothing } = await on.root.send(
    new iamSdk.CreatePolicyCommand({ PolicyName: "none", PolicyDocument }),
  );
  const explicit = "with an explicit deny in a session policy";
  const named = await assumed(on, client, { Policy: ALL, PolicyArns: [{ arn: nothing!.Arn }] });
  await assert.rejects(named.send(new iamSdk.ListUsersCommand({})), new RegExp(`${explicit}: ${nothing!.Arn}$`));
  const inline = await assumed(on, client, { Policy: PolicyDocument });
  await assert.rejects(inline.send(new iamSdk.ListUsersCommand({})), new RegExp(`${explicit}$`));

  await assert.rejects(assumed(on, client, { Policy: "{" }), { name: "MalformedPolicyDocumentException" });
  await assert.rejects(assumed(on, client, { PolicyArns: [{ arn: "arn:aws:iam::aws:policy/MissingPolicy" }] }), {
    name: "ValidationError",
  });
});

test("the duration is bounded by the role, and by one hour when roles are chained", async () => {
  await using on = await system();
  await aRole(on, EVERYONE_HERE, { MaxSessionDuration: 7200 });
  const client = await aUser(on);
  const session = await assumed(on, client, { DurationSeconds: 7200 });
  await assert.rejects(assumed(on, client, { DurationSeconds: 7201 }), {
    name: "ValidationError",
    message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  });
  await assert.rejects(assumed(on, client, { DurationSeconds: 899 }), { name: "ValidationError" });
  await assumed(on, session, { DurationSeconds: 3600 });
  await assert.rejects(assumed(on, session, { DurationSeconds: 3601 }), {
    name: "ValidationError",
    message: "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
  });
});

test("tags need sts:TagSession, and transitive ones go on to the next session", async () => {
  await using on = await system();
  await aRole(
    on,
    { ...EVERYONE_HERE, Action: ["sts:AssumeRole", "sts:TagSession"] },
    { Tags: [{ Key: "Team", Value: "r" }] },
  );
  const client = await aUser(on);
  const session = await assumed(on, client, { Tags: [{ Key: "env", Value: "prod" }], TransitiveTagKeys: ["env"] });
  assert.deepEqual(session.principal.tags, { Team: "r", env: "prod" });
  const next = await assumed(on, session, { Tags: [{ Key: "team", Value: "s" }] });
  assert.deepEqual(next.principal.tags, { env: "prod", team: "s" });
  await assert.rejects(assumed(on, session, { Tags: [{ Key: "ENV", Value: "dev" }] }), {
    name: "InvalidParameterValue",
    message:
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
  });

  const AssumeRole = { ...EVERYONE_HERE, Effect: "Allow", Action: "sts:AssumeRole" };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [AssumeRole] });
  await on.root.send(new iamSdk.UpdateAssumeRolePolicyCommand({ RoleName: "deployer", PolicyDocument }));
  await assumed(on, client);
  await assert.rejects(assumed(on, client, { Tags: [{ Key: "env", Value: "prod" }] }), /sts:TagSession on resource/);
});

test("tags that are inherited need sts:TagSession of the next role, and take room", async () => {
  await using on = await system();
  await aRole(on, { ...EVERYONE_HERE, Action: ["sts:AssumeRole", "sts:TagSession"] });
  const client = await aUser(on);
  const session = await assumed(on, client, {
    Tags: [{ Key: "Env", Value: "v".repeat(256) }],
    TransitiveTagKeys: ["env", "ENV"],
  });
  const again = new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "session" });
  assert.equal((await session.send(again)).PackedPolicySize, 7);
  const next = await assumed(on, session);
  assert.deepEqual(next.principal.tags, { Env: "v".repeat(256) });
  assert.deepEqual(next.principal.transitiveTagKeys, ["Env"]);

  const Statement = [{ ...EVERYONE_HERE, Effect: "Allow", Action: "sts:AssumeRole" }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await on.root.send(new iamSdk.UpdateAssumeRolePolicyCommand({ RoleName: "deployer", PolicyDocument }));
  await assert.rejects(assumed(on, next), {
    name: "AccessDenied",
    message: /is not authorized to perform: sts:TagSession on resource/,
  });
  await assumed(on, client);
});

test("a source identity stays the same through a chain of sessions", async () => {
  await using on = await system();
  await aRole(on, { ...EVERYONE_HERE, Action: ["sts:AssumeRole", "sts:SetSourceIdentity"] });
  const session = await assumed(on, await aUser(on), { SourceIdentity: "alice" });
  const next = await assumed(on, session);
  assert.equal(next.principal.sourceIdentity, "alice");
  await assert.rejects(assumed(on, session, { SourceIdentity: "mallory" }), { name: "AccessDenied" });
});

test("root assumes no role, unless any credentials are taken", async () => {
  await using on = await system();
  await aRole(on, EVERYONE_HERE);
  await assert.rejects(assumed(on, on.root), { message: "Roles may not be assumed by root accounts." });
  await using lax = await system({ acceptAnyCredentials: true });
  await aRole(lax, EVERYONE_HERE);
  await assumed(lax, lax.root);
});

test("a role of another account needs both accounts' consent", async () => {
  await using on = await system();
  await aRole(on, { Principal: { AWS: "999999999999" } });
  const client = await aUser(on);
  await assert.rejects(assumed(on, client), { name: "AccessDenied" });
  const stranger = { type: "User", arn: "arn:aws:iam::999999999999:user/x", accountId: "999999999999" } as const;
  const principal = { ...stranger, userId: "AIDAX", accessKeyId: "AKIAX" };
  const abroad = on.client(principal, { accountId: "999999999999", region: REGION });
  await assert.rejects(assumed(on, abroad), /with an explicit deny|because no identity-based policy/);
});

test("an ARN that is none is told from one of a role that is not there", async () => {
  await using on = await system();
  const client = await aUser(on);
  for (const RoleArn of ["nothing-valid-in-here", "arn:a:::something/test-role", "arn:a:a::aaaaaaaaaaaaaa:"]) {
    await assert.rejects(assumed(on, client, { RoleArn }), {
      name: "ValidationError",
      message: `${RoleArn} is invalid`,
    });
  }
  const RoleArn = `arn:aws:iam::${ACCOUNT}:user/dev`;
  await assert.rejects(assumed(on, client, { RoleArn }), { name: "AccessDenied" });
});

test("the answer says how much room policies and tags take, and how long the token is", async () => {
  await using on = await system();
  await aRole(on, { ...EVERYONE_HERE, Action: ["sts:AssumeRole", "sts:TagSession"] });
  const client = await aUser(on);
  const send = (more: Partial<AssumeRoleCommandInput>) =>
    client.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "session", ...more }));
  assert.equal((await send({})).PackedPolicySize, undefined);
  const tagged = await send({ Tags: [{ Key: "k".repeat(100), Value: "v".repeat(105) }] });
  assert.equal(tagged.PackedPolicySize, 6);
  const tags = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ Key: `key-${index}`, Value: "v".repeat(256) }));
  await send({ Tags: tags(15) });
  await assert.rejects(send({ Tags: tags(50) }), {
    name: "PackedPolicyTooLargeException",
    message: "Packed size of session tags consumes 320% of allotted space.",
  });
  await assert.rejects(send({ Tags: tags(15), Policy: `${ALL}${" ".repeat(500)}` }), {
    name: "PackedPolicyTooLargeException",
    message: /^Packed policy consumes 11\d% of allotted space, please use smaller policy\.$/,
  });
  await assert.rejects(send({ Tags: tags(51) }), { name: "ValidationError" });

  const long = await send({ MinimumSessionTokenSize: 2048 });
  assert.ok(long.SessionTokenSize! >= 2048 && long.SessionTokenSize === long.Credentials!.SessionToken!.length);
  assert.equal(long.SessionTokenUtilization, Math.ceil((long.SessionTokenSize / 4096) * 100));
  const { AccessKeyId, SessionToken } = long.Credentials!;
  assert.equal((await on.principalOf({ AccessKeyId: AccessKeyId!, SessionToken: SessionToken! })).roleArn, ROLE);
  await assert.rejects(send({ MinimumSessionTokenSize: 4097 }), {
    name: "ValidationError",
    message:
      "1 validation error detected: Value '4097' at 'minimumSessionTokenSize' failed to satisfy constraint: Member must have value less than or equal to 4096",
  });
});

test("contexts need sts:SetContext, and there is nobody who could have provided one", async () => {
  await using on = await system();
  await aRole(on, EVERYONE_HERE);
  const client = await aUser(on);
  const ProviderArn = "arn:aws:iam::aws:contextProvider/IdentityCenter";
  const ProvidedContexts = [{ ProviderArn, ContextAssertion: "assertion" }];
  await assert.rejects(assumed(on, client, { ProvidedContexts }), /sts:SetContext on resource/);
  const statement = (Action: string, Condition?: object) => ({
    Effect: "Allow",
    Principal: { AWS: ACCOUNT },
    Action,
    ...(Condition && { Condition }),
  });
  const trusted = async (providers: string) => {
    const Condition = { "ForAllValues:ArnEquals": { "sts:RequestContextProviders": providers } };
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [statement("sts:AssumeRole"), statement("sts:SetContext", Condition)],
    });
    await on.root.send(new iamSdk.UpdateAssumeRolePolicyCommand({ RoleName: "deployer", PolicyDocument }));
  };
  await trusted("arn:aws:iam::aws:contextProvider/Other");
  await assert.rejects(assumed(on, client, { ProvidedContexts }), /sts:SetContext on resource/);
  await trusted(ProviderArn);
  await assert.rejects(assumed(on, client, { ProvidedContexts }), {
    name: "ValidationError",
    message: `The context assertion of ${ProviderArn} is not valid`,
  });
});
