import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import { inTransaction } from "#store/database.ts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { join } from "../membership-changes.ts";
import { unnamedAccount } from "../model.ts";
import { findOrganization } from "../store/organizations.ts";
import { anAccount, anOrganization, document, organizationsSystem, rootOf } from "../testing.ts";

const GUEST = "999988887777";
const DAY_MS = 86_400_000;

async function anInvitation(system: TestSystem, Target: sdk.HandshakeParty = { Id: GUEST, Type: "ACCOUNT" }) {
  const command = new sdk.InviteAccountToOrganizationCommand({
    Target,
    Notes: "Join us",
    Tags: [{ Key: "guest", Value: "yes" }],
  });
  return (await system.root.send(command)).Handshake!;
}

describe("an invitation", () => {
  it("is sent, seen by both, accepted, and makes a member", async () => {
    await using system = await organizationsSystem();
    const { id, rootId } = await anOrganization(system);
    const guest = rootOf(system, GUEST);
    const sent = await anInvitation(system);
    const HandshakeId = sent.Id!;
    assert.match(HandshakeId, /^h-[0-9a-f]{32}$/);
    const { RequestedTimestamp, ExpirationTimestamp, ...rest } = sent;
    assert.equal(ExpirationTimestamp!.getTime() - RequestedTimestamp!.getTime(), 15 * DAY_MS);
    assert.deepEqual(rest, {
      Id: HandshakeId,
      Arn: `arn:aws:organizations::${ACCOUNT}:handshake/${id}/invite/${HandshakeId}`,
      Parties: [
        { Id: id.slice(2), Type: "ORGANIZATION" },
        { Id: GUEST, Type: "ACCOUNT" },
      ],
      State: "OPEN",
      Action: "INVITE",
      Resources: [
        {
          Type: "ORGANIZATION",
          Value: id,
          Resources: [
            { Type: "MASTER_EMAIL", Value: `account-${ACCOUNT}@slipway.internal` },
            { Type: "MASTER_NAME", Value: `Account ${ACCOUNT}` },
            { Type: "ORGANIZATION_FEATURE_SET", Value: "ALL" },
          ],
        },
        { Type: "ACCOUNT", Value: GUEST },
        { Type: "NOTES", Value: "Join us" },
      ],
    });
    await assert.rejects(anInvitation(system), { name: "DuplicateHandshakeException" });
    const forAccount = await guest.send(new sdk.ListHandshakesForAccountCommand({}));
    assert.deepEqual(
      forAccount.Handshakes!.map(({ Id }) => Id),
      [HandshakeId],
    );
    const forOrganization = await system.root.send(new sdk.ListHandshakesForOrganizationCommand({}));
    assert.deepEqual(forOrganization.Handshakes, forAccount.Handshakes);
    const { Handshake } = await guest.send(new sdk.DescribeHandshakeCommand({ HandshakeId }));
    assert.equal(Handshake!.State, "OPEN");

    const accepted = await guest.send(new sdk.AcceptHandshakeCommand({ HandshakeId }));
    assert.equal(accepted.Handshake!.State, "ACCEPTED");
    const described = await system.root.send(new sdk.DescribeAccountCommand({ AccountId: GUEST }));
    assert.equal(described.Account!.JoinedMethod, "INVITED");
    const { Parents } = await system.root.send(new sdk.ListParentsCommand({ ChildId: GUEST }));
    assert.deepEqual(Parents, [{ Id: rootId, Type: "ROOT" }]);
    const { Tags } = await system.root.send(new sdk.ListTagsForResourceCommand({ ResourceId: GUEST }));
    assert.deepEqual(Tags, [{ Key: "guest", Value: "yes" }]);
    await assert.rejects(guest.send(new sdk.AcceptHandshakeCommand({ HandshakeId })), {
      name: "HandshakeAlreadyInStateException",
    });
    await assert.rejects(guest.send(new sdk.DeclineHandshakeCommand({ HandshakeId })), {
      name: "InvalidHandshakeTransitionException",
    });
    await assert.rejects(anInvitation(system), {
      name: "HandshakeConstraintViolationException",
      Reason: "ALREADY_IN_AN_ORGANIZATION",
    });
    // Invited accounts need not wait.
    await guest.send(new sdk.LeaveOrganizationCommand({}));
    await assert.rejects(guest.send(new sdk.DescribeOrganizationCommand({})), {
      name: "AWSOrganizationsNotInUseException",
    });
  });

  it("is declined by who got it and cancelled by who sent it, and nobody else's business", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const guest = rootOf(system, GUEST);
    const stranger = rootOf(system, "555566667777");
    const HandshakeId = (await anInvitation(system)).Id!;
    const unknown = { name: "HandshakeNotFoundException" };
    await assert.rejects(stranger.send(new sdk.DescribeHandshakeCommand({ HandshakeId })), unknown);
    await assert.rejects(stranger.send(new sdk.AcceptHandshakeCommand({ HandshakeId })), unknown);
    await assert.rejects(system.root.send(new sdk.AcceptHandshakeCommand({ HandshakeId })), unknown);
    await assert.rejects(guest.send(new sdk.CancelHandshakeCommand({ HandshakeId })), unknown);
    const declined = await guest.send(new sdk.DeclineHandshakeCommand({ HandshakeId }));
    assert.equal(declined.Handshake!.State, "DECLINED");
    const again = (await anInvitation(system)).Id!;
    const cancelled = await system.root.send(new sdk.CancelHandshakeCommand({ HandshakeId: again }));
    assert.equal(cancelled.Handshake!.State, "CANCELED");
    await assert.rejects(guest.send(new sdk.AcceptHandshakeCommand({ HandshakeId: again })), {
      name: "InvalidHandshakeTransitionException",
    });
    await assert.rejects(guest.send(new sdk.DescribeOrganizationCommand({})), {
      name: "AWSOrganizationsNotInUseException",
    });
  });

  it("takes an account straight from another organization, where it may leave that", async () => {
    await using system = await organizationsSystem();
    const { id } = await anOrganization(system);
    const other = rootOf(system, "555566667777");
    await other.send(new sdk.CreateOrganizationCommand({}));
    const { Roots } = await other.send(new sdk.ListRootsCommand({}));
    const invite = new sdk.InviteAccountToOrganizationCommand({ Target: { Id: GUEST, Type: "ACCOUNT" } });
    const guest = rootOf(system, GUEST);
    const accept = ({ Id }: sdk.Handshake) => guest.send(new sdk.AcceptHandshakeCommand({ HandshakeId: Id! }));
    await accept((await other.send(invite)).Handshake!);
    const ours = await anInvitation(system);
    const stay = document({ Effect: "Deny", Action: "organizations:LeaveOrganization", Resource: "*" });
    const made = new sdk.CreatePolicyCommand({
      Name: "stay",
      Description: "",
      Type: "SERVICE_CONTROL_POLICY",
      Content: stay,
    });
    const attachment = {
      PolicyId: (await other.send(made)).Policy!.PolicySummary!.Id!,
      TargetId: Roots![0]!.Id!,
    };
    await other.send(new sdk.AttachPolicyCommand(attachment));
    await assert.rejects(accept(ours), { name: "AccessDenied", message: /organizations:LeaveOrganization/ });
    await other.send(new sdk.DetachPolicyCommand(attachment));
    const delegation = { AccountId: GUEST, ServicePrincipal: "iam.amazonaws.com" };
    await other.send(new sdk.EnableAWSServiceAccessCommand(delegation));
    await other.send(new sdk.RegisterDelegatedAdministratorCommand(delegation));
    await assert.rejects(accept(ours), {
      name: "ConstraintViolationException",
      Reason: "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
    });
    await other.send(new sdk.DeregisterDelegatedAdministratorCommand(delegation));
    await accept(ours);
    const { Organization } = await guest.send(new sdk.DescribeOrganizationCommand({}));
    assert.equal(Organization!.Id, id);
    const { Accounts } = await other.send(new sdk.ListAccountsCommand({}));
    assert.deepEqual(
      Accounts!.map(({ Id }) => Id),
      ["555566667777"],
    );
    // Whose organization it is stays.
    const toManager = await anInvitation(system, { Id: "555566667777", Type: "ACCOUNT" });
    await assert.rejects(other.send(new sdk.AcceptHandshakeCommand({ HandshakeId: toManager.Id! })), {
      name: "MasterCannotLeaveOrganizationException",
    });
  });

  it("goes to an address too, expires after 15 days and is forgotten 30 days later", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const invited = await anInvitation(system, { Id: `account-${GUEST}@slipway.internal`, Type: "EMAIL" });
    const HandshakeId = invited.Id!;
    const guest = rootOf(system, GUEST);
    const state = async () => (await guest.send(new sdk.DescribeHandshakeCommand({ HandshakeId }))).Handshake!.State;
    assert.equal(await state(), "OPEN");
    system.setNow(new Date(Date.now() + 15 * DAY_MS + 1000));
    assert.equal(await state(), "EXPIRED");
    await assert.rejects(guest.send(new sdk.AcceptHandshakeCommand({ HandshakeId })), {
      name: "InvalidHandshakeTransitionException",
    });
    await anInvitation(system);
    system.setNow(new Date(Date.now() + 46 * DAY_MS));
    await assert.rejects(state(), { name: "HandshakeNotFoundException" });
    for (const [Target, Reason] of [
      [{ Id: "nobody@example.com", Type: "EMAIL" }, "INVALID_EMAIL_ADDRESS_TARGET"],
      [{ Id: "o-abcdefghij", Type: "ORGANIZATION" }, "INVALID_PARTY_TYPE_TARGET"],
      [{ Id: "12", Type: "ACCOUNT" }, "INVALID_PATTERN"],
    ] as const) {
      await assert.rejects(anInvitation(system, Target), { name: "InvalidInputException", Reason });
    }
  });

  it("of a deleted organization cannot be accepted", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const HandshakeId = (await anInvitation(system)).Id!;
    await system.root.send(new sdk.DeleteOrganizationCommand({}));
    await assert.rejects(rootOf(system, GUEST).send(new sdk.AcceptHandshakeCommand({ HandshakeId })), {
      name: "InvalidHandshakeTransitionException",
    });
  });
});

