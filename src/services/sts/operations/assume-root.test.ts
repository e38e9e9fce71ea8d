import assert from "node:assert/strict";
import { test } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import * as organizations from "@aws-sdk/client-organizations";
import * as sdk from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { defineService, type Service } from "#gateway/service.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { sts } from "../index.ts";

const MEMBER = "444455556666";
const TASKS = "arn:aws:iam::aws:policy/root-task";
const AUDIT = `${TASKS}/IAMAuditRootUserCredentials`;

/** IAM and Organizations of an organization with one member, which has centralised root access. */
function centralised(): Service[] {
  const list = iam.operations.get("ListOrganizationsFeatures")!;
  const operation = { authorize: "always" as const, run: () => ({ EnabledFeatures: ["RootSessions"] }) };
  const members = defineService({
    name: "organizations",
    sdk: organizations,
    Client: organizations.OrganizationsClient,
    operations: {
      DescribeAccount: {
        authorize: "always",
        run({ AccountId }) {
          if (AccountId === MEMBER) return { Account: { Id: MEMBER, Status: "ACTIVE" as const } };
          throw new organizations.AccountNotFoundException({ message: "There is none", $metadata: {} });
        },
      },
    },
    limits: {},
    validation: { code: "ValidationException" },
    migrations: [],
  });
  return [{ ...iam, operations: new Map([...iam.operations, [list.name, { ...list, operation }]]) }, sts, members];
}

function system(services: Service[]): Promise<TestSystem> {
  return testSystem({ services, identities: (parts) => new IamIdentities(parts) });
}

async function aUser(on: TestSystem, Condition?: object): Promise<Client> {
  await on.root.send(new iamSdk.CreateUserCommand({ UserName: "auditor" }));
  const Resource = `arn:aws:iam::${MEMBER}:root`;
  const Statement = [{ Effect: "Allow", Action: "sts:AssumeRoot", Resource, ...(Condition && { Condition }) }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await on.root.send(new iamSdk.PutUserPolicyCommand({ UserName: "auditor", PolicyName: "own", PolicyDocument }));
  const { AccessKey } = await on.root.send(new iamSdk.CreateAccessKeyCommand({ UserName: "auditor" }));
  const principal = await on.principalOf({ AccessKeyId: AccessKey!.AccessKeyId! });
  return on.client(principal, { accountId: ACCOUNT, region: REGION });
}

function assumeRoot(arn = AUDIT, TargetPrincipal = MEMBER): sdk.AssumeRootCommand {
  return new sdk.AssumeRootCommand({ TargetPrincipal, TaskPolicyArn: { arn } });
}

test("a member's root can do its task and nothing else, for a quarter of an hour", async () => {
  await using on = await system(centralised());
  on.setNow(new Date("2026-01-01T00:00:00Z"));
  const auditor = await aUser(on, { StringEquals: { "sts:TaskPolicyArn": AUDIT } });
  const { Credentials } = await auditor.send(assumeRoot());
  assert.deepEqual(Credentials?.Expiration, new Date("2026-01-01T00:15:00Z"));
  const { AccessKeyId, SessionToken } = Credentials!;
  const principal = await on.principalOf({ AccessKeyId: AccessKeyId!, SessionToken: SessionToken! });
  const root = on.client(principal, { accountId: MEMBER, region: REGION });
  assert.equal((await root.send(new sdk.GetCallerIdentityCommand({}))).Arn, `arn:aws:iam::${MEMBER}:root`);
  await root.send(new iamSdk.GetAccountSummaryCommand({}));
  await assert.rejects(root.send(new iamSdk.CreateUserCommand({ UserName: "x" })), {
    name: "AccessDenied",
    message: new RegExp(`with an explicit deny in a session policy: ${AUDIT}$`),
  });
  await auditor.send(assumeRoot(AUDIT, `arn:aws:iam::${MEMBER}:root`));
  await assert.rejects(auditor.send(assumeRoot(`${TASKS}/S3UnlockBucketPolicy`)), { name: "AccessDenied" });
  const elsewhere = assumeRoot(AUDIT, "999988887777");
  await assert.rejects(auditor.send(elsewhere), { name: "AccessDenied" });
});

test("it takes AWS's tasks, accounts, and no root as the caller", async () => {
  await using on = await system(centralised());
  const auditor = await aUser(on);
  const other = "arn:aws:iam::aws:policy/AdministratorAccess";
  await assert.rejects(auditor.send(assumeRoot(other)), { name: "ValidationError" });
  await assert.rejects(auditor.send(assumeRoot(AUDIT, `arn:aws:iam::${MEMBER}:user/x`)), { name: "ValidationError" });
  await assert.rejects(on.root.send(assumeRoot()), { name: "AccessDenied" });
});

test("without centralised root access nobody may", async () => {
  await using on = await system([iam, sts]);
  const auditor = await aUser(on);
  await assert.rejects(auditor.send(assumeRoot()), {
    name: "AccessDenied",
    message: `Not authorized to perform sts:AssumeRoot on arn:aws:iam::${MEMBER}:root`,
  });
});
