import assert from "node:assert/strict";
import { test } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetDelegatedAccessTokenCommand,
  GetSessionTokenCommand,
} from "@aws-sdk/client-sts";
import {
  aRequest,
  delegationSystem,
  EXAMPLE,
  PARTNER,
  rootOf,
  sentToken,
  TEMPLATE,
} from "#services/iam/delegation/testing.ts";
import { anEnabledDevice, aUser, clientOf, policy, trust } from "#services/iam/testing.ts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";

const NOW = new Date("2026-01-01T10:00:00.750Z");
const at = (time: string) => new Date(`2026-01-01T${time}Z`);
const exchange = (TradeInToken: string) => new GetDelegatedAccessTokenCommand({ TradeInToken });
const everything = policy("Allow", "*");

async function aReader(system: TestSystem, name: string): Promise<void> {
  await system.root.send(new iam.CreateUserCommand({ UserName: name, Path: "/reports/" }));
}

const getUser = (UserName: string) => new iam.GetUserCommand({ UserName });

test("a partner acts as who accepted its request, within the request's policy", async () => {
  await using system = await delegationSystem();
  await aReader(system, "reader");
  const { client: admin } = await aUser(system, "admin", everything);
  const token = await sentToken(system, await aRequest(system), admin);
  const answer = await rootOf(system, PARTNER).send(exchange(token));
  assert.equal(answer.AssumedPrincipal, `arn:aws:iam::${ACCOUNT}:user/admin`);
  assert.equal(answer.PackedPolicySize, undefined);
  const delegated = await clientOf(system, answer.Credentials!);
  const identity = await delegated.send(new GetCallerIdentityCommand({}));
  assert.deepEqual([identity.Account, identity.Arn], [ACCOUNT, `arn:aws:iam::${ACCOUNT}:user/admin`]);
  await delegated.send(getUser("reader"));
  for (const command of [
    getUser("admin"),
    new iam.ListUsersCommand({}),
    new iam.CreateUserCommand({ UserName: "eve" }),
  ]) {
    await assert.rejects(delegated.send(command), {
      name: "AccessDenied",
      message: /because no session policy allows/,
    });
  }
});

test("it has no more than who accepted, as policies stand", async () => {
  await using system = await delegationSystem();
  await aReader(system, "reader");
  const { client: clerk } = await aUser(system, "clerk", policy("Allow", "iam:AcceptDelegationRequest"));
  const token = await sentToken(system, await aRequest(system), clerk);
  const delegated = await clientOf(system, (await rootOf(system, PARTNER).send(exchange(token))).Credentials!);
  await assert.rejects(delegated.send(getUser("reader")), {
    name: "AccessDenied",
    message: /no identity-based policy/,
  });
  const allow = { UserName: "clerk", PolicyName: "more", PolicyDocument: policy("Allow", "iam:GetUser") };
  await system.root.send(new iam.PutUserPolicyCommand(allow));
  await delegated.send(getUser("reader"));
  const revoke = { ...allow, PolicyDocument: policy("Deny", "iam:*") };
  await system.root.send(new iam.PutUserPolicyCommand(revoke));
  await assert.rejects(delegated.send(getUser("reader")), { name: "AccessDenied", message: /explicit deny/ });
});

test("of a root user too, no more than the policy", async () => {
  await using system = await delegationSystem();
  await aReader(system, "reader");
  const token = await sentToken(system, await aRequest(system), system.root);
  const answer = await rootOf(system, PARTNER).send(exchange(token));
  assert.equal(answer.AssumedPrincipal, `arn:aws:iam::${ACCOUNT}:root`);
  const delegated = await clientOf(system, answer.Credentials!);
  await delegated.send(getUser("reader"));
  await assert.rejects(delegated.send(new iam.ListUsersCommand({})), { name: "AccessDenied" });
});

