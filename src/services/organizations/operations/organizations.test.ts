import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { anAccount, anOrganization, aPolicy, aUnit, document, organizationsSystem, rootOf } from "../testing.ts";

const NOT_IN_USE = {
  name: "AWSOrganizationsNotInUseException",
  message: "Your account is not a member of an organization.",
};

describe("an organization", () => {
  it("is made of the caller's account, with all features and SCPs enabled", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    await assert.rejects(root.send(new sdk.DescribeOrganizationCommand({})), NOT_IN_USE);
    const { Organization } = await root.send(new sdk.CreateOrganizationCommand({}));
    const id = Organization!.Id!;
    assert.match(id, /^o-[a-z0-9]{10}$/);
    assert.deepEqual(Organization, {
      Id: id,
      Arn: `arn:aws:organizations::${ACCOUNT}:organization/${id}`,
      FeatureSet: "ALL",
      MasterAccountArn: `arn:aws:organizations::${ACCOUNT}:account/${id}/${ACCOUNT}`,
      MasterAccountId: ACCOUNT,
      MasterAccountEmail: `account-${ACCOUNT}@slipway.internal`,
      AvailablePolicyTypes: [{ Type: "SERVICE_CONTROL_POLICY", Status: "ENABLED" }],
    });
    assert.deepEqual((await root.send(new sdk.DescribeOrganizationCommand({}))).Organization, Organization);
    const { Roots } = await root.send(new sdk.ListRootsCommand({}));
    const rootId = Roots![0]!.Id!;
    assert.match(rootId, /^r-[a-z0-9]{4}$/);
    assert.deepEqual(Roots, [
      {
        Id: rootId,
        Arn: `arn:aws:organizations::${ACCOUNT}:root/${id}/${rootId}`,
        Name: "Root",
        PolicyTypes: [{ Type: "SERVICE_CONTROL_POLICY", Status: "ENABLED" }],
      },
    ]);
    const { Accounts } = await root.send(new sdk.ListAccountsCommand({}));
    assert.deepEqual(
      Accounts!.map(({ Id, JoinedMethod, State, Paths }) => ({ Id, JoinedMethod, State, Paths })),
      [{ Id: ACCOUNT, JoinedMethod: "INVITED", State: "ACTIVE", Paths: [`${id}/${rootId}/${ACCOUNT}/`] }],
    );
    await assert.rejects(root.send(new sdk.CreateOrganizationCommand({})), {
      name: "AlreadyInOrganizationException",
      message: "The provided account is already a member of an organization.",
    });
  });

  it("may have consolidated billing only, without policies", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system, "CONSOLIDATED_BILLING");
    const { Organization } = await system.root.send(new sdk.DescribeOrganizationCommand({}));
    assert.deepEqual(Organization!.AvailablePolicyTypes, []);
    const { Roots } = await system.root.send(new sdk.ListRootsCommand({}));
    assert.deepEqual(Roots![0]!.PolicyTypes, []);
    const unavailable = { name: "PolicyTypeNotAvailableForOrganizationException" };
    const type = "SERVICE_CONTROL_POLICY";
    await assert.rejects(
      system.root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: type })),
      unavailable,
    );
    await assert.rejects(aPolicy(system, "no", document({ Effect: "Deny", Action: "*", Resource: "*" })), unavailable);
  });

  it("is deleted when only the management account is left, with its OUs and policies", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system);
    await aUnit(system, rootId, "Security");
    await aPolicy(system, "guard", document({ Effect: "Deny", Action: "s3:*", Resource: "*" }));
    const accountId = await anAccount(system, "dev");
    await assert.rejects(system.root.send(new sdk.DeleteOrganizationCommand({})), {
      name: "OrganizationNotEmptyException",
      message: "To delete an organization you must first remove all member accounts (except the master).",
    });
    system.setNow(new Date(Date.now() + 5 * 86_400_000));
    await system.root.send(new sdk.RemoveAccountFromOrganizationCommand({ AccountId: accountId }));
    await system.root.send(new sdk.DeleteOrganizationCommand({}));
    await assert.rejects(system.root.send(new sdk.DescribeOrganizationCommand({})), NOT_IN_USE);
    const again = await anOrganization(system);
    const listed = await system.root.send(new sdk.ListPoliciesCommand({ Filter: "SERVICE_CONTROL_POLICY" }));
    assert.deepEqual(
      listed.Policies!.map(({ Name }) => Name),
      ["FullAWSAccess"],
    );
    const children = new sdk.ListChildrenCommand({ ParentId: again.rootId, ChildType: "ORGANIZATIONAL_UNIT" });
    assert.deepEqual((await system.root.send(children)).Children, []);
  });

  it("is administered by its management account only", async () => {
    await using system = await organizationsSystem();
    const { id, rootId } = await anOrganization(system);
    const member = rootOf(system, await anAccount(system, "dev"));
    const outsider = rootOf(system, "999988887777");
    const { Organization } = await member.send(new sdk.DescribeOrganizationCommand({}));
    assert.equal(Organization!.Id, id);
    const denied = { name: "AccessDenied", message: "You don't have permissions to access this resource." };
    for (const command of [
      new sdk.ListRootsCommand({}),
      new sdk.ListAccountsCommand({}),
      new sdk.CreateOrganizationalUnitCommand({ ParentId: rootId, Name: "mine" }),
      new sdk.CreateAccountCommand({ AccountName: "mine", Email: "mine@example.com" }),
      new sdk.DetachPolicyCommand({ PolicyId: "p-FullAWSAccess", TargetId: rootId }),
      new sdk.DeleteOrganizationCommand({}),
    ]) {
      await assert.rejects(member.send(command), denied, command.constructor.name);
      await assert.rejects(outsider.send(command), NOT_IN_USE, command.constructor.name);
    }
    const other = await outsider.send(new sdk.CreateOrganizationCommand({}));
    assert.notEqual(other.Organization!.Id, id);
    const elsewhere = new sdk.DescribeOrganizationalUnitCommand({
      OrganizationalUnitId: await aUnit(system, rootId, "A"),
    });
    await assert.rejects(outsider.send(elsewhere), { name: "OrganizationalUnitNotFoundException" });
  });

  it("answers for its inputs with reasons", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system);
    const refused = async (command: Parameters<typeof system.root.send>[0], Reason: string) =>
      assert.rejects(system.root.send(command), { name: "InvalidInputException", members: { Reason } });
    await refused(new sdk.CreateOrganizationalUnitCommand({ ParentId: rootId, Name: "" }), "MIN_LENGTH_EXCEEDED");
    await refused(new sdk.CreateOrganizationalUnitCommand({ ParentId: undefined, Name: "x" }), "INPUT_REQUIRED");
    await refused(new sdk.DescribeAccountCommand({ AccountId: "12" }), "INVALID_PATTERN");
    await refused(
      new sdk.AttachPolicyCommand({ PolicyId: "p-FullAWSAccess", TargetId: "x" }),
      "INVALID_PATTERN_TARGET_ID",
    );
    await refused(
      new sdk.ListCreateAccountStatusCommand({ States: ["DONE" as sdk.CreateAccountState] }),
      "INVALID_LIST_MEMBER",
    );
    await refused(new sdk.ListAccountsCommand({ MaxResults: 21 }), "MAX_VALUE_EXCEEDED");
    await refused(
      new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "COFFEE" as sdk.PolicyType }),
      "INVALID_ENUM_POLICY_TYPE",
    );
    await assert.rejects(system.root.send(new sdk.ListAccountsCommand({ NextToken: "nonsense" })), {
      name: "InvalidInputException",
      Reason: "INVALID_NEXT_TOKEN",
    });
  });
});
