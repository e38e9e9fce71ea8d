import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetDelegatedAccessTokenCommand } from "@aws-sdk/client-sts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { aRequest, delegationSystem, notifications, PARTNER, rootOf } from "../delegation/testing.ts";
import { aUser, clientOf, policy, trust } from "../testing.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = new Date("2026-01-01T12:00:00.250Z");
const later = (ms: number) => new Date(NOW.getTime() + ms);

const associate = (DelegationRequestId: string) => new sdk.AssociateDelegationRequestCommand({ DelegationRequestId });
const accept = (DelegationRequestId: string) => new sdk.AcceptDelegationRequestCommand({ DelegationRequestId });
const send = (DelegationRequestId: string) => new sdk.SendDelegationTokenCommand({ DelegationRequestId });
const get = (DelegationRequestId: string) => new sdk.GetDelegationRequestCommand({ DelegationRequestId });
const update = (DelegationRequestId: string, Notes?: string) =>
  new sdk.UpdateDelegationRequestCommand({ DelegationRequestId, ...(Notes !== undefined && { Notes }) });
const reject = (DelegationRequestId: string, Notes?: string) =>
  new sdk.RejectDelegationRequestCommand({ DelegationRequestId, ...(Notes !== undefined && { Notes }) });

const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`;
const ADMIN = `arn:aws:iam::${ACCOUNT}:user/admin`;

async function shown(system: TestSystem, id: string): Promise<sdk.DelegationRequest> {
  return (await system.root.send(get(id))).DelegationRequest!;
}

const inState = (id: string, action: string, state: string) => ({
  name: "InvalidInputException",
  message: `${action} is not possible: the delegation request ${id} is ${state}.`,
});

test("the owner forwards a request, an administrator accepts it, the owner sends the token", async () => {
  await using system = await delegationSystem();
  system.setNow(NOW);
  const id = await aRequest(system, { RequestorWorkflowId: "workflow-of-alice" });
  const { client: alice } = await aUser(system, "alice");
  const { client: admin } = await aUser(system, "admin", policy("Allow", "iam:*"));
  await alice.send(associate(id));
  await assert.rejects(alice.send(accept(id)), { name: "AccessDenied" });
  await assert.rejects(alice.send(send(id)), inState(id, "SendDelegationToken", "ASSIGNED"));
  await alice.send(update(id, "I need this"));
  system.setNow(later(DAY));
  await alice.send(update(id, "I really need this"));
  const pending = await shown(system, id);
  assert.equal(pending.State, "PENDING_APPROVAL");
  assert.equal(pending.Notes, "I really need this");
  assert.equal(pending.UpdatedTime!.getTime(), later(DAY).getTime());
  assert.equal(pending.ExpirationTime!.getTime(), later(7 * DAY).getTime());
  system.setNow(later(2 * DAY));
  await admin.send(accept(id));
  const accepted = await shown(system, id);
  assert.deepEqual([accepted.State, accepted.OwnerId, accepted.ApproverId], ["ACCEPTED", ALICE, ADMIN]);
  await alice.send(send(id));
  const finalized = await shown(system, id);
  assert.equal(finalized.State, "FINALIZED");
  assert.equal(finalized.ExpirationTime!.getTime(), later(9 * DAY).getTime());

  const told = await notifications(system, id);
  assert.deepEqual(
    told.map(({ Type, State }) => `${Type} ${State}`),
    [
      "StateChange ASSIGNED",
      "StateChange PENDING_APPROVAL",
      "StateChange ACCEPTED",
      "StateChange FINALIZED",
      "ExchangeToken FINALIZED",
    ],
  );
  const { ExchangeToken, ...rest } = told.at(-1)!;
  assert.deepEqual(rest, {
    RequestId: id,
    RequestorWorkflowId: "workflow-of-alice",
    State: "FINALIZED",
    OwnerAccountId: ACCOUNT,
    UpdatedAt: later(2 * DAY).toISOString(),
    Type: "ExchangeToken",
    ExpiresAt: "2026-01-03T13:00:00.000Z",
  });
  assert.ok(ExchangeToken);
  for (const [action, command] of [
    ["RejectDelegationRequest", reject(id)],
    ["AcceptDelegationRequest", accept(id)],
    ["SendDelegationToken", send(id)],
    ["UpdateDelegationRequest", update(id)],
    ["AssociateDelegationRequest", associate(id)],
  ] as const) {
    await assert.rejects(admin.send(command), inState(id, action, "FINALIZED"));
  }
});

test("a request is rejected with a reason as long as its token is not sent, and then stays rejected", async () => {
  await using system = await delegationSystem();
  const { client: alice } = await aUser(system, "alice", policy("Allow", "iam:AcceptDelegationRequest"));
  const assigned = await aRequest(system);
  await alice.send(associate(assigned));
  await alice.send(reject(assigned, "Not this year"));
  const { State, RejectionReason } = await shown(system, assigned);
  assert.deepEqual([State, RejectionReason], ["REJECTED", "Not this year"]);
  for (const [action, command] of [
    ["AcceptDelegationRequest", accept(assigned)],
    ["UpdateDelegationRequest", update(assigned)],
  ] as const) {
    await assert.rejects(system.root.send(command), inState(assigned, action, "REJECTED"));
  }

  const accepted = await aRequest(system);
  await alice.send(associate(accepted));
  await alice.send(accept(accepted));
  await alice.send(reject(accepted));
  await assert.rejects(alice.send(send(accepted)), inState(accepted, "SendDelegationToken", "REJECTED"));
  const states = (await notifications(system, accepted)).map(({ State: state }) => state);
  assert.deepEqual(states, ["ASSIGNED", "ACCEPTED", "REJECTED"]);
});

test("what nobody attends to expires", async () => {
  await using system = await delegationSystem();
  system.setNow(NOW);
  const unassigned = await aRequest(system);
  const assigned = await aRequest(system);
  await system.root.send(associate(assigned));
  system.setNow(later(DAY));
  assert.equal((await shown(system, unassigned)).State, "EXPIRED");
  await assert.rejects(
    system.root.send(associate(unassigned)),
    inState(unassigned, "AssociateDelegationRequest", "EXPIRED"),
  );
  system.setNow(later(7 * DAY - 1));
  assert.equal((await shown(system, assigned)).State, "ASSIGNED");
  system.setNow(later(7 * DAY));
  await assert.rejects(system.root.send(accept(assigned)), inState(assigned, "AcceptDelegationRequest", "EXPIRED"));
});

test("where only the owner may send the token, nobody else in the account does", async () => {
  await using system = await delegationSystem();
  const { client: alice } = await aUser(system, "alice");
  const { client: admin } = await aUser(system, "admin", policy("Allow", "iam:*"));
  for (const [OnlySendByOwner, refused] of [
    [true, { name: "AccessDenied", message: "Only the owner of the delegation request can send its token." }],
    [false, undefined],
  ] as const) {
    const id = await aRequest(system, { OnlySendByOwner });
    await alice.send(associate(id));
    await admin.send(accept(id));
    if (refused) {
      await assert.rejects(admin.send(send(id)), refused);
      await alice.send(send(id));
    } else {
      await admin.send(send(id));
    }
    assert.equal((await shown(system, id)).State, "FINALIZED");
  }
});

test("a root user accepts four hours at most", async () => {
  await using system = await delegationSystem();
  const long = await aRequest(system, { SessionDuration: 4 * 3600 + 1 });
  const short = await aRequest(system, { SessionDuration: 4 * 3600 });
  for (const id of [long, short]) await system.root.send(associate(id));
  await assert.rejects(system.root.send(accept(long)), {
    name: "InvalidInputException",
    message: "Root users can only approve delegation requests with a duration of 4 hours or less.",
  });
  assert.equal((await shown(system, long)).State, "ASSIGNED");
  await system.root.send(accept(short));
});

test("policies can ask for the owner", async () => {
  await using system = await delegationSystem();
  const { client: alice } = await aUser(system, "alice");
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "iam:AcceptDelegationRequest",
      Resource: `arn:aws:iam::${ACCOUNT}:delegation-request/*`,
      Condition: { ArnEquals: { "iam:DelegationRequestOwner": ALICE } },
    },
  });
  const { client: lead } = await aUser(system, "lead", document);
  const [ofAlice, ofRoot] = [await aRequest(system), await aRequest(system)];
  await alice.send(associate(ofAlice));
  await system.root.send(associate(ofRoot));
  await assert.rejects(lead.send(accept(ofRoot)), { name: "AccessDenied" });
  await lead.send(accept(ofAlice));
});

test("a session that is limited by policies of its own accepts nothing", async () => {
  await using system = await delegationSystem();
  const AssumeRolePolicyDocument = trust(ADMIN);
  const { client: admin } = await aUser(system, "admin", policy("Allow", "*"));
  await system.root.send(new sdk.CreateRoleCommand({ RoleName: "lead", AssumeRolePolicyDocument }));
  const PolicyDocument = policy("Allow", "*");
  await system.root.send(new sdk.PutRolePolicyCommand({ RoleName: "lead", PolicyName: "all", PolicyDocument }));
  const session = async (Policy?: string) => {
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/lead`;
    const command = new AssumeRoleCommand({
      RoleArn,
      RoleSessionName: "alice",
      ...(Policy !== undefined && { Policy }),
    });
    return clientOf(system, (await admin.send(command)).Credentials!);
  };
  const id = await aRequest(system);
  const limited = await session(policy("Allow", "iam:*"));
  await limited.send(associate(id));
  await assert.rejects(limited.send(accept(id)), {
    name: "AccessDenied",
    message: "A session with policies of its own cannot accept a delegation request.",
  });
  await (await session()).send(accept(id));
  const { ApproverId } = await shown(system, id);
  assert.equal(ApproverId, `arn:aws:sts::${ACCOUNT}:assumed-role/lead/alice`);
});

test("an approver who is renamed before the token is sent stays whom the partner acts as", async () => {
  await using system = await delegationSystem();
  const { client: admin } = await aUser(system, "admin", policy("Allow", "iam:*"));
  const id = await aRequest(system);
  await admin.send(associate(id));
  await admin.send(accept(id));
  await system.root.send(new sdk.UpdateUserCommand({ UserName: "admin", NewUserName: "chief" }));
  const chief = `arn:aws:iam::${ACCOUNT}:user/chief`;
  assert.equal((await shown(system, id)).ApproverId, chief);
  await system.root.send(send(id));
  const { ExchangeToken } = (await notifications(system, id)).at(-1)!;
  const command = new GetDelegatedAccessTokenCommand({ TradeInToken: ExchangeToken! });
  const { AssumedPrincipal, Credentials } = await rootOf(system, PARTNER).send(command);
  assert.equal(AssumedPrincipal, chief);
  const reader = new sdk.CreateUserCommand({ UserName: "reader", Path: "/reports/" });
  await system.root.send(reader);
  const delegated = await clientOf(system, Credentials!);
  await delegated.send(new sdk.GetUserCommand({ UserName: "reader" }));
});
