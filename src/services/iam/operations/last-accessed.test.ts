import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { servicePrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "../identities.ts";
import { aRole, aUser, clientOf, iamSystem, policy, roleArn } from "../testing.ts";

const ARN = `arn:aws:iam::${ACCOUNT}`;
const JANUARY = new Date("2026-01-05T10:00:00Z");

/** As a second later. */
async function written(system: TestSystem): Promise<void> {
  await (system.identities as IamIdentities).flush();
}

async function reported(client: Client, Arn: string, Granularity?: sdk.AccessAdvisorUsageGranularityType) {
  const { JobId } = await client.send(new sdk.GenerateServiceLastAccessedDetailsCommand({ Arn, Granularity }));
  return { JobId, ...(await client.send(new sdk.GetServiceLastAccessedDetailsCommand({ JobId }))) };
}

async function roleSession(system: TestSystem, name: string): Promise<Client> {
  const codebuild = system.client(servicePrincipal("codebuild.amazonaws.com", ACCOUNT), {
    accountId: ACCOUNT,
    region: REGION,
  });
  const command = new AssumeRoleCommand({ RoleArn: roleArn(name), RoleSessionName: "build" });
  return clientOf(system, (await codebuild.send(command)).Credentials!);
}

test("a user's attempts are reported for the services that its policies grant, refused ones too", async () => {
  await using system = await iamSystem();
  system.setNow(JANUARY);
  const { client } = await aUser(system, "ana", policy("Allow", ["iam:Get*", "s3:*"]));
  await client.send(new sdk.GetUserCommand({ UserName: "ana" }));
  await client.send(new GetCallerIdentityCommand({}));
  system.setNow(new Date("2026-01-06T10:00:00Z"));
  await assert.rejects(client.send(new sdk.ListUsersCommand({})), { name: "AccessDenied" });

  const report = await reported(system.root, `${ARN}:user/ana`, "ACTION_LEVEL");
  assert.deepEqual([report.JobStatus, report.JobType, report.IsTruncated], ["COMPLETED", "ACTION_LEVEL", false]);
  // The policies grant nothing of STS.
  const [iam, s3, ...more] = report.ServicesLastAccessed!;
  assert.deepEqual([iam?.ServiceNamespace, s3?.ServiceNamespace, more], ["iam", "s3", []]);
  const { TrackedActionsLastAccessed, ...service } = iam!;
  assert.deepEqual(service, {
    ServiceName: "AWS Identity and Access Management (IAM)",
    ServiceNamespace: "iam",
    LastAuthenticated: new Date("2026-01-06T10:00:00Z"),
    LastAuthenticatedEntity: `${ARN}:user/ana`,
    LastAuthenticatedRegion: REGION,
    TotalAuthenticatedEntities: 1,
  });
  const tracked = new Map(TrackedActionsLastAccessed?.map((action) => [action.ActionName, action]));
  assert.deepEqual(tracked.get("GetUser"), {
    ActionName: "GetUser",
    LastAccessedEntity: `${ARN}:user/ana`,
    LastAccessedTime: JANUARY,
    LastAccessedRegion: REGION,
  });
  assert.deepEqual(tracked.get("GetRole"), { ActionName: "GetRole" });
  assert.equal(tracked.has("ListUsers"), false);
  assert.deepEqual([s3?.LastAuthenticated, s3?.TotalAuthenticatedEntities], [undefined, 0]);
  const s3Actions = s3?.TrackedActionsLastAccessed?.map(({ ActionName }) => ActionName);
  assert.ok(s3Actions?.includes("CreateBucket") && !s3Actions.includes("GetObject"));
});

test("reports of policies and groups tell who could use them", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const PolicyArn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
  const [ana, ben] = [await aUser(system, "ana"), await aUser(system, "ben")];
  await root.send(new sdk.CreateGroupCommand({ GroupName: "readers" }));
  await root.send(new sdk.AttachGroupPolicyCommand({ GroupName: "readers", PolicyArn }));
  for (const UserName of ["ana", "ben"]) {
    await root.send(new sdk.AddUserToGroupCommand({ GroupName: "readers", UserName }));
  }
  await aRole(system, "builder");
  await root.send(new sdk.AttachRolePolicyCommand({ RoleName: "builder", PolicyArn }));
  system.setNow(JANUARY);
  await ben.client.send(new sdk.ListUsersCommand({}));
  system.setNow(new Date("2026-01-06T10:00:00Z"));
  await ana.client.send(new sdk.ListUsersCommand({}));

  const { JobId, ServicesLastAccessed } = await reported(root, PolicyArn);
  const [iam] = ServicesLastAccessed!;
  assert.deepEqual([iam?.LastAuthenticatedEntity, iam?.TotalAuthenticatedEntities], [`${ARN}:user/ana`, 2]);
  const withEntities = (input: Partial<sdk.GetServiceLastAccessedDetailsWithEntitiesCommandInput> = {}) =>
    root.send(new sdk.GetServiceLastAccessedDetailsWithEntitiesCommand({ JobId, ServiceNamespace: "iam", ...input }));
  const { EntityDetailsList } = await withEntities();
  assert.deepEqual(
    EntityDetailsList?.map(({ EntityInfo, LastAuthenticated }) => [
      EntityInfo?.Name,
      EntityInfo?.Type,
      LastAuthenticated?.toISOString(),
    ]),
    [
      ["ana", "USER", "2026-01-06T10:00:00.000Z"],
      ["ben", "USER", "2026-01-05T10:00:00.000Z"],
      ["builder", "ROLE", undefined],
    ],
  );
  const first = await withEntities({ MaxItems: 2 });
  const second = await withEntities({ MaxItems: 2, Marker: first.Marker });
  assert.deepEqual([first.EntityDetailsList?.length, second.EntityDetailsList?.length], [2, 1]);
  await assert.rejects(withEntities({ ServiceNamespace: "s3" }), { name: "NoSuchEntityException" });

  const group = await reported(root, `${ARN}:group/readers`);
  assert.equal(group.ServicesLastAccessed?.[0]?.TotalAuthenticatedEntities, 2);
});