test("of a role it is the session that accepted", async () => {
  await using system = await delegationSystem();
  await aReader(system, "reader");
  const { client: admin } = await aUser(system, "admin", everything);
  const AssumeRolePolicyDocument = trust(`arn:aws:iam::${ACCOUNT}:user/admin`);
  const { Role } = await system.root.send(new iam.CreateRoleCommand({ RoleName: "lead", AssumeRolePolicyDocument }));
  const all = { RoleName: "lead", PolicyName: "all", PolicyDocument: everything };
  await system.root.send(new iam.PutRolePolicyCommand(all));
  const session = new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "alice" });
  const lead = await clientOf(system, (await admin.send(session)).Credentials!);
  const token = await sentToken(system, await aRequest(system), lead);
  const answer = await rootOf(system, PARTNER).send(exchange(token));
  assert.equal(answer.AssumedPrincipal, `arn:aws:sts::${ACCOUNT}:assumed-role/lead/alice`);
  const delegated = await clientOf(system, answer.Credentials!);
  await delegated.send(getUser("reader"));
  await assert.rejects(delegated.send(new iam.ListUsersCommand({})), { name: "AccessDenied" });
});

test("tags that go on to further sessions go on from the partner's session too", async () => {
  const Statement = { Effect: "Allow", Action: "sts:*", Resource: "*" };
  const templates = { [TEMPLATE]: { Version: "2012-10-17", Statement } };
  await using system = await delegationSystem([{ ...EXAMPLE, templates }]);
  const { client: admin } = await aUser(system, "admin", everything);
  const role = async (RoleName: string) => {
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: ["sts:AssumeRole", "sts:TagSession"] },
    });
    const { Role } = await system.root.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const all = { RoleName, PolicyName: "all", PolicyDocument: everything };
    await system.root.send(new iam.PutRolePolicyCommand(all));
    return { RoleArn: Role!.Arn!, RoleSessionName: "alice" };
  };
  const tagged = new AssumeRoleCommand({
    ...(await role("lead")),
    Tags: [
      { Key: "team", Value: "blue" },
      { Key: "desk", Value: "7" },
    ],
    TransitiveTagKeys: ["team"],
  });
  const lead = await clientOf(system, (await admin.send(tagged)).Credentials!);
  const id = await aRequest(system, { Permissions: { PolicyTemplateArn: TEMPLATE } });
  const { Credentials } = await rootOf(system, PARTNER).send(exchange(await sentToken(system, id, lead)));
  const delegated = await clientOf(system, Credentials!);
  assert.deepEqual(delegated.principal.tags, { team: "blue", desk: "7" });
  const further = await role("further");
  const next = await clientOf(system, (await delegated.send(new AssumeRoleCommand(further))).Credentials!);
  assert.deepEqual(next.principal.tags, { team: "blue" });
  const other = new AssumeRoleCommand({ ...further, Tags: [{ Key: "team", Value: "red" }] });
  await assert.rejects(delegated.send(other), { name: "InvalidParameterValue" });
});

/** The example of https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html */
test("a token is exchanged as often as wanted, and everything ends when it does", async () => {
  await using system = await delegationSystem();
  system.setNow(NOW);
  const { client: admin } = await aUser(system, "admin", everything);
  const token = await sentToken(system, await aRequest(system, { SessionDuration: 7200 }), admin);
  const partner = rootOf(system, PARTNER);
  const keys = new Set<string>();
  for (const now of [NOW, at("10:20:00.999"), at("11:59:59.900")]) {
    system.setNow(now);
    const { Credentials } = await partner.send(exchange(token));
    assert.deepEqual(Credentials!.Expiration, at("12:00:00"));
    keys.add(Credentials!.AccessKeyId!);
    await clientOf(system, Credentials!);
  }
  assert.equal(keys.size, 3);
  system.setNow(at("12:00:00"));
  await assert.rejects(partner.send(exchange(token)), { name: "ExpiredTradeInTokenException" });
});

