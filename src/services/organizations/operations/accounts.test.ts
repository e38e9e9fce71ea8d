import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CreateUserCommand, ListRolesCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-organizations";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { until } from "#demo/until.ts";
import type { System } from "#gateway/context.ts";
import type { WorkHandler } from "#store/work.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { ACCOUNT_CREATION, registerAccountWork } from "../account-work.ts";
import { anAccount, anOrganization, aUnit, organizationsSystem, requestEnd, rootOf, signedIn } from "../testing.ts";

const DAY_MS = 86_400_000;

describe("CreateAccount", () => {
  it("makes an account that the management account works in through its role", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { id, rootId } = await anOrganization(system);
    const { CreateAccountStatus: begun } = await root.send(
      new sdk.CreateAccountCommand({
        AccountName: "Production Account",
        Email: "Susan@example.com",
        RoleName: "Steward",
        Tags: [{ Key: "stage", Value: "prod" }],
      }),
    );
    assert.match(begun!.Id!, /^car-[0-9a-f]{32}$/);
    assert.equal(begun!.State, "IN_PROGRESS");
    assert.equal(begun!.AccountId, undefined);
    const done = await requestEnd(system, begun!.Id!);
    assert.equal(done.State, "SUCCEEDED");
    const AccountId = done.AccountId!;
    assert.match(AccountId, /^[1-9]\d{11}$/);
    const { Account } = await root.send(new sdk.DescribeAccountCommand({ AccountId }));
    const { JoinedTimestamp, ...account } = Account!;
    assert.ok(JoinedTimestamp instanceof Date);
    assert.deepEqual(account, {
      Id: AccountId,
      Arn: `arn:aws:organizations::${ACCOUNT}:account/${id}/${AccountId}`,
      Email: "Susan@example.com",
      Name: "Production Account",
      Status: "ACTIVE",
      State: "ACTIVE",
      Paths: [`${id}/${rootId}/${AccountId}/`],
      JoinedMethod: "CREATED",
    });
    const { Tags } = await root.send(new sdk.ListTagsForResourceCommand({ ResourceId: AccountId }));
    assert.deepEqual(Tags, [{ Key: "stage", Value: "prod" }]);

    const steward = await signedIn(system, AccountId, "eu-west-1", "Steward");
    const { Arn } = await steward.send(new GetCallerIdentityCommand({}));
    assert.equal(Arn, `arn:aws:sts::${AccountId}:assumed-role/Steward/visit`);
    await steward.send(new CreateUserCommand({ UserName: "ana" }));
    const { Users } = await steward.send(new ListUsersCommand({}));
    assert.deepEqual(
      Users!.map((user) => user.Arn),
      [`arn:aws:iam::${AccountId}:user/ana`],
    );
    const here = await root.send(new ListUsersCommand({}));
    assert.equal(
      here.Users!.some(({ UserName }) => UserName === "ana"),
      false,
    );
    assert.deepEqual(system.workErrors, []);
  });

  it("fails later for what cannot be seen at once", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    await anAccount(system, "dev");
    const failure = async (Email: string) => {
      const command = new sdk.CreateAccountCommand({ AccountName: "another", Email });
      const { CreateAccountStatus } = await system.root.send(command);
      const { State, FailureReason, AccountId } = await requestEnd(system, CreateAccountStatus!.Id!);
      assert.equal(State, "FAILED");
      assert.equal(AccountId, undefined);
      return FailureReason;
    };
    assert.equal(await failure("DEV@example.com"), "EMAIL_ALREADY_EXISTS");
    assert.equal(await failure(`account-${ACCOUNT}@slipway.internal`), "EMAIL_ALREADY_EXISTS");
    assert.equal(await failure(".dot@example.com"), "INVALID_EMAIL");
    assert.equal(await failure("a(b)@example.com"), "INVALID_EMAIL");
    const listed = async (States?: sdk.CreateAccountState[]) =>
      (await system.root.send(new sdk.ListCreateAccountStatusCommand({ States }))).CreateAccountStatuses!.length;
    assert.equal(await listed(["FAILED"]), 4);
    assert.equal(await listed(["SUCCEEDED"]), 1);
    assert.equal(await listed(), 5);
    const missing = new sdk.DescribeCreateAccountStatusCommand({ CreateAccountRequestId: "car-12345678" });
    await assert.rejects(system.root.send(missing), { name: "CreateAccountStatusNotFoundException" });
  });

  it("refuses at once reserved roles, bad tags and a sixth request at a time", async () => {
    await using system = await organizationsSystem({ work: false });
    await anOrganization(system);
    const create = (input: Partial<sdk.CreateAccountCommandInput> = {}) =>
      system.root.send(new sdk.CreateAccountCommand({ AccountName: "n", Email: "n@example.com", ...input }));
    await assert.rejects(create({ RoleName: "AWSServiceRoleForMe" }), { Reason: "INVALID_ROLE_NAME" });
    await assert.rejects(create({ Tags: [{ Key: "aws:x", Value: "" }] }), { Reason: "INVALID_SYSTEM_TAGS_PARAMETER" });
    const twice = { Key: "x", Value: "" };
    await assert.rejects(create({ Tags: [twice, twice] }), { Reason: "DUPLICATE_TAG_KEY" });
    for (let index = 0; index < 5; index++) await create();
    await assert.rejects(create(), {
      name: "ConstraintViolationException",
      Reason: "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED",
    });
    const { Accounts } = await system.root.send(new sdk.ListAccountsCommand({}));
    assert.equal(Accounts!.length, 1);
  });

  it("is not for GovCloud, where nobody here has an account", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const create = (input: Partial<sdk.CreateGovCloudAccountCommandInput> = {}) =>
      system.root.send(new sdk.CreateGovCloudAccountCommand({ AccountName: "n", Email: "n@example.com", ...input }));
    await assert.rejects(create({ RoleName: "AWSServiceRoleForMe" }), { Reason: "INVALID_ROLE_NAME" });
    await assert.rejects(create(), {
      name: "ConstraintViolationException",
      Reason: "MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED",
    });
    const { CreateAccountStatuses } = await system.root.send(new sdk.ListCreateAccountStatusCommand({}));
    assert.deepEqual(CreateAccountStatuses, []);
  });

  it("that keeps failing ends as failed, with nothing half made", async () => {
    await using system = await organizationsSystem({ work: false });
    await anOrganization(system);
    const input = { AccountName: "dev", Email: "dev@example.com", RoleName: "Steward" };
    const { CreateAccountStatus } = await system.root.send(new sdk.CreateAccountCommand(input));
    const id = CreateAccountStatus!.Id!;
    const handlers = new Map<string, WorkHandler>();
    const iamIsAway: System = {
      ...system,
      work: {
        register: (kind: string, handler: WorkHandler) => handlers.set(kind, handler),
      } as unknown as System["work"],
      client: () => {
        throw new Error("IAM is away");
      },
    };
    registerAccountWork(iamIsAway);
    const attempt = (failures: number) =>
      handlers.get(ACCOUNT_CREATION)!({ kind: ACCOUNT_CREATION, id, failures }, new AbortController().signal);
    const accounts = async () => (await system.root.send(new sdk.ListAccountsCommand({}))).Accounts!.length;
    const command = new sdk.DescribeCreateAccountStatusCommand({ CreateAccountRequestId: id });
    const status = async () => (await system.root.send(command)).CreateAccountStatus!;
    await assert.rejects(attempt(0), /IAM is away/);
    assert.equal((await status()).State, "IN_PROGRESS");
    assert.equal(await accounts(), 1);
    assert.equal(await attempt(3), "done");
    const { State, FailureReason } = await status();
    assert.deepEqual([State, FailureReason], ["FAILED", "INTERNAL_FAILURE"]);
    assert.equal(await accounts(), 1);
  });

  it("gives the role to the management account alone", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const accountId = await anAccount(system, "dev");
    const { Roles } = await rootOf(system, accountId).send(new ListRolesCommand({}));
    const [role] = Roles!.filter(({ RoleName }) => RoleName === "OrganizationAccountAccessRole");
    assert.deepEqual(JSON.parse(decodeURIComponent(role!.AssumeRolePolicyDocument!)), {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" }],
    });
  });
});

