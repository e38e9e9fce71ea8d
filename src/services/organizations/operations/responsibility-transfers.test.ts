import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import type { Client } from "#gateway/client.ts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { anAccount, aUser, organizationsSystem, rootOf } from "../testing.ts";

const CUSTOMER = "222233334444";
const PARTNER = "333344445555";
const NOW = new Date("2026-03-10T12:00:00Z");
const APRIL = new Date("2026-04-01T00:00:00Z");
const LAST_OF_MARCH = new Date("2026-03-31T23:59:59.999Z");
const LAST_OF_APRIL = new Date("2026-04-30T23:59:59.999Z");

interface Manager {
  readonly client: Client;
  readonly organizationId: string;
}

async function managers<const T extends readonly string[]>(
  system: TestSystem,
  ...accountIds: T
): Promise<{ [K in keyof T]: Manager }> {
  system.setNow(NOW);
  const found: Manager[] = [];
  for (const accountId of accountIds) {
    const client = rootOf(system, accountId);
    const { Organization } = await client.send(new sdk.CreateOrganizationCommand({}));
    found.push({ client, organizationId: Organization!.Id! });
  }
  return found as { [K in keyof T]: Manager };
}

async function invited(
  client: Client,
  accountId: string,
  input: Partial<sdk.InviteOrganizationToTransferResponsibilityCommandInput> = {},
) {
  const { Handshake } = await client.send(
    new sdk.InviteOrganizationToTransferResponsibilityCommand({
      Type: "BILLING",
      Target: { Type: "ACCOUNT", Id: accountId },
      StartTimestamp: APRIL,
      SourceName: "Customer",
      ...input,
    }),
  );
  const transferId = Handshake!.Resources!.find(({ Type }) => Type === "RESPONSIBILITY_TRANSFER")!.Value!;
  return { handshake: Handshake!, HandshakeId: Handshake!.Id!, Id: transferId };
}

async function accepted(from: Client, to: Client): Promise<string> {
  const { HandshakeId, Id } = await invited(from, to.scope.accountId);
  await to.send(new sdk.AcceptHandshakeCommand({ HandshakeId }));
  return Id;
}

const described = async (client: Client, Id: string) =>
  (await client.send(new sdk.DescribeResponsibilityTransferCommand({ Id }))).ResponsibilityTransfer!;
const inbound = async ({ client }: Manager) =>
  (await client.send(new sdk.ListInboundResponsibilityTransfersCommand({ Type: "BILLING" }))).ResponsibilityTransfers!;
const outbound = async ({ client }: Manager) =>
  (await client.send(new sdk.ListOutboundResponsibilityTransfersCommand({ Type: "BILLING" }))).ResponsibilityTransfers!;
const UNKNOWN = { name: "ResponsibilityTransferNotFoundException" };

