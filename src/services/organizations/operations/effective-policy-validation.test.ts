import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { anAccount, anOrganization, aPolicy, attach, aUnit, organizationsSystem, rootOf } from "../testing.ts";

const assign = (value: unknown) => ({ "@@assign": value });
/** Without regions and selections. */
const PIECE = JSON.stringify({
  plans: {
    daily: {
      rules: {
        hourly: { schedule_expression: assign("cron(0 5 ? * * *)"), target_backup_vault_name: assign("Vault") },
      },
    },
  },
});
const REST = JSON.stringify({
  plans: {
    daily: {
      regions: assign(["us-east-1"]),
      selections: {
        tags: { pii: { iam_role_arn: assign("arn:role"), tag_key: assign("dataType"), tag_value: assign(["PII"]) } },
      },
    },
  },
});
const PolicyType = "BACKUP_POLICY";

async function backups(system: TestSystem) {
  const organization = await anOrganization(system);
  await system.root.send(new sdk.EnablePolicyTypeCommand({ RootId: organization.rootId, PolicyType }));
  return organization;
}

const errorsOf = (system: TestSystem, AccountId: string, input: object = {}) =>
  system.root.send(new sdk.ListEffectivePolicyValidationErrorsCommand({ AccountId, PolicyType, ...input }));
const invalid = async (system: TestSystem) => {
  const command = new sdk.ListAccountsWithInvalidEffectivePolicyCommand({ PolicyType });
  return (await system.root.send(command)).Accounts!.map(({ Id }) => Id);
};

describe("the validation of effective policies", () => {
  it("finds the accounts for which a policy is not complete, and what it lacks", async () => {
    await using system = await organizationsSystem();
    const { id, rootId } = await backups(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const [incomplete, complete] = [await anAccount(system, "one", unit), await anAccount(system, "two", unit)];
    const piece = await aPolicy(system, "piece", PIECE, PolicyType);
    await attach(system, piece, unit);
    const { Accounts, ...rest } = await system.root.send(
      new sdk.ListAccountsWithInvalidEffectivePolicyCommand({ PolicyType }),
    );
    assert.deepEqual(rest, { PolicyType });
    assert.deepEqual(Accounts!.map(({ Id }) => Id).sort(), [incomplete, complete].sort());
    const account = new sdk.DescribeAccountCommand({ AccountId: incomplete });
    assert.deepEqual(
      Accounts!.find(({ Id }) => Id === incomplete),
      (await system.root.send(account)).Account,
    );

    await attach(system, await aPolicy(system, "rest", REST, PolicyType), complete);
    assert.deepEqual(await invalid(system), [incomplete]);
    system.setNow(new Date("2026-03-10T12:00:00Z"));
    assert.deepEqual(await errorsOf(system, incomplete), {
      AccountId: incomplete,
      PolicyType,
      Path: `${id}/${rootId}/${unit}/${incomplete}/`,
      EvaluationTimestamp: new Date("2026-03-10T12:00:00Z"),
      EffectivePolicyValidationErrors: ["regions", "selections"].map((key) => ({
        ErrorCode: "KEY_REQUIRED",
        ErrorMessage: `'${key}' is missing`,
        PathToError: "plans/daily",
        ContributingPolicies: [piece],
      })),
    });
    const first = await errorsOf(system, incomplete, { MaxResults: 1 });
    assert.equal(first.EffectivePolicyValidationErrors!.length, 1);
    const second = await errorsOf(system, incomplete, { MaxResults: 1, NextToken: first.NextToken });
    assert.deepEqual(
      second.EffectivePolicyValidationErrors!.map(({ ErrorMessage }) => ErrorMessage),
      ["'selections' is missing"],
    );
    assert.equal(second.NextToken, undefined);
    assert.deepEqual((await errorsOf(system, complete)).EffectivePolicyValidationErrors, []);

    await system.root.send(new sdk.MoveAccountCommand(moved(incomplete, unit, rootId)));
    assert.deepEqual(await invalid(system), []);
    await system.root.send(new sdk.MoveAccountCommand(moved(incomplete, rootId, unit)));
    await system.root.send(new sdk.UpdatePolicyCommand({ PolicyId: piece, Content: merged(PIECE, REST) }));
    assert.deepEqual(await invalid(system), []);
  });

  it("needs the type enabled, an account of the organization and a policy", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await backups(system);
    const account = await anAccount(system, "one");
    await assert.rejects(errorsOf(system, account), { name: "EffectivePolicyNotFoundException" });
    assert.deepEqual(await invalid(system), []);
    await assert.rejects(errorsOf(system, "123412341234"), { name: "AccountNotFoundException" });
    await attach(system, await aPolicy(system, "piece", PIECE, PolicyType), account);
    await system.root.send(new sdk.DisablePolicyTypeCommand({ RootId: rootId, PolicyType }));
    await assert.rejects(errorsOf(system, account), { name: "EffectivePolicyNotFoundException" });
    await assert.rejects(invalid(system), { name: "EffectivePolicyNotFoundException" });
  });

  it("is for the management account and delegated administrators", async () => {
    await using system = await organizationsSystem();
    await backups(system);
    const account = await anAccount(system, "one");
    await attach(system, await aPolicy(system, "piece", PIECE, PolicyType), account);
    const member = rootOf(system, account);
    const errors = new sdk.ListEffectivePolicyValidationErrorsCommand({ AccountId: account, PolicyType });
    const accounts = new sdk.ListAccountsWithInvalidEffectivePolicyCommand({ PolicyType });
    await assert.rejects(member.send(errors), { name: "AccessDenied" });
    await assert.rejects(member.send(accounts), { name: "AccessDenied" });
    const delegation = { AccountId: account, ServicePrincipal: "backup.amazonaws.com" };
    await system.root.send(new sdk.EnableAWSServiceAccessCommand(delegation));
    await system.root.send(new sdk.RegisterDelegatedAdministratorCommand(delegation));
    assert.equal((await member.send(errors)).EffectivePolicyValidationErrors!.length, 2);
    assert.equal((await member.send(accounts)).Accounts!.length, 1);
  });
});

function moved(AccountId: string, SourceParentId: string, DestinationParentId: string) {
  return { AccountId, SourceParentId, DestinationParentId };
}

function merged(one: string, other: string): string {
  const daily = { ...JSON.parse(one).plans.daily, ...JSON.parse(other).plans.daily };
  return JSON.stringify({ plans: { daily } });
}