describe("all features", () => {
  async function anInvitedMember(system: TestSystem, Id: string) {
    const HandshakeId = (await anInvitation(system, { Id, Type: "ACCOUNT" })).Id!;
    const client = rootOf(system, Id);
    await client.send(new sdk.AcceptHandshakeCommand({ HandshakeId }));
    return client;
  }

  const featureSet = async (system: TestSystem) =>
    (await system.root.send(new sdk.DescribeOrganizationCommand({}))).Organization!.FeatureSet;

  it("are enabled when every invited account has approved or left and the management account has finished", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { rootId } = await anOrganization(system, "CONSOLIDATED_BILLING");
    const one = await anInvitedMember(system, GUEST);
    const two = await anInvitedMember(system, "555566667777");
    await anAccount(system, "created");
    const { Handshake: request } = await root.send(new sdk.EnableAllFeaturesCommand({}));
    assert.equal(request!.Action, "ENABLE_ALL_FEATURES");
    assert.equal(request!.State, "REQUESTED");
    await assert.rejects(root.send(new sdk.EnableAllFeaturesCommand({})), {
      Reason: "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION",
    });
    await assert.rejects(anInvitation(system, { Id: "444433332222", Type: "ACCOUNT" }), {
      Reason: "INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES",
    });
    const children = new sdk.ListHandshakesForOrganizationCommand({ Filter: { ParentHandshakeId: request!.Id! } });
    assert.deepEqual((await root.send(children)).Handshakes!.map(({ Parties }) => Parties![1]!.Id).sort(), [
      "555566667777",
      GUEST,
    ]);
    const approval = async (client: typeof one, ActionType: sdk.ActionType) => {
      const list = new sdk.ListHandshakesForAccountCommand({ Filter: { ActionType } });
      return (await client.send(list)).Handshakes!.find(({ State }) => State === "OPEN")?.Id;
    };
    const HandshakeId = (await approval(one, "ENABLE_ALL_FEATURES"))!;
    await one.send(new sdk.AcceptHandshakeCommand({ HandshakeId }));
    assert.equal(await approval(root, "APPROVE_ALL_FEATURES"), undefined);
    await two.send(new sdk.LeaveOrganizationCommand({}));
    const last = (await approval(root, "APPROVE_ALL_FEATURES"))!;
    assert.equal(await featureSet(system), "CONSOLIDATED_BILLING");
    await root.send(new sdk.AcceptHandshakeCommand({ HandshakeId: last }));
    assert.equal(await featureSet(system), "ALL");
    const { Handshake } = await root.send(new sdk.DescribeHandshakeCommand({ HandshakeId: request!.Id! }));
    assert.equal(Handshake!.State, "ACCEPTED");
    await root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "SERVICE_CONTROL_POLICY" }));
    await assert.rejects(root.send(new sdk.EnableAllFeaturesCommand({})), {
      Reason: "ORGANIZATION_ALREADY_HAS_ALL_FEATURES",
    });
  });

  it("are not enabled this way with more than 5,000 accounts", async () => {
    await using system = await organizationsSystem();
    const { id } = await anOrganization(system, "CONSOLIDATED_BILLING");
    const joining = { method: "INVITED", tags: new Map(), now: new Date() } as const;
    const organization = (await findOrganization(system.db, id))!;
    await inTransaction(system.db, async (trx) => {
      for (let index = 0; index < 5_000; index++) {
        await join(trx, organization, { account: unnamedAccount(String(500_000_000_000 + index)), ...joining });
      }
    });
    await assert.rejects(system.root.send(new sdk.EnableAllFeaturesCommand({})), {
      name: "ConstraintViolationException",
      Reason: "ALL_FEATURES_MIGRATION_ORGANIZATION_SIZE_LIMIT_EXCEEDED",
    });
  });

  it("are given up with the request that is cancelled", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system, "CONSOLIDATED_BILLING");
    const guest = await anInvitedMember(system, GUEST);
    const { Handshake } = await system.root.send(new sdk.EnableAllFeaturesCommand({}));
    await system.root.send(new sdk.CancelHandshakeCommand({ HandshakeId: Handshake!.Id! }));
    const list = new sdk.ListHandshakesForAccountCommand({ Filter: { ActionType: "ENABLE_ALL_FEATURES" } });
    assert.deepEqual(
      (await guest.send(list)).Handshakes!.map(({ State }) => State),
      ["CANCELED"],
    );
    await system.root.send(new sdk.EnableAllFeaturesCommand({}));
    const both = { ActionType: "INVITE", ParentHandshakeId: Handshake!.Id! } as const;
    await assert.rejects(guest.send(new sdk.ListHandshakesForAccountCommand({ Filter: both })), {
      name: "InvalidInputException",
      Reason: "MAX_LIMIT_EXCEEDED_FILTER",
    });
  });
});