describe("a responsibility transfer", () => {
  it("is an invitation that the other management account accepts", async () => {
    await using system = await organizationsSystem();
    const [us, them] = await managers(system, ACCOUNT, CUSTOMER);
    const { handshake, HandshakeId, Id } = await invited(us.client, CUSTOMER, { Notes: "Let us pay" });
    assert.match(Id, /^rt-[0-9a-z]{8}$/);
    assert.deepEqual(handshake, {
      Id: HandshakeId,
      Arn: `arn:aws:organizations::${ACCOUNT}:handshake/${us.organizationId}/transfer_responsibility/${HandshakeId}`,
      Parties: [
        { Id: us.organizationId.slice(2), Type: "ORGANIZATION" },
        { Id: CUSTOMER, Type: "ACCOUNT" },
      ],
      State: "OPEN",
      RequestedTimestamp: NOW,
      // "24 hours before the billing transfer start date"
      ExpirationTimestamp: new Date("2026-03-31T00:00:00Z"),
      Action: "TRANSFER_RESPONSIBILITY",
      Resources: [
        {
          Type: "ORGANIZATION",
          Value: us.organizationId,
          Resources: [
            { Type: "MANAGEMENT_ACCOUNT", Value: ACCOUNT },
            { Type: "MANAGEMENT_EMAIL", Value: `account-${ACCOUNT}@slipway.internal` },
            { Type: "MANAGEMENT_NAME", Value: `Account ${ACCOUNT}` },
          ],
        },
        { Type: "ACCOUNT", Value: CUSTOMER },
        { Type: "RESPONSIBILITY_TRANSFER", Value: Id },
        { Type: "TRANSFER_TYPE", Value: "BILLING" },
        { Type: "TRANSFER_START_TIMESTAMP", Value: "2026-04-01T00:00:00.000Z" },
        { Type: "NOTES", Value: "Let us pay" },
      ],
    });
    const target = { ManagementAccountId: ACCOUNT, ManagementAccountEmail: `account-${ACCOUNT}@slipway.internal` };
    const source = { ManagementAccountId: CUSTOMER, ManagementAccountEmail: `account-${CUSTOMER}@slipway.internal` };
    const requested = {
      Arn: `arn:aws:organizations::${ACCOUNT}:transfer/${us.organizationId}/billing/inbound/${Id}`,
      Name: "Customer",
      Id,
      Type: "BILLING",
      Status: "REQUESTED",
      Source: { ManagementAccountId: CUSTOMER },
      Target: target,
      StartTimestamp: APRIL,
      ActiveHandshakeId: HandshakeId,
    };
    assert.deepEqual(await described(us.client, Id), requested);
    assert.deepEqual(await inbound(us), [requested]);
    const Arn = `arn:aws:organizations::${CUSTOMER}:transfer/${them.organizationId}/billing/outbound/${Id}`;
    const seenByThem = { ...requested, Arn, Source: source };
    assert.deepEqual(await outbound(them), [seenByThem]);
    assert.deepEqual(await inbound(them), []);
    assert.deepEqual(await outbound(us), []);

    const list = new sdk.ListHandshakesForAccountCommand({ Filter: { ActionType: "TRANSFER_RESPONSIBILITY" } });
    assert.deepEqual(
      (await them.client.send(list)).Handshakes!.map((each) => each.Id),
      [HandshakeId],
    );
    const { Handshake } = await them.client.send(new sdk.AcceptHandshakeCommand({ HandshakeId }));
    assert.equal(Handshake!.State, "ACCEPTED");
    assert.deepEqual(await inbound(us), [{ ...requested, Status: "ACCEPTED", Source: source }]);
    assert.deepEqual(await outbound(them), [{ ...seenByThem, Status: "ACCEPTED" }]);
    // Both go on being organizations of their own.
    const { Organization } = await them.client.send(new sdk.DescribeOrganizationCommand({}));
    assert.equal(Organization!.MasterAccountId, CUSTOMER);
  });

  it("is renamed and withdrawn by either end, at the end of this or the next month", async () => {
    await using system = await organizationsSystem();
    const [us, them] = await managers(system, ACCOUNT, CUSTOMER);
    const pending = await invited(us.client, CUSTOMER);
    const terminate = async ({ client }: Manager, Id: string, EndTimestamp?: Date) =>
      (await client.send(new sdk.TerminateResponsibilityTransferCommand({ Id, EndTimestamp }))).ResponsibilityTransfer!;
    const rename = async ({ client }: Manager, Id: string, Name: string) =>
      (await client.send(new sdk.UpdateResponsibilityTransferCommand({ Id, Name }))).ResponsibilityTransfer!.Name;
    await assert.rejects(terminate(us, pending.Id), { name: "InvalidResponsibilityTransferTransitionException" });
    assert.equal(await rename(us, pending.Id, "The customer"), "The customer");
    await them.client.send(new sdk.AcceptHandshakeCommand(pending));
    assert.equal(await rename(them, pending.Id, "Our bills"), "Our bills");
    for (const [end, Reason] of [
      [new Date("2026-04-30T23:59:59Z"), "END_DATE_NOT_END_OF_MONTH"],
      [new Date("2026-02-28T23:59:59.999Z"), "END_DATE_TOO_EARLY"],
      [new Date("2026-05-31T23:59:59.999Z"), "END_DATE_TOO_LATE"],
    ] as const) {
      await assert.rejects(terminate(us, pending.Id, end), { name: "InvalidInputException", Reason });
    }
    const withdrawn = await terminate(them, pending.Id, LAST_OF_APRIL);
    assert.deepEqual([withdrawn.Status, withdrawn.EndTimestamp], ["WITHDRAWN", LAST_OF_APRIL]);
    assert.equal((await inbound(us))[0]!.Status, "WITHDRAWN");
    await assert.rejects(terminate(us, pending.Id), { name: "ResponsibilityTransferAlreadyInStatusException" });
    await assert.rejects(rename(us, pending.Id, "Gone"), { Reason: "TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED" });
    // Until it ends, somebody else can begin only after it.
    const again = await invited(us.client, CUSTOMER);
    await assert.rejects(them.client.send(new sdk.AcceptHandshakeCommand(again)), {
      name: "HandshakeConstraintViolationException",
      Reason: "RESPONSIBILITY_TRANSFER_ALREADY_EXISTS",
    });
    await us.client.send(new sdk.CancelHandshakeCommand(again));
    const later = await invited(us.client, CUSTOMER, { StartTimestamp: new Date("2026-05-01T00:00:00Z") });
    await them.client.send(new sdk.AcceptHandshakeCommand(later));
    assert.equal((await terminate(us, later.Id)).EndTimestamp!.getTime(), LAST_OF_MARCH.getTime());
  });

  it("is declined, cancelled or expired with its invitation", async () => {
    await using system = await organizationsSystem();
    const [us, them] = await managers(system, ACCOUNT, CUSTOMER);
    const one = await invited(us.client, CUSTOMER);
    await them.client.send(new sdk.DeclineHandshakeCommand(one));
    const two = await invited(us.client, CUSTOMER);
    await us.client.send(new sdk.CancelHandshakeCommand(two));
    const three = await invited(us.client, CUSTOMER);
    system.setNow(new Date("2026-03-31T00:00:00Z"));
    assert.deepEqual((await inbound(us)).map(({ Status }) => Status).sort(), ["CANCELED", "DECLINED", "EXPIRED"]);
    await assert.rejects(them.client.send(new sdk.AcceptHandshakeCommand(three)), {
      name: "InvalidHandshakeTransitionException",
    });
    await assert.rejects(us.client.send(new sdk.UpdateResponsibilityTransferCommand({ Id: three.Id, Name: "x" })), {
      Reason: "TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED",
    });
  });

  it("is asked for with a start, a target and tags that there can be", async () => {
    await using system = await organizationsSystem();
    const [us] = await managers(system, ACCOUNT, CUSTOMER);
    const invite = (input: Partial<sdk.InviteOrganizationToTransferResponsibilityCommandInput>) =>
      invited(us.client, CUSTOMER, input);
    for (const [start, Reason] of [
      ["2026-04-01T00:00:01Z", "START_DATE_NOT_BEGINNING_OF_DAY"],
      ["2026-04-02T00:00:00Z", "START_DATE_NOT_BEGINNING_OF_MONTH"],
      ["2026-03-01T00:00:00Z", "START_DATE_TOO_EARLY"],
    ] as const) {
      await assert.rejects(invite({ StartTimestamp: new Date(start) }), { name: "InvalidInputException", Reason });
    }
    system.setNow(new Date("2026-03-31T00:00:00Z"));
    await assert.rejects(invite({}), { Reason: "START_DATE_TOO_EARLY" });
    system.setNow(NOW);
    for (const [Target, Reason] of [
      [{ Type: "ORGANIZATION", Id: us.organizationId }, "INVALID_PARTY_TYPE_TARGET"],
      [{ Type: "ACCOUNT", Id: "12" }, "INVALID_PATTERN"],
      [{ Type: "EMAIL", Id: "nobody@example.com" }, "INVALID_EMAIL_ADDRESS_TARGET"],
      [{ Type: "ACCOUNT", Id: ACCOUNT }, "SOURCE_AND_TARGET_CANNOT_MATCH"],
    ] as const) {
      await assert.rejects(invite({ Target }), { Reason });
    }
    const twice = { Key: "team", Value: "" };
    await assert.rejects(invite({ Tags: [twice, twice] }), { Reason: "DUPLICATE_TAG_KEY" });
    const Target = { Type: "EMAIL", Id: `account-${CUSTOMER}@slipway.internal` } as const;
    const { Id } = await invite({ Target });
    assert.deepEqual((await described(us.client, Id)).Source, { ManagementAccountEmail: Target.Id });
    await assert.rejects(invite({}), { name: "DuplicateHandshakeException" });
  });

  it("is accepted by management accounts alone", async () => {
    await using system = await organizationsSystem();
    const [us] = await managers(system, ACCOUNT);
    const member = await anAccount(system, "dev");
    for (const [accountId, name] of [
      [member, "AccessDenied"],
      ["999988887777", "AWSOrganizationsNotInUseException"],
    ] as const) {
      const invitation = await invited(us.client, accountId);
      await assert.rejects(rootOf(system, accountId).send(new sdk.AcceptHandshakeCommand(invitation)), { name });
      assert.equal((await described(us.client, invitation.Id)).Status, "REQUESTED");
    }
    const list = new sdk.ListOutboundResponsibilityTransfersCommand({ Type: "BILLING" });
    await assert.rejects(rootOf(system, member).send(list), { name: "AccessDenied" });
  });

  it("is nobody else's business", async () => {
    await using system = await organizationsSystem();
    const [us, , stranger] = await managers(system, ACCOUNT, CUSTOMER, PARTNER);
    const { Id } = await invited(us.client, CUSTOMER, { Tags: [{ Key: "team", Value: "red" }] });
    await assert.rejects(described(stranger.client, Id), UNKNOWN);
    await assert.rejects(
      stranger.client.send(new sdk.TerminateResponsibilityTransferCommand({ Id, EndTimestamp: LAST_OF_MARCH })),
      UNKNOWN,
    );
    await assert.rejects(stranger.client.send(new sdk.UpdateResponsibilityTransferCommand({ Id, Name: "x" })), UNKNOWN);
    const inboundOnly = new sdk.ListInboundResponsibilityTransfersCommand({ Type: "BILLING", Id });
    await assert.rejects(stranger.client.send(inboundOnly), UNKNOWN);
    await assert.rejects(stranger.client.send(new sdk.ListTagsForResourceCommand({ ResourceId: Id })), {
      name: "TargetNotFoundException",
    });
    assert.equal((await us.client.send(inboundOnly)).ResponsibilityTransfers!.length, 1);
  });

  it("has tags of its own at either end", async () => {
    await using system = await organizationsSystem();
    const [us, them] = await managers(system, ACCOUNT, CUSTOMER);
    const ours = [{ Key: "team", Value: "red" }];
    const { Id } = await invited(us.client, CUSTOMER, { Tags: ours });
    const tagsOf = async ({ client }: Manager) =>
      (await client.send(new sdk.ListTagsForResourceCommand({ ResourceId: Id }))).Tags;
    assert.deepEqual(await tagsOf(them), []);
    const theirs = [{ Key: "cost", Value: "IT" }];
    await them.client.send(new sdk.TagResourceCommand({ ResourceId: Id, Tags: theirs }));
    assert.deepEqual(await tagsOf(us), ours);
    assert.deepEqual(await tagsOf(them), theirs);
    const about = { Effect: "Allow", Action: "organizations:DescribeResponsibilityTransfer", Resource: "*" };
    const condition = (Condition: object) => ({ ...about, Condition });
    const allowed = await aUser(system, "red", condition({ StringEquals: { "aws:ResourceTag/team": "red" } }));
    assert.equal((await described(allowed, Id)).Id, Id);
    const direction = (value: string) => condition({ StringEquals: { "organizations:TransferDirection": value } });
    assert.equal((await described(await aUser(system, "in", direction("INBOUND")), Id)).Id, Id);
    await assert.rejects(described(await aUser(system, "out", direction("OUTBOUND")), Id), /not authorized/);
  });

  it("hangs together with others in chains of two, and no organization has two", async () => {
    await using system = await organizationsSystem();
    const DISTRIBUTOR = "444455556666";
    const [us, customer, partner, distributor] = await managers(system, ACCOUNT, CUSTOMER, PARTNER, DISTRIBUTOR);
    await accepted(partner.client, customer.client);
    await assert.rejects(invited(partner.client, CUSTOMER), { Reason: "RESPONSIBILITY_TRANSFER_ALREADY_EXISTS" });
    await assert.rejects(accepted(us.client, customer.client), {
      name: "ConstraintViolationException",
      Reason: "RESPONSIBILITY_TRANSFER_MAX_OUTBOUND_QUOTA_VIOLATION",
    });
    const level = {
      name: "ConstraintViolationException",
      Reason: "RESPONSIBILITY_TRANSFER_MAX_LEVEL_VIOLATION",
    };
    // In a circle
    await assert.rejects(accepted(customer.client, partner.client), level);
    await accepted(distributor.client, partner.client);
    await assert.rejects(accepted(us.client, distributor.client), level);
    await assert.rejects(accepted(customer.client, us.client), level);
  });

  it("keeps both organizations until it has ended", async () => {
    await using system = await organizationsSystem();
    const [us, them] = await managers(system, ACCOUNT, CUSTOMER);
    const Id = await accepted(us.client, them.client);
    const remove = ({ client }: Manager) => client.send(new sdk.DeleteOrganizationCommand({}));
    const busy = { name: "ConstraintViolationException", Reason: "ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS" };
    await assert.rejects(remove(us), busy);
    await assert.rejects(remove(them), busy);
    await us.client.send(new sdk.TerminateResponsibilityTransferCommand({ Id, EndTimestamp: LAST_OF_APRIL }));
    await assert.rejects(remove(them), busy);
    system.setNow(new Date("2026-05-01T00:00:00Z"));
    await remove(them);
    assert.equal((await inbound(us))[0]!.Status, "WITHDRAWN");
    // A new organization of the same account is not the source.
    await them.client.send(new sdk.CreateOrganizationCommand({}));
    assert.deepEqual(await outbound(them), []);
    await remove(us);
  });

  it("is listed a page at a time", async () => {
    await using system = await organizationsSystem();
    const [us] = await managers(system, ACCOUNT);
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) ids.push((await invited(us.client, `70000000000${index}`)).Id);
    const found: string[] = [];
    let NextToken: string | undefined;
    do {
      const command = new sdk.ListInboundResponsibilityTransfersCommand({ Type: "BILLING", MaxResults: 2, NextToken });
      const page = await us.client.send(command);
      found.push(...page.ResponsibilityTransfers!.map(({ Id }) => Id!));
      NextToken = page.NextToken;
    } while (NextToken);
    assert.deepEqual(found.sort(), ids.sort());
  });
});
