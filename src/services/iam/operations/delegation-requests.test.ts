import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import {
  aRequest,
  delegationSystem,
  EXAMPLE,
  PARTNER,
  request,
  rootOf,
  TEMPLATE,
  TOPIC,
} from "../delegation/testing.ts";
import { aUser, clientOf, policy, trust } from "../testing.ts";

const OTHER = "777788889999";
const get = (DelegationRequestId: string, DelegationPermissionCheck?: boolean) =>
  new sdk.GetDelegationRequestCommand({
    DelegationRequestId,
    ...(DelegationPermissionCheck !== undefined && { DelegationPermissionCheck }),
  });
const associate = (DelegationRequestId: string) => new sdk.AssociateDelegationRequestCommand({ DelegationRequestId });
const notThere = (id: string) => ({
  name: "NoSuchEntityException",
  message: `The delegation request with id ${id} cannot be found.`,
});

test("a request shows the policy that the template makes of its parameters", async () => {
  await using system = await delegationSystem();
  const now = new Date("2026-01-01T12:00:00Z");
  system.setNow(now);
  const Parameters: sdk.PolicyParameter[] = [
    { Name: "reportPath", Values: ["a", "b"], Type: "stringList" },
    { Name: "EXTRAS", Values: ["True"], Type: "string" },
  ];
  const id = await aRequest(system, {
    OwnerAccountId: ACCOUNT,
    RequestMessage: "For Alice",
    RedirectUrl: "https://example.com/back",
    Permissions: { PolicyTemplateArn: TEMPLATE, Parameters },
  });
  const { DelegationRequest, ...rest } = await system.root.send(get(id));
  const { PermissionPolicy, ...shown } = DelegationRequest!;
  assert.deepEqual(shown, {
    DelegationRequestId: id,
    OwnerAccountId: ACCOUNT,
    Description: "Reads reports",
    RequestMessage: "For Alice",
    Permissions: { PolicyTemplateArn: TEMPLATE, Parameters },
    State: "UNASSIGNED",
    ExpirationTime: new Date("2026-01-02T12:00:00Z"),
    RequestorId: PARTNER,
    RequestorName: "Example Corp",
    CreateDate: now,
    SessionDuration: 3600,
    RedirectUrl: "https://example.com/back",
    OnlySendByOwner: false,
    UpdatedTime: now,
  });
  assert.deepEqual(JSON.parse(PermissionPolicy!), {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["iam:GetUser"],
        Resource: ["arn:aws:iam::*:user/a/*", "arn:aws:iam::*:user/b/*"],
      },
      { Effect: "Allow", Action: "iam:ListUsers", Resource: "*" },
    ],
  });
  assert.deepEqual(rest, {});
});

test("boundaries of roles that are to be made are listed", async () => {
  const boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
  const Statement = {
    Effect: "Allow",
    Action: "iam:CreateRole",
    Resource: "*",
    Condition: { StringEquals: { "iam:PermissionsBoundary": boundary } },
  };
  const templates = { [TEMPLATE]: { Version: "2012-10-17", Statement } };
  await using system = await delegationSystem([{ ...EXAMPLE, templates }]);
  const id = await aRequest(system, { Permissions: { PolicyTemplateArn: TEMPLATE } });
  const { DelegationRequest } = await system.root.send(get(id));
  assert.deepEqual(DelegationRequest!.RolePermissionRestrictionArns, [boundary]);
});

