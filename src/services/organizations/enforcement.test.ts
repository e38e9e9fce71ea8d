/** SCPs and RCPs on the calls of people who signed in to a member account. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as logsSdk from "@aws-sdk/client-cloudwatch-logs";
import * as iamSdk from "@aws-sdk/client-iam";
import * as kmsSdk from "@aws-sdk/client-kms";
import * as sdk from "@aws-sdk/client-organizations";
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { kms } from "../kms/index.ts";
import { logs } from "../logs/index.ts";
import {
  anAccount,
  anOrganization,
  aPolicy,
  attach,
  aUnit,
  aUser,
  document,
  organizationsSystem,
  restrict,
  rootOf,
  signedIn,
} from "./testing.ts";

const group = (name: string, tags?: Record<string, string>) =>
  new logsSdk.CreateLogGroupCommand({ logGroupName: name, ...(tags && { tags }) });

describe("an SCP", () => {
  it("denies what the account's own administrators allow, in AWS's words, and nobody else", async () => {
    await using system = await organizationsSystem({ services: [logs] });
    const { id, rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const [inside, outside] = [await anAccount(system, "in", unit), await anAccount(system, "out")];
    const member = await signedIn(system, inside);
    await member.send(group("before"));
    const policyId = await restrict(
      system,
      unit,
      "tagged",
      document({
        Effect: "Deny",
        Action: "logs:CreateLogGroup",
        Resource: "*",
        Condition: { Null: { "aws:RequestTag/stage": "true" } },
      }),
    );
    const arn = `arn:aws:logs:${REGION}:${inside}:log-group:mine:log-stream:`;
    const end = `is not authorized to perform: logs:CreateLogGroup on resource: ${arn} with an explicit deny in a service control policy`;
    const policyArn = `arn:aws:organizations::${ACCOUNT}:policy/${id}/service_control_policy/${policyId}`;
    await assert.rejects(member.send(group("mine")), {
      name: "AccessDenied",
      message: `User: ${member.principal.arn} ${end}: ${policyArn}`,
    });
    await assert.rejects(rootOf(system, inside).send(group("mine")), {
      message: `User: arn:aws:iam::${inside}:root ${end}: ${policyArn}`,
    });
    await member.send(group("mine", { stage: "dev" }));
    await (await signedIn(system, outside)).send(group("mine"));
    await system.root.send(group("mine"));
  });

  it("that is an allow list leaves nothing else, and every level must allow", async () => {
    await using system = await organizationsSystem({ services: [logs] });
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const account = await anAccount(system, "dev", unit);
    const member = await signedIn(system, account);
    await restrict(system, unit, "sts only", document({ Effect: "Allow", Action: "sts:*", Resource: "*" }));
    await member.send(group("one"));
    await root.send(new sdk.DetachPolicyCommand({ PolicyId: "p-FullAWSAccess", TargetId: unit }));
    await assert.rejects(member.send(group("two")), {
      message: /because no service control policy allows the logs:CreateLogGroup action$/,
    });
    const both = await restrict(system, unit, "logs", document({ Effect: "Allow", Action: "logs:*", Resource: "*" }));
    await member.send(group("two"));
    await root.send(new sdk.DetachPolicyCommand({ PolicyId: both, TargetId: unit }));
    await assert.rejects(member.send(group("three")), { name: "AccessDenied" });
    await root.send(
      new sdk.MoveAccountCommand({ AccountId: account, SourceParentId: unit, DestinationParentId: rootId }),
    );
    await member.send(group("three"));
  });

  it("takes effect at once when it is attached, changed, detached or its type disabled", async () => {
    await using system = await organizationsSystem({ services: [logs] });
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    const member = await signedIn(system, account);
    const describeGroups = () => member.send(new logsSdk.DescribeLogGroupsCommand({}));
    const denied = { name: "AccessDenied" };
    await describeGroups();
    const deny = (Action: string) => document({ Effect: "Deny", Action, Resource: "*" });
    const PolicyId = await restrict(system, account, "no logs", deny("logs:*"));
    await assert.rejects(describeGroups(), denied);
    await root.send(new sdk.UpdatePolicyCommand({ PolicyId, Content: deny("kms:*") }));
    await describeGroups();
    await root.send(new sdk.UpdatePolicyCommand({ PolicyId, Content: deny("logs:*") }));
    await assert.rejects(describeGroups(), denied);
    await root.send(new sdk.DetachPolicyCommand({ PolicyId, TargetId: account }));
    await describeGroups();
    await attach(system, PolicyId, rootId);
    await assert.rejects(describeGroups(), denied);
    await root.send(new sdk.DisablePolicyTypeCommand({ RootId: rootId, PolicyType: "SERVICE_CONTROL_POLICY" }));
    await describeGroups();
  });

  it("against IAM keeps nobody from the account whose role may be assumed, nor from being told who one is", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    await restrict(
      system,
      rootId,
      "no iam",
      document({ Effect: "Deny", Action: ["iam:*", "sts:Get*"], Resource: "*" }),
    );
    const member = await signedIn(system, account);
    await assert.rejects(member.send(new iamSdk.ListUsersCommand({})), { name: "AccessDenied" });
    const identity = await member.send(new GetCallerIdentityCommand({}));
    assert.equal(identity.Account, account);
    // An account that is made under such a policy has its role all the same.
    await signedIn(system, await anAccount(system, "another"));
    assert.deepEqual(system.workErrors, []);
  });

  it("is not escaped by a role that looks like a service's", async () => {
    await using system = await organizationsSystem({ services: [logs] });
    const { rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    const member = await signedIn(system, account);
    await restrict(system, rootId, "no logs", document({ Effect: "Deny", Action: "logs:*", Resource: "*" }));
    const AssumeRolePolicyDocument = document({
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: "sts:AssumeRole",
    });
    const reserved = { name: "InvalidInputException", message: /is reserved for service-linked roles\.$/ };
    for (const [Path, RoleName] of [
      ["/aws-service-role/ecs.amazonaws.com/", "mine"],
      ["/aws-service-role/", "mine"],
      ["/", "AWSServiceRoleForECS"],
    ]) {
      const command = new iamSdk.CreateRoleCommand({ Path, RoleName: RoleName!, AssumeRolePolicyDocument });
      await assert.rejects(member.send(command), reserved);
    }
    const Path = "/x:role/aws-service-role/y/";
    const lookalike = { Path, RoleName: "mine", AssumeRolePolicyDocument };
    const { Role } = await member.send(new iamSdk.CreateRoleCommand(lookalike));
    const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
    await member.send(new iamSdk.AttachRolePolicyCommand({ RoleName: "mine", PolicyArn }));
    const assume = new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "escape" });
    const principal = await system.principalOf((await member.send(assume)).Credentials!);
    const mine = system.client(principal, { accountId: account, region: REGION });
    await assert.rejects(mine.send(group("escaped")), { name: "AccessDenied", message: /in a service control policy/ });
    // A real one cannot be made to trust the account's people.
    await member.send(new iamSdk.CreateServiceLinkedRoleCommand({ AWSServiceName: "ecs.amazonaws.com" }));
    const RoleName = "AWSServiceRoleForECS";
    const PolicyDocument = AssumeRolePolicyDocument;
    await assert.rejects(member.send(new iamSdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument })), {
      name: "UnmodifiableEntityException",
    });
    const RoleArn = `arn:aws:iam::${account}:role/aws-service-role/ecs.amazonaws.com/${RoleName}`;
    await assert.rejects(member.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "escape" })), {
      name: "AccessDenied",
    });
  });

  it("holds for every session that comes of a role", async () => {
    await using system = await organizationsSystem({ services: [logs] });
    const { rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    const member = await signedIn(system, account);
    const trust = document({
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: "sts:AssumeRole",
    });
    await member.send(new iamSdk.CreateRoleCommand({ RoleName: "next", AssumeRolePolicyDocument: trust }));
    const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
    await member.send(new iamSdk.AttachRolePolicyCommand({ RoleName: "next", PolicyArn }));
    await member.send(new iamSdk.CreateUserCommand({ UserName: "eve" }));
    await member.send(new iamSdk.AttachUserPolicyCommand({ UserName: "eve", PolicyArn }));
    const { AccessKey } = await member.send(new iamSdk.CreateAccessKeyCommand({ UserName: "eve" }));
    const clientOf = async (key: Parameters<typeof system.principalOf>[0]) =>
      system.client(await system.principalOf(key), { accountId: account, region: REGION });
    const eve = await clientOf({ AccessKeyId: AccessKey!.AccessKeyId! });
    const RoleArn = `arn:aws:iam::${account}:role/next`;
    const chained = await member.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "chained" }));
    const Policy = document({ Effect: "Allow", Action: "*", Resource: "*" });
    const federated = await eve.send(new GetFederationTokenCommand({ Name: "guest", Policy }));
    const session = await eve.send(new GetSessionTokenCommand({}));
    const clients = [eve, rootOf(system, account)];
    for (const { Credentials } of [chained, federated, session]) {
      clients.push(
        await clientOf({ AccessKeyId: Credentials!.AccessKeyId!, SessionToken: Credentials!.SessionToken! }),
      );
    }
    for (const client of clients) await client.send(new logsSdk.DescribeLogGroupsCommand({}));
    const id = await restrict(system, rootId, "no logs", document({ Effect: "Deny", Action: "logs:*", Resource: "*" }));
    for (const client of clients) {
      await assert.rejects(
        client.send(new logsSdk.DescribeLogGroupsCommand({})),
        { name: "AccessDenied", message: new RegExp(`with an explicit deny in a service control policy: .*/${id}$`) },
        client.principal.arn,
      );
    }
  });

  it("keeps an account from leaving", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system);
    const guest = rootOf(system, "999988887777");
    const invite = new sdk.InviteAccountToOrganizationCommand({ Target: { Type: "ACCOUNT", Id: "999988887777" } });
    const { Handshake } = await system.root.send(invite);
    await guest.send(new sdk.AcceptHandshakeCommand({ HandshakeId: Handshake!.Id! }));
    const policy = document({ Effect: "Deny", Action: "organizations:LeaveOrganization", Resource: "*" });
    const PolicyId = await restrict(system, rootId, "stay", policy);
    await assert.rejects(guest.send(new sdk.LeaveOrganizationCommand({})), { name: "AccessDenied" });
    await system.root.send(new sdk.DetachPolicyCommand({ PolicyId, TargetId: rootId }));
    await guest.send(new sdk.LeaveOrganizationCommand({}));
  });
});

describe("the service-linked role of Organizations", () => {
  const roleOf = async (client: Client) =>
    (await client.send(new iamSdk.GetRoleCommand({ RoleName: "AWSServiceRoleForOrganizations" }))).Role!.Path;
  const PATH = "/aws-service-role/organizations.amazonaws.com/";

  it("is in every account of an organization with all features, also when it was there before", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    assert.equal(await roleOf(system.root), PATH);
    assert.equal(await roleOf(rootOf(system, await anAccount(system, "dev"))), PATH);
    const guest = rootOf(system, "999988887777");
    for (const round of ["first", "again"]) {
      const invite = new sdk.InviteAccountToOrganizationCommand({ Target: { Type: "ACCOUNT", Id: "999988887777" } });
      const { Handshake } = await system.root.send(invite);
      await guest.send(new sdk.AcceptHandshakeCommand({ HandshakeId: Handshake!.Id! }));
      assert.equal(await roleOf(guest), PATH, round);
      await guest.send(new sdk.LeaveOrganizationCommand({}));
    }
    await using billing = await organizationsSystem();
    await anOrganization(billing, "CONSOLIDATED_BILLING");
    await assert.rejects(roleOf(billing.root), { name: "NoSuchEntityException" });
  });

  it("needs the caller's permission, without which nothing is made", async () => {
    await using system = await organizationsSystem();
    const statement = { Effect: "Allow", Action: "organizations:*", Resource: "*" };
    const founder = await aUser(system, "founder", statement);
    await assert.rejects(founder.send(new sdk.CreateOrganizationCommand({})), {
      name: "AccessDeniedForDependencyException",
      Reason: "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE",
    });
    const describeIt = system.root.send(new sdk.DescribeOrganizationCommand({}));
    await assert.rejects(describeIt, { name: "AWSOrganizationsNotInUseException" });
    await founder.send(new sdk.CreateOrganizationCommand({ FeatureSet: "CONSOLIDATED_BILLING" }));
  });
});

describe("the organization's condition keys", () => {
  it("let a role trust an organization, or a part of it", async () => {
    await using system = await organizationsSystem();
    const { id, rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const inside = await signedIn(system, await anAccount(system, "in", unit));
    const beside = await signedIn(system, await anAccount(system, "out"));
    const trusting = async (RoleName: string, Condition: object) => {
      const trust = document({ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole", Condition });
      await system.root.send(new iamSdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
      return new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/${RoleName}`, RoleSessionName: "visit" });
    };
    const everywhere = await trusting("org", { StringEquals: { "aws:PrincipalOrgID": id } });
    await inside.send(everywhere);
    await beside.send(everywhere);
    const below = await trusting("unit", {
      "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": `${id}/*/${unit}/*` },
    });
    await inside.send(below);
    await assert.rejects(beside.send(below), { name: "AccessDenied" });
    const other = await trusting("other", { StringEquals: { "aws:PrincipalOrgID": "o-another000" } });
    await assert.rejects(inside.send(other), { name: "AccessDenied" });
  });
});