test("sessions that are revoked by their age cannot be had anew with the same token", async () => {
  await using system = await delegationSystem();
  system.setNow(NOW);
  await aReader(system, "reader");
  const { client: admin } = await aUser(system, "admin", everything);
  const token = await sentToken(system, await aRequest(system), admin);
  const partner = rootOf(system, PARTNER);
  const Condition = { DateLessThan: { "aws:TokenIssueTime": "2026-01-01T10:05:00Z" } };
  const Statement = { Effect: "Deny", Action: "*", Resource: "*", Condition };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  const revoke = { UserName: "admin", PolicyName: "AWSRevokeOlderSessions", PolicyDocument };
  await system.root.send(new iam.PutUserPolicyCommand(revoke));
  system.setNow(at("10:10:00"));
  const { Credentials } = await partner.send(exchange(token));
  const delegated = await clientOf(system, Credentials!);
  await assert.rejects(delegated.send(getUser("reader")), { name: "AccessDenied", message: /explicit deny/ });
  const later = await sentToken(system, await aRequest(system), admin);
  const anew = await clientOf(system, (await partner.send(exchange(later))).Credentials!);
  await anew.send(getUser("reader"));
});

test("the partner has not the approver's MFA device, and does not use up its tries", async () => {
  await using system = await delegationSystem();
  const { client: admin } = await aUser(system, "admin", everything);
  const device = await anEnabledDevice(system, "admin", "phone");
  const token = await sentToken(system, await aRequest(system), admin);
  const delegated = await clientOf(system, (await rootOf(system, PARTNER).send(exchange(token))).Credentials!);
  const [TokenCode] = device.codes(system.clock.now(), 1, 1);
  const SerialNumber = device.serialNumber;
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/any`;
  const assume = new AssumeRoleCommand({ RoleArn, RoleSessionName: "any", SerialNumber, TokenCode });
  await assert.rejects(delegated.send(assume), { name: "AccessDenied", message: /unable to validate MFA code/ });
  await admin.send(new GetSessionTokenCommand({ SerialNumber, TokenCode }));
});

test("a token is of use to the partner's account alone", async () => {
  await using system = await delegationSystem();
  const { client: admin } = await aUser(system, "admin", everything);
  const token = await sentToken(system, await aRequest(system), admin);
  const invalid = { name: "ValidationError", message: "Invalid trade-in token" };
  for (const client of [admin, system.root, rootOf(system, "777788889999")]) {
    await assert.rejects(client.send(exchange(token)), invalid);
  }
  const partner = rootOf(system, PARTNER);
  for (const wrong of ["x", `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}x`, token.slice(1)]) {
    await assert.rejects(partner.send(exchange(wrong)), invalid);
  }
  const { Credentials } = await partner.send(exchange(token));
  await assert.rejects(partner.send(exchange(Credentials!.SessionToken!)), invalid);
});

test("the partner decides about no request in the name of who accepted", async () => {
  const Statement = { Effect: "Allow", Action: ["sts:*", "iam:AssociateDelegationRequest"], Resource: "*" };
  const templates = { [TEMPLATE]: { Version: "2012-10-17", Statement } };
  await using system = await delegationSystem([{ ...EXAMPLE, templates }]);
  const { client: admin } = await aUser(system, "admin", everything);
  const Permissions = { PolicyTemplateArn: TEMPLATE };
  const token = await sentToken(system, await aRequest(system, { Permissions }), admin);
  const delegated = await clientOf(system, (await rootOf(system, PARTNER).send(exchange(token))).Credentials!);
  const about = { DelegationRequestId: await aRequest(system, { Permissions }) };
  await delegated.send(new iam.AssociateDelegationRequestCommand(about));
  for (const command of [
    new iam.GetDelegationRequestCommand(about),
    new iam.AcceptDelegationRequestCommand(about),
    new iam.RejectDelegationRequestCommand(about),
  ]) {
    await assert.rejects(delegated.send(command), { name: "AccessDenied" });
  }
  await admin.send(new iam.AcceptDelegationRequestCommand(about));
  await assert.rejects(delegated.send(new iam.SendDelegationTokenCommand(about)), { name: "AccessDenied" });
});
