/** What IAM does for an organization as a whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "../identities.ts";
import { iam } from "../index.ts";
import { type FakeOrganization, fakeOrganizations, ORGANIZATION_ID, ROOT_ID } from "../organizations-testing.ts";
import { policy } from "../testing.ts";

const [WEB, OPS, OUTSIDE] = ["222222222222", "333333333333", "999999999999"];
const UNIT = "ou-ab12-11111111";
const EVERYTHING = policy("Allow", "*");

const ORGANIZATION: FakeOrganization = {
  management: ACCOUNT,
  allFeatures: true,
  scpsEnabled: true,
  trusted: ["cloudtrail.amazonaws.com", "iam.amazonaws.com"],
  delegatedAdministrator: OPS!,
  children: { [ROOT_ID]: [ACCOUNT, OPS!, UNIT], [UNIT]: [WEB!] },
  policies: {
    "p-fullaccess": { content: EVERYTHING, targets: [ROOT_ID, OPS!, WEB!] },
    "p-storageonly": { content: policy("Allow", ["s3:*", "ecr:*"]), targets: [UNIT] },
    "p-unattached1": { content: policy("Allow", "iam:*"), targets: [] },
  },
};

async function aSystem(changes: Partial<FakeOrganization> = {}): Promise<TestSystem> {
  const organization = { ...ORGANIZATION, ...changes };
  const members = [organization.management, WEB, OPS];
  const organizations = fakeOrganizations((id) => (members.includes(id) ? organization : undefined));
  return testSystem({
    services: [iam, sts, organizations],
    identities: (parts) => new IamIdentities(parts),
  });
}

function rootOf(system: TestSystem, accountId: string): Client {
  return system.client(rootPrincipal(accountId), { accountId, region: REGION });
}

/** A user of the account who tries something of a service. */
async function attempt(system: TestSystem, accountId: string, action: string, at: string): Promise<void> {
  const { User } = await rootOf(system, accountId).send(new sdk.CreateUserCommand({ UserName: action.split(":")[0]! }));
  const principal: Principal = {
    type: "User",
    arn: User!.Arn!,
    accountId,
    userId: User!.UserId!,
    accessKeyId: undefined,
  };
  system.identities.recordAccess?.(principal, action, REGION, new Date(at));
}

async function reported(
  system: TestSystem,
  place: string,
  more: Partial<sdk.GenerateOrganizationsAccessReportCommandInput & sdk.GetOrganizationsAccessReportCommandInput> = {},
) {
  const { OrganizationsPolicyId, ...page } = more;
  const EntityPath = `${ORGANIZATION_ID}/${place}`;
  const generate = new sdk.GenerateOrganizationsAccessReportCommand({ EntityPath, OrganizationsPolicyId });
  const { JobId } = await system.root.send(generate);
  return system.root.send(new sdk.GetOrganizationsAccessReportCommand({ ...page, JobId }));
}

test("features of centralized root access are enabled and disabled", async () => {
  await using system = await aSystem();
  const { root } = system;
  const none = { OrganizationId: ORGANIZATION_ID, EnabledFeatures: [] };
  assert.deepEqual(await root.send(new sdk.ListOrganizationsFeaturesCommand({})), none);
  await root.send(new sdk.EnableOrganizationsRootSessionsCommand({}));
  const both = await root.send(new sdk.EnableOrganizationsRootCredentialsManagementCommand({}));
  assert.deepEqual(both.EnabledFeatures, ["RootCredentialsManagement", "RootSessions"]);
  const delegated = rootOf(system, OPS!);
  assert.deepEqual(await delegated.send(new sdk.ListOrganizationsFeaturesCommand({})), both);
  const one = await delegated.send(new sdk.DisableOrganizationsRootCredentialsManagementCommand({}));
  assert.deepEqual(one.EnabledFeatures, ["RootSessions"]);
  assert.deepEqual(await root.send(new sdk.DisableOrganizationsRootSessionsCommand({})), none);
});