test("only partners make requests, from templates of theirs, for topics of theirs", async () => {
  await using system = await delegationSystem();
  const refused = (more: Partial<sdk.CreateDelegationRequestRequest>, name: string, message: string | RegExp) =>
    assert.rejects(rootOf(system, PARTNER).send(request(more)), { name, message });
  await assert.rejects(rootOf(system, OTHER).send(request()), {
    name: "AccessDenied",
    message: `The account ${OTHER} is not registered for temporary delegation.`,
  });
  const parameters = (...Parameters: sdk.PolicyParameter[]) => ({
    Permissions: { PolicyTemplateArn: TEMPLATE, Parameters },
  });
  const path: sdk.PolicyParameter = { Name: "reportPath", Values: ["reports"], Type: "string" };
  const InvalidInput = "InvalidInputException";
  const unknown = "arn:aws:iam:::delegation-template/unknown";
  await refused(
    { Permissions: { PolicyTemplateArn: unknown } },
    InvalidInput,
    `The policy template ${unknown} is not registered for this account.`,
  );
  await refused({ Permissions: {} }, InvalidInput, /is not registered/);
  await refused(parameters(), InvalidInput, "Failed to render template: Parameter 'reportPath' not found.");
  const more: sdk.PolicyParameter = { ...path, Name: "Other" };
  await refused(parameters(path, more), InvalidInput, "Failed to render template: Unrecognized parameter: Other");
  await refused(parameters(path, path), InvalidInput, "A parameter is given twice.");
  await refused(parameters({ Name: "reportPath", Values: ["a"] }), InvalidInput, /has no type/);
  await refused(parameters({ ...path, Values: ["a", "b"] }), InvalidInput, /must have exactly one value, it has 2/);
  await refused(parameters({ ...path, Values: [], Type: "stringList" }), InvalidInput, /has no value/);
  const many = Array.from({ length: 60 }, (_, index) => `reports-of-the-year-${index}`);
  await refused(parameters({ ...path, Values: many, Type: "stringList" }), "LimitExceededException", /2048/);
  await refused({ NotificationChannel: "not-an-arn" }, InvalidInput, /is not the ARN of an SNS topic/);
  await refused(
    { NotificationChannel: TOPIC.replace(PARTNER, OTHER) },
    InvalidInput,
    /is not in one of the partner's registered accounts/,
  );
  await refused({ SessionDuration: 43_201 }, "ValidationError", /sessionDuration/);
  await refused({ RequestorWorkflowId: "one" }, "ValidationError", /requestorWorkflowId/);

  await aRequest(system, { RequestorWorkflowId: "workflow" });
  await refused(
    { RequestorWorkflowId: "workflow" },
    "EntityAlreadyExistsException",
    "A delegation request with the workflow id workflow already exists.",
  );
});

test("a list of partners that cannot be read fails the request, and no list means no partner", async () => {
  for (const partners of [
    "[",
    { name: "Example Corp" },
    [{ ...EXAMPLE, accounts: ["1"] }],
    [{ ...EXAMPLE, templates: [] }],
  ]) {
    await using system = await delegationSystem(partners);
    await assert.rejects(rootOf(system, PARTNER).send(request()), {
      name: "ServiceFailureException",
      message: /^delegation-partners\.json cannot be used: /,
    });
  }
  await using empty = await delegationSystem([]);
  await assert.rejects(rootOf(empty, PARTNER).send(request()), { name: "AccessDenied" });
});

test("policies can limit which requests a partner's user makes", async () => {
  await using system = await delegationSystem([{ ...EXAMPLE, accounts: [ACCOUNT] }]);
  const document = JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: "iam:CreateDelegationRequest",
      Resource: `arn:aws:iam::${ACCOUNT}:delegation-request/*`,
      Condition: {
        NumericLessThanEquals: { "iam:DelegationDuration": "3600" },
        ArnEquals: { "iam:TemplateArn": TEMPLATE, "iam:NotificationChannel": TOPIC.replace(PARTNER, ACCOUNT) },
      },
    },
  });
  const { client } = await aUser(system, "partner", document);
  const NotificationChannel = TOPIC.replace(PARTNER, ACCOUNT);
  await client.send(request({ NotificationChannel }));
  await assert.rejects(client.send(request({ NotificationChannel, SessionDuration: 7200 })), { name: "AccessDenied" });
});

test("who knows the id of a request without an account may read and take it, others see nothing of it then", async () => {
  await using system = await delegationSystem();
  const id = await aRequest(system);
  const { client: alice } = await aUser(system, "alice");
  const { client: bob } = await aUser(system, "bob");
  const other = rootOf(system, OTHER);
  for (const reader of [alice, bob, other]) {
    const { DelegationRequest } = await reader.send(get(id));
    assert.deepEqual([DelegationRequest!.State, DelegationRequest!.OwnerAccountId], ["UNASSIGNED", undefined]);
  }
  await alice.send(associate(id));
  const { DelegationRequest } = await alice.send(get(id));
  assert.equal(DelegationRequest!.OwnerAccountId, ACCOUNT);
  assert.equal(DelegationRequest!.OwnerId, `arn:aws:iam::${ACCOUNT}:user/alice`);
  await system.root.send(get(id));
  await assert.rejects(bob.send(get(id)), { name: "AccessDenied" });
  for (const send of [get(id), associate(id)]) await assert.rejects(other.send(send), notThere(id));
  await assert.rejects(rootOf(system, PARTNER).send(get(id)), notThere(id));
});

test("a request for an account is that account's alone", async () => {
  await using system = await delegationSystem();
  const id = await aRequest(system, { OwnerAccountId: ACCOUNT });
  const { client: alice } = await aUser(system, "alice");
  const other = rootOf(system, OTHER);
  for (const send of [get(id), associate(id)]) await assert.rejects(other.send(send), notThere(id));
  await alice.send(associate(id));
});

test("a user may be denied to take requests", async () => {
  await using system = await delegationSystem();
  const { client } = await aUser(system, "alice", policy("Deny", "iam:AssociateDelegationRequest"));
  await assert.rejects(client.send(associate(await aRequest(system))), { name: "AccessDenied" });
});

