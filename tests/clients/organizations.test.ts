/** An organization over the wire, with the SDK: real signatures, errors as the SDK's classes, and what survives kill -9. */

import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import * as sdk from "@aws-sdk/client-organizations";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { until } from "#demo/until.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

let slipway: SlipwayProcess;
before(async () => {
  slipway = await SlipwayProcess.start({ arguments: ["--allow-reset"] });
});
after(() => slipway[Symbol.asyncDispose]());

function configuration(region = "eu-west-1") {
  const { url, accessKeyId, secretAccessKey } = slipway.running;
  return { endpoint: url, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
}

const DENY_ECR = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Deny", Action: "ecr:*", Resource: "*" },
});

async function created(client: sdk.OrganizationsClient, name: string): Promise<string> {
  const input = { AccountName: name, Email: `${name}@example.com` };
  const { CreateAccountStatus } = await client.send(new sdk.CreateAccountCommand(input));
  const status = new sdk.DescribeCreateAccountStatusCommand({ CreateAccountRequestId: CreateAccountStatus!.Id! });
  const { State, AccountId } = await until(
    async () => (await client.send(status)).CreateAccountStatus!,
    (seen) => seen.State !== "IN_PROGRESS",
  );
  assert.equal(State, "SUCCEEDED");
  return AccountId!;
}

it("errors are the SDK's, with their reasons", async () => {
  const client = new sdk.OrganizationsClient(configuration());
  await assert.rejects(
    client.send(new sdk.DescribeOrganizationCommand({})),
    (error) =>
      error instanceof sdk.AWSOrganizationsNotInUseException &&
      error.message === "Your account is not a member of an organization.",
  );
  await client.send(new sdk.CreateOrganizationCommand({}));
  const { Roots } = await client.send(new sdk.ListRootsCommand({}));
  const detach = new sdk.DetachPolicyCommand({ PolicyId: "p-FullAWSAccess", TargetId: Roots![0]!.Id! });
  await assert.rejects(
    client.send(detach),
    (error) =>
      error instanceof sdk.ConstraintViolationException && error.Reason === "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
  );
  await assert.rejects(
    client.send(new sdk.DescribeAccountCommand({ AccountId: "12" })),
    (error) => error instanceof sdk.InvalidInputException && error.Reason === "INVALID_PATTERN",
  );
});

it("a responsibility transfer is asked for, and is there after kill -9", async () => {
  const client = new sdk.OrganizationsClient(configuration());
  const input = {
    Type: "BILLING",
    Target: { Type: "ACCOUNT", Id: "200000000002" },
    SourceName: "Customer",
    StartTimestamp: new Date("2100-01-01T00:00:00Z"),
  } as const;
  const { Handshake } = await client.send(new sdk.InviteOrganizationToTransferResponsibilityCommand(input));
  const list = new sdk.ListInboundResponsibilityTransfersCommand({ Type: "BILLING" });
  const before = (await client.send(list)).ResponsibilityTransfers!;
  assert.deepEqual(
    before.map(({ Status, StartTimestamp, ActiveHandshakeId }) => [Status, StartTimestamp, ActiveHandshakeId]),
    [["REQUESTED", input.StartTimestamp, Handshake!.Id]],
  );
  await slipway.kill();
  await slipway.start();
  const after = new sdk.OrganizationsClient(configuration());
  assert.deepEqual((await after.send(list)).ResponsibilityTransfers, before);
  await assert.rejects(
    after.send(new sdk.TerminateResponsibilityTransferCommand({ Id: before[0]!.Id! })),
    (error) => error instanceof sdk.InvalidResponsibilityTransferTransitionException,
  );
  await after.send(new sdk.CancelHandshakeCommand({ HandshakeId: Handshake!.Id! }));
  await assert.rejects(
    after.send(new sdk.DescribeResponsibilityTransferCommand({ Id: "rt-12345678" })),
    (error) => error instanceof sdk.ResponsibilityTransferNotFoundException,
  );
});

it("an organization is the same in every region, after kill -9 too, and gone after a reset", async () => {
  const client = new sdk.OrganizationsClient(configuration());
  const AccountId = await created(client, "dev");
  const { Credentials } = await new STSClient(configuration()).send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${AccountId}:role/OrganizationAccountAccessRole`,
      RoleSessionName: "wire",
    }),
  );
  const credentials = {
    accessKeyId: Credentials!.AccessKeyId!,
    secretAccessKey: Credentials!.SecretAccessKey!,
    sessionToken: Credentials!.SessionToken!,
  };
  const member = new ECRClient({ ...configuration(), credentials });
  const repositories = () => member.send(new DescribeRepositoriesCommand({}));
  assert.deepEqual((await repositories()).repositories, []);
  const input = { Name: "NoEcr", Description: "", Type: "SERVICE_CONTROL_POLICY", Content: DENY_ECR } as const;
  const { Policy } = await client.send(new sdk.CreatePolicyCommand(input));
  await client.send(new sdk.AttachPolicyCommand({ PolicyId: Policy!.PolicySummary!.Id!, TargetId: AccountId }));
  const denied = {
    name: "AccessDeniedException",
    message: new RegExp(
      `is not authorized to perform: ecr:DescribeRepositories .* with an explicit deny in a service control policy: ${Policy!.PolicySummary!.Arn}$`,
    ),
  };
  await assert.rejects(repositories(), denied);
  await slipway.kill();
  await slipway.start();
  await assert.rejects(repositories(), denied);
  const elsewhere = new sdk.OrganizationsClient(configuration("us-east-1"));
  const ids: string[] = [];
  for await (const page of sdk.paginateListAccounts({ client: elsewhere, pageSize: 1 }, {})) {
    ids.push(...page.Accounts!.map(({ Id }) => Id!));
  }
  assert.deepEqual(ids, [slipway.running.account, AccountId].sort());
  await slipway.reset();
  await assert.rejects(client.send(new sdk.DescribeOrganizationCommand({})), {
    name: "AWSOrganizationsNotInUseException",
  });
});