test("only the management account and its delegate ask for features", async () => {
  const enable = (system: TestSystem, accountId: string) =>
    rootOf(system, accountId).send(new sdk.EnableOrganizationsRootSessionsCommand({}));
  await using system = await aSystem();
  await assert.rejects(enable(system, OUTSIDE!), { name: "OrganizationNotFoundException" });
  await assert.rejects(enable(system, WEB!), { name: "AccountNotManagementOrDelegatedAdministratorException" });
  await assert.rejects(enable(system, OPS!), { name: "CallerIsNotManagementAccountException" });
  await using untrusted = await aSystem({ trusted: ["cloudtrail.amazonaws.com"] });
  await assert.rejects(enable(untrusted, ACCOUNT), { name: "ServiceAccessNotEnabledException" });
  await using billing = await aSystem({ allFeatures: false });
  await assert.rejects(enable(billing, ACCOUNT), { name: "OrganizationNotInAllFeaturesModeException" });
});

test("a report tells what the accounts may use and last used", async () => {
  await using system = await aSystem();
  await attempt(system, WEB!, "s3:ListBucket", "2026-01-05T10:00:00Z");
  await attempt(system, OPS!, "s3:ListBucket", "2026-01-04T10:00:00Z");
  await attempt(system, ACCOUNT, "s3:ListBucket", "2026-01-06T10:00:00Z");
  system.setNow(new Date("2026-01-07T00:00:00Z"));

  const all = await reported(system, ROOT_ID, { SortKey: "LAST_AUTHENTICATED_TIME_DESCENDING", MaxItems: 1 });
  assert.ok(all.NumberOfServicesAccessible! > 400 && all.IsTruncated);
  assert.equal(all.NumberOfServicesNotAccessed, all.NumberOfServicesAccessible! - 1);
  assert.deepEqual(all.AccessDetails, [
    {
      ServiceName: "Amazon S3",
      ServiceNamespace: "s3",
      Region: REGION,
      EntityPath: `${ORGANIZATION_ID}/${ROOT_ID}/${UNIT}/${WEB}`,
      LastAuthenticatedTime: new Date("2026-01-05T10:00:00Z"),
      TotalAuthenticatedEntities: 2,
    },
  ]);

  const web = await reported(system, `${ROOT_ID}/${UNIT}/${WEB}`, { SortKey: "SERVICE_NAMESPACE_DESCENDING" });
  assert.deepEqual(
    web.AccessDetails?.map((detail) => [detail.ServiceNamespace, detail.TotalAuthenticatedEntities]),
    [
      ["s3", 1],
      ["ecr", 0],
    ],
  );
  const management = await reported(system, `${ROOT_ID}/${ACCOUNT}`, { SortKey: "LAST_AUTHENTICATED_TIME_DESCENDING" });
  assert.equal(management.AccessDetails?.[0]?.EntityPath, `${ORGANIZATION_ID}/${ROOT_ID}/${ACCOUNT}`);
});

test("a report about a policy tells of the accounts that it applies to", async () => {
  await using system = await aSystem();
  await attempt(system, WEB!, "s3:ListBucket", "2026-01-05T10:00:00Z");
  await attempt(system, OPS!, "ecr:DescribeRepositories", "2026-01-04T10:00:00Z");
  system.setNow(new Date("2026-01-07T00:00:00Z"));
  const used = async (OrganizationsPolicyId: string) =>
    (await reported(system, ROOT_ID, { OrganizationsPolicyId })).AccessDetails?.map((detail) => [
      detail.ServiceNamespace,
      detail.TotalAuthenticatedEntities,
    ]);
  assert.deepEqual(await used("p-storageonly"), [
    ["ecr", 0],
    ["s3", 1],
  ]);
  assert.deepEqual(await used("p-unattached1"), [["iam", 0]]);
});

test("a path that is none, an organization without SCPs and foreign reports are refused", async () => {
  await using system = await aSystem();
  const invalid = { name: "InvalidInputException" };
  await assert.rejects(reported(system, `${ROOT_ID}/${WEB}`), invalid);
  await assert.rejects(reported(system, "r-zz99"), invalid);
  await assert.rejects(reported(system, `${ROOT_ID}/ou-ab12-99999999`), invalid);
  const JobId = "11111111-2222-4333-8444-555555555555";
  const get = new sdk.GetOrganizationsAccessReportCommand({ JobId });
  await assert.rejects(system.root.send(get), { name: "NoSuchEntityException" });
  await using without = await aSystem({ scpsEnabled: false });
  await assert.rejects(reported(without, ROOT_ID), invalid);
});