test("the permission check says whether the caller could hand on what is asked for", async () => {
  await using system = await delegationSystem([
    {
      ...EXAMPLE,
      templates: {
        [TEMPLATE]: {
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Action: ["@{action}"], Resource: "@{where}" },
            { Effect: "Deny", Action: "iam:*", Resource: "*" },
          ],
        },
      },
    },
  ]);
  const asking = (action: string, where: string) =>
    aRequest(system, {
      OwnerAccountId: ACCOUNT,
      Permissions: {
        PolicyTemplateArn: TEMPLATE,
        Parameters: [
          { Name: "action", Values: [action], Type: "string" },
          { Name: "where", Values: [where], Type: "string" },
        ],
      },
    });
  const { client } = await aUser(system, "alice", policy("Allow", "s3:Get*", "arn:aws:s3:::reports/*"));
  const checked = async (action: string, where: string) => {
    const answer = await client.send(get(await asking(action, where), true));
    assert.equal(answer.PermissionCheckStatus, "COMPLETE");
    return answer.PermissionCheckResult;
  };
  assert.equal(await checked("s3:GetObject", "arn:aws:s3:::reports/2026"), "ALLOWED");
  assert.equal(await checked("s3:GetObject", "arn:aws:s3:::reports/*"), "ALLOWED");
  assert.equal(await checked("s3:PutObject", "arn:aws:s3:::reports/2026"), "DENIED");
  assert.equal(await checked("s3:ListAllMyBuckets", "*"), "DENIED");
  assert.equal(await checked("s3:*", "arn:aws:s3:::reports/2026"), "UNSURE");
  assert.equal(await checked("s3:GetObject", "arn:aws:s3:::*/2026"), "UNSURE");
});

test("the list has what somebody in the account has taken, and everybody may list their own", async () => {
  await using system = await delegationSystem();
  const { client: alice } = await aUser(system, "alice");
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) ids.push(await aRequest(system, { OwnerAccountId: ACCOUNT }));
  ids.sort();
  const list = async (client: typeof alice, input: Partial<sdk.ListDelegationRequestsRequest> = {}) => {
    const { DelegationRequests, isTruncated, Marker } = await client.send(new sdk.ListDelegationRequestsCommand(input));
    return { ids: DelegationRequests!.map(({ DelegationRequestId }) => DelegationRequestId), isTruncated, Marker };
  };
  assert.deepEqual((await list(system.root)).ids, []);
  await alice.send(associate(ids[0]!));
  await alice.send(associate(ids[1]!));
  await system.root.send(associate(ids[2]!));
  const first = await list(system.root, { MaxItems: 2 });
  assert.deepEqual([first.ids, first.isTruncated], [ids.slice(0, 2), true]);
  const second = await list(system.root, { MaxItems: 2, Marker: first.Marker });
  assert.deepEqual([second.ids, second.isTruncated, second.Marker], [ids.slice(2), false, undefined]);

  const OwnerId = `arn:aws:iam::${ACCOUNT}:user/alice`;
  assert.deepEqual((await list(alice, { OwnerId })).ids, ids.slice(0, 2));
  await assert.rejects(list(alice), { name: "AccessDenied" });
  await assert.rejects(list(alice, { OwnerId: `arn:aws:iam::${ACCOUNT}:root` }), { name: "AccessDenied" });
  assert.deepEqual((await list(rootOf(system, OTHER), { OwnerId })).ids, []);
});