describe("a member account", () => {
  it("is moved from where it is", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const AccountId = await anAccount(system, "dev");
    const move = (SourceParentId: string, DestinationParentId: string, id = AccountId) =>
      system.root.send(new sdk.MoveAccountCommand({ AccountId: id, SourceParentId, DestinationParentId }));
    const unknown = "ou-abcd-abcdefgh";
    await assert.rejects(move(unknown, unit), { name: "SourceParentNotFoundException" });
    await assert.rejects(move(rootId, unknown), { name: "DestinationParentNotFoundException" });
    await assert.rejects(move(rootId, unit, "123412341234"), { name: "AccountNotFoundException" });
    await assert.rejects(move(rootId, rootId), { name: "DuplicateAccountException" });
    await move(rootId, unit);
    await assert.rejects(move(rootId, unit), {
      name: "AccountNotFoundException",
      message: "You specified an account that doesn't exist.",
    });
    const { Accounts } = await system.root.send(new sdk.ListAccountsForParentCommand({ ParentId: unit }));
    assert.deepEqual(
      Accounts!.map(({ Id }) => Id),
      [AccountId],
    );
  });

  it("that was created may leave after four days, by itself or removed", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const [one, two] = [await anAccount(system, "one"), await anAccount(system, "two")];
    const remove = (AccountId: string) => system.root.send(new sdk.RemoveAccountFromOrganizationCommand({ AccountId }));
    const waiting = {
      name: "ConstraintViolationException",
      Reason: "WAIT_PERIOD_ACTIVE",
      message: "This operation requires a wait period.  Try again later.",
    };
    await assert.rejects(remove(one), waiting);
    await assert.rejects(rootOf(system, two).send(new sdk.LeaveOrganizationCommand({})), waiting);
    system.setNow(new Date(Date.now() + 4 * DAY_MS + 60_000));
    await remove(one);
    await rootOf(system, two).send(new sdk.LeaveOrganizationCommand({}));
    const { Accounts } = await system.root.send(new sdk.ListAccountsCommand({}));
    assert.deepEqual(
      Accounts!.map(({ Id }) => Id),
      [ACCOUNT],
    );
    await assert.rejects(remove(one), { name: "AccountNotFoundException" });
    await assert.rejects(remove(ACCOUNT), { name: "MasterCannotLeaveOrganizationException" });
    await assert.rejects(system.root.send(new sdk.LeaveOrganizationCommand({})), {
      name: "MasterCannotLeaveOrganizationException",
    });
  });

  it("is closed by and by, and gone after 90 days", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const AccountId = await anAccount(system, "dev");
    const member = await signedIn(system, AccountId);
    await member.send(new CreateUserCommand({ UserName: "ana" }));
    const closedToAll = async () => {
      const denied = { name: "AccessDenied", message: new RegExp(`because the account ${AccountId} is closed$`) };
      await assert.rejects(member.send(new ListUsersCommand({})), denied);
      await assert.rejects(rootOf(system, AccountId).send(new ListUsersCommand({})), denied);
      await assert.rejects(signedIn(system, AccountId), denied);
    };
    const close = (id = AccountId) => system.root.send(new sdk.CloseAccountCommand({ AccountId: id }));
    await assert.rejects(close(ACCOUNT), { Reason: "CANNOT_CLOSE_MANAGEMENT_ACCOUNT" });
    await assert.rejects(close("123412341234"), { name: "AccountNotFoundException" });
    await close();
    const described = async () => (await system.root.send(new sdk.DescribeAccountCommand({ AccountId }))).Account!;
    const closed = await until(described, ({ State }) => State !== "PENDING_CLOSURE");
    assert.equal(closed.State, "CLOSED");
    assert.equal(closed.Status, "SUSPENDED");
    await assert.rejects(close(), { name: "AccountAlreadyClosedException" });
    await closedToAll();
    const remove = new sdk.RemoveAccountFromOrganizationCommand({ AccountId });
    system.setNow(new Date(Date.now() + 89 * DAY_MS));
    await assert.rejects(system.root.send(remove), { Reason: "WAIT_PERIOD_ACTIVE" });
    system.setNow(new Date(Date.now() + 91 * DAY_MS));
    await system.work.schedule(system.db, "organizations-account-closure", AccountId);
    system.work.wake();
    const accounts = async () => (await system.root.send(new sdk.ListAccountsCommand({}))).Accounts!;
    assert.equal((await until(accounts, ({ length }) => length === 1))[0]!.Id, ACCOUNT);
    await closedToAll();
    assert.deepEqual(system.workErrors, []);
  });
});