test("a report is of its time, and for who asked for it alone", async () => {
  await using system = await iamSystem();
  const { client } = await aUser(system, "ana", policy("Allow", "iam:*"));
  system.setNow(JANUARY);
  const { JobId } = await reported(client, `${ARN}:user/ana`);
  system.setNow(new Date("2026-01-06T10:00:00Z"));
  await client.send(new sdk.ListUsersCommand({}));
  await written(system);
  const again = await client.send(new sdk.GetServiceLastAccessedDetailsCommand({ JobId }));
  assert.deepEqual(again.ServicesLastAccessed?.[0]?.LastAuthenticated, JANUARY);
  const get = new sdk.GetServiceLastAccessedDetailsCommand({ JobId });
  await assert.rejects(system.root.send(get), { name: "NoSuchEntityException" });
  const generate = (Arn: string) => system.root.send(new sdk.GenerateServiceLastAccessedDetailsCommand({ Arn }));
  await assert.rejects(generate(`${ARN}:user/nobody`), { name: "NoSuchEntityException" });
  await assert.rejects(generate(`${ARN}:policy/nothing`), { name: "NoSuchEntityException" });
  await assert.rejects(generate("arn:aws:s3:::some-bucket"), { name: "InvalidInputException" });
});

test("a role tells when it was last used, for 400 days", async () => {
  await using system = await iamSystem();
  await aRole(system, "builder");
  const lastUsed = async () =>
    (await system.root.send(new sdk.GetRoleCommand({ RoleName: "builder" }))).Role?.RoleLastUsed;
  assert.deepEqual(await lastUsed(), {});
  system.setNow(JANUARY);
  const session = await roleSession(system, "builder");
  await session.send(new GetCallerIdentityCommand({}));
  await written(system);
  assert.deepEqual(await lastUsed(), { LastUsedDate: JANUARY, Region: REGION });
  const details = new sdk.GetAccountAuthorizationDetailsCommand({ Filter: ["Role"] });
  const { RoleDetailList } = await system.root.send(details);
  assert.deepEqual(RoleDetailList?.[0]?.RoleLastUsed, { LastUsedDate: JANUARY, Region: REGION });
  system.setNow(new Date("2027-02-10T00:00:00Z"));
  assert.deepEqual(await lastUsed(), {});
});

test("attempts outlive the process, and an older one written later does not count", async () => {
  await using system = await iamSystem();
  system.setNow(JANUARY);
  await aRole(system, "builder");
  const session = await roleSession(system, "builder");
  const other = new IamIdentities(system);
  other.recordAccess(session.principal, "s3:GetObject", "eu-west-1", new Date("2026-01-04T00:00:00Z"));
  await session.send(new GetCallerIdentityCommand({}));
  other.recordAccess(session.principal, "sts:GetCallerIdentity", "eu-west-1", new Date("2026-01-04T00:00:00Z"));
  await written(system);
  await other.stop();
  const { Role } = await system.root.send(new sdk.GetRoleCommand({ RoleName: "builder" }));
  assert.deepEqual(Role?.RoleLastUsed, { LastUsedDate: JANUARY, Region: REGION });
});

test("policies that grant access to a service are told with what they hang on", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await aUser(system, "ana", policy("Allow", ["codebuild:StartBuild", "ecr:*"]));
  await root.send(new sdk.CreateGroupCommand({ GroupName: "Admins" }));
  await root.send(new sdk.AddUserToGroupCommand({ GroupName: "Admins", UserName: "ana" }));
  const PolicyDocument = policy("Deny", "ecr:*");
  await root.send(new sdk.PutGroupPolicyCommand({ GroupName: "Admins", PolicyName: "no-ecr", PolicyDocument }));
  const PolicyArn = "arn:aws:iam::aws:policy/PowerUserAccess";
  await root.send(new sdk.AttachGroupPolicyCommand({ GroupName: "Admins", PolicyArn }));
  const list = (Arn: string) =>
    root.send(
      new sdk.ListPoliciesGrantingServiceAccessCommand({
        Arn,
        ServiceNamespaces: ["ecr", "codebuild", "account-access"],
      }),
    );
  const managed = { PolicyName: "PowerUserAccess", PolicyType: "MANAGED", PolicyArn };
  const own = { PolicyName: "own", PolicyType: "INLINE", EntityType: "USER", EntityName: "ana" };
  const { PoliciesGrantingServiceAccess } = await list(`${ARN}:user/ana`);
  assert.deepEqual(PoliciesGrantingServiceAccess, [
    { ServiceNamespace: "ecr", Policies: [own, managed] },
    { ServiceNamespace: "codebuild", Policies: [own, managed] },
    { ServiceNamespace: "account-access", Policies: [managed] },
  ]);
  const ofGroup = await list(`${ARN}:group/Admins`);
  assert.deepEqual(ofGroup.PoliciesGrantingServiceAccess?.[0]?.Policies, [managed]);
  await assert.rejects(list(`${ARN}:user/nobody`), { name: "NoSuchEntityException" });
});

test("a policy that is too long for the evaluator is refused", async () => {
  await using system = await iamSystem();
  const Arn = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy";
  const generate = new sdk.GenerateServiceLastAccessedDetailsCommand({ Arn });
  await assert.rejects(system.root.send(generate), { name: "InvalidInputException", message: /longer than/ });
});