test("the summary says in English what the policy says", async () => {
  const boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
  const templates = {
    [TEMPLATE]: {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::reports/*" },
        {
          Effect: "Allow",
          Action: "iam:CreateRole",
          Resource: "*",
          Condition: { StringEquals: { "iam:PermissionsBoundary": boundary } },
        },
        { Effect: "Deny", NotAction: "s3:*", NotResource: "arn:aws:s3:::public/*" },
      ],
    },
  };
  await using system = await delegationSystem([{ ...EXAMPLE, templates }]);
  const id = await aRequest(system, { Permissions: { PolicyTemplateArn: TEMPLATE }, SessionDuration: 5400 });
  const { client: alice } = await aUser(system, "alice");
  const EntityArn = `arn:aws:iam::${ACCOUNT}:delegation-request/${id}`;
  const summary = (input: Partial<sdk.GetHumanReadableSummaryRequest>) =>
    alice.send(new sdk.GetHumanReadableSummaryCommand({ EntityArn, ...input }));
  assert.deepEqual(await summary({}), {
    SummaryContent: [
      `Example Corp (account ${PARTNER}) asks to act in the account that takes the request for 1 hour 30 minutes, with no more than the approver's own permissions. The request:`,
      "- allows s3:GetObject, s3:PutObject on arn:aws:s3:::reports/*.",
      `- allows iam:CreateRole on all resources, if iam:PermissionsBoundary StringEquals ${boundary}.`,
      "- denies everything but s3:* on all resources but arn:aws:s3:::public/*.",
      `Permissions boundaries that it names: ${boundary}.`,
    ].join("\n"),
    Locale: "en",
    SummaryState: "AVAILABLE",
  });
  assert.deepEqual(await summary({ Locale: "ja" }), { Locale: "ja", SummaryState: "NOT_SUPPORTED" });
  const wrong = { name: "InvalidInputException", message: /is not the ARN of a delegation request/ };
  const asRoot = (arn: string) => system.root.send(new sdk.GetHumanReadableSummaryCommand({ EntityArn: arn }));
  await assert.rejects(asRoot(`arn:aws:iam::${ACCOUNT}:role/${id}`), wrong);
  await assert.rejects(asRoot(`arn:aws:iam::${OTHER}:delegation-request/${id}`), wrong);
  const missing = "00000000-0000-4000-8000-000000000000";
  await assert.rejects(asRoot(EntityArn.replace(id, missing)), notThere(missing));
});

test("a request stays with its owner through a rename, and is nobody's who is made with the same name", async () => {
  await using system = await delegationSystem();
  const arn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;
  const { client: alice, accessKeyId } = await aUser(system, "alice");
  const id = await aRequest(system, { OnlySendByOwner: true });
  await alice.send(associate(id));
  const AccessKeyId = accessKeyId;
  await system.root.send(new sdk.UpdateUserCommand({ UserName: "alice", NewUserName: "alicia" }));
  const { client: namesake } = await aUser(system, "alice");
  const list = async (client: typeof alice, OwnerId: string) => {
    const { DelegationRequests } = await client.send(new sdk.ListDelegationRequestsCommand({ OwnerId }));
    return DelegationRequests!.map(({ DelegationRequestId, OwnerId: owner }) => [DelegationRequestId, owner]);
  };

  const alicia = await clientOf(system, { AccessKeyId });
  const { DelegationRequest } = await alicia.send(get(id));
  assert.equal(DelegationRequest!.OwnerId, arn("alicia"));
  assert.deepEqual(await list(alicia, arn("alicia")), [[id, arn("alicia")]]);
  await assert.rejects(namesake.send(get(id)), { name: "AccessDenied" });
  assert.deepEqual(await list(namesake, arn("alice")), []);

  const about = { DelegationRequestId: id };
  await system.root.send(new sdk.AcceptDelegationRequestCommand(about));
  const more = { UserName: "alice", PolicyName: "more", PolicyDocument: policy("Allow", "iam:*") };
  await system.root.send(new sdk.PutUserPolicyCommand(more));
  await assert.rejects(namesake.send(new sdk.SendDelegationTokenCommand(about)), {
    message: "Only the owner of the delegation request can send its token.",
  });
  await alicia.send(new sdk.SendDelegationTokenCommand(about));

  const { UserId } = (await system.root.send(new sdk.GetUserCommand({ UserName: "alicia" }))).User!;
  await system.root.send(new sdk.DeleteAccessKeyCommand({ UserName: "alicia", AccessKeyId }));
  await system.root.send(new sdk.DeleteUserCommand({ UserName: "alicia" }));
  assert.equal((await system.root.send(get(id))).DelegationRequest!.OwnerId, UserId);
  assert.deepEqual(await list(system.root, UserId!), [[id, UserId]]);
});

test("a role's session is the owner under its name, and the role's next one of that name is not", async () => {
  await using system = await delegationSystem();
  const { client: admin } = await aUser(system, "admin", policy("Allow", "*"));
  const RoleName = "lead";
  const session = async () => {
    const { Role } = await system.root.send(
      new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(`arn:aws:iam::${ACCOUNT}:user/admin`) }),
    );
    const assume = new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "monday" });
    return clientOf(system, (await admin.send(assume)).Credentials!);
  };
  const OwnerId = `arn:aws:sts::${ACCOUNT}:assumed-role/lead/monday`;
  const first = await session();
  const id = await aRequest(system);
  await first.send(associate(id));
  assert.equal((await first.send(get(id))).DelegationRequest!.OwnerId, OwnerId);
  const list = new sdk.ListDelegationRequestsCommand({ OwnerId });
  assert.equal((await first.send(list)).DelegationRequests!.length, 1);
  await system.root.send(new sdk.DeleteRoleCommand({ RoleName }));
  const second = await session();
  await assert.rejects(second.send(get(id)), { name: "AccessDenied" });
  assert.equal((await second.send(list)).DelegationRequests!.length, 0);
});