describe("an RCP", () => {
  it("keeps strangers out of a role that trusts them", async () => {
    await using system = await organizationsSystem();
    const { id, rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    const member = await signedIn(system, account);
    const stranger = rootOf(system, "999988887777");
    await stranger.send(new iamSdk.CreateUserCommand({ UserName: "eve" }));
    const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
    await stranger.send(new iamSdk.AttachUserPolicyCommand({ UserName: "eve", PolicyArn }));
    const { AccessKey } = await stranger.send(new iamSdk.CreateAccessKeyCommand({ UserName: "eve" }));
    const principal = await system.principalOf({ AccessKeyId: AccessKey!.AccessKeyId! });
    const eve = system.client(principal, { accountId: "999988887777", region: REGION });
    const trust = document({ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" });
    await member.send(new iamSdk.CreateRoleCommand({ RoleName: "open", AssumeRolePolicyDocument: trust }));
    const RoleArn = `arn:aws:iam::${account}:role/open`;
    const assume = new AssumeRoleCommand({ RoleArn, RoleSessionName: "visit" });
    await eve.send(assume);

    const type = "RESOURCE_CONTROL_POLICY";
    await system.root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: type }));
    await eve.send(assume);
    const perimeter = document({
      Effect: "Deny",
      Principal: "*",
      Action: "sts:AssumeRole",
      Resource: "*",
      Condition: { StringNotEqualsIfExists: { "aws:PrincipalOrgID": id } },
    });
    await attach(system, await aPolicy(system, "perimeter", perimeter, type), rootId);
    await assert.rejects(eve.send(assume), {
      name: "AccessDenied",
      // A stranger is not told which one.
      message: `User: ${principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${RoleArn} with an explicit deny in a resource control policy`,
    });
    await member.send(assume);
  });

  it("restricts an account's own keys and not those that AWS manages", async () => {
    await using system = await organizationsSystem({ services: [kms] });
    const { id, rootId } = await anOrganization(system);
    const member = await signedIn(system, await anAccount(system, "dev"));
    const { KeyMetadata } = await member.send(new kmsSdk.CreateKeyCommand({}));
    const describeKey = (KeyId: string) => member.send(new kmsSdk.DescribeKeyCommand({ KeyId }));
    const type = "RESOURCE_CONTROL_POLICY";
    await system.root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: type }));
    const nobody = document({ Effect: "Deny", Principal: "*", Action: "kms:*", Resource: "*" });
    const policyId = await aPolicy(system, "nobody", nobody, type);
    await attach(system, policyId, rootId);
    const policyArn = `arn:aws:organizations::${ACCOUNT}:policy/${id}/resource_control_policy/${policyId}`;
    await assert.rejects(describeKey(KeyMetadata!.KeyId!), {
      name: "AccessDenied",
      message: new RegExp(`with an explicit deny in a resource control policy: ${policyArn}$`),
    });
    assert.equal((await describeKey("alias/aws/s3")).KeyMetadata!.KeyManager, "AWS");
  });
});
