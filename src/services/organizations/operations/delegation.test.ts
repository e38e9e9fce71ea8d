import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { anAccount, anOrganization, document, organizationsSystem, rootOf } from "../testing.ts";

const SERVICE = { ServicePrincipal: "config.amazonaws.com" };
const DENIED = { name: "AccessDenied", message: "You don't have permissions to access this resource." };

describe("services of an organization", () => {
  it("have access while a policy type is enabled that is theirs", async () => {
    await using system = await organizationsSystem();
    const { rootId } = await anOrganization(system);
    const type = { RootId: rootId, PolicyType: "SECURITYHUB_POLICY" } as const;
    const service = { ServicePrincipal: "securityhub.amazonaws.com" };
    const enable = () => system.root.send(new sdk.EnablePolicyTypeCommand(type));
    const violation = (Reason: string) => ({ name: "ConstraintViolationException", Reason });
    await assert.rejects(enable(), violation("SERVICE_ACCESS_NOT_ENABLED"));
    await system.root.send(new sdk.EnableAWSServiceAccessCommand(service));
    await enable();
    const disable = () => system.root.send(new sdk.DisableAWSServiceAccessCommand(service));
    await assert.rejects(disable(), violation("POLICY_TYPE_ENABLED_FOR_THIS_SERVICE"));
    await system.root.send(new sdk.DisablePolicyTypeCommand(type));
    await disable();
  });

  it("are trusted and no longer trusted", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    await anOrganization(system);
    await root.send(new sdk.EnableAWSServiceAccessCommand(SERVICE));
    await root.send(new sdk.EnableAWSServiceAccessCommand(SERVICE));
    const trusted = async () =>
      (await root.send(new sdk.ListAWSServiceAccessForOrganizationCommand({}))).EnabledServicePrincipals!.map(
        ({ ServicePrincipal }) => ServicePrincipal,
      );
    assert.deepEqual(await trusted(), ["config.amazonaws.com"]);
    await root.send(new sdk.DisableAWSServiceAccessCommand(SERVICE));
    assert.deepEqual(await trusted(), []);
    const unknown = new sdk.EnableAWSServiceAccessCommand({ ServicePrincipal: "coffee.amazonaws.com" });
    await assert.rejects(root.send(unknown), {
      name: "InvalidInputException",
      Reason: "UNRECOGNIZED_SERVICE_PRINCIPAL",
      message: "You specified an unrecognized service principal.",
    });
  });

  it("are administered by a member account, which may then read the organization", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const AccountId = await anAccount(system, "audit");
    const audit = rootOf(system, AccountId);
    const register = (id = AccountId) =>
      root.send(new sdk.RegisterDelegatedAdministratorCommand({ AccountId: id, ...SERVICE }));
    await assert.rejects(register(), {
      name: "ConstraintViolationException",
      Reason: "SERVICE_ACCESS_NOT_ENABLED",
      message:
        "You must enable service access before you delegate an administrator for this service. Call the AWS API EnableAWSServiceAccess first.",
    });
    await root.send(new sdk.EnableAWSServiceAccessCommand(SERVICE));
    await assert.rejects(register(ACCOUNT), { Reason: "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR" });
    await assert.rejects(register("123412341234"), { name: "AccountNotFoundException" });
    await assert.rejects(audit.send(new sdk.ListAccountsCommand({})), DENIED);
    await register();
    await assert.rejects(register(), { name: "AccountAlreadyRegisteredException" });

    assert.equal((await audit.send(new sdk.ListAccountsCommand({}))).Accounts!.length, 2);
    await assert.rejects(
      audit.send(new sdk.CreateOrganizationalUnitCommand({ ParentId: rootId, Name: "mine" })),
      DENIED,
    );
    await assert.rejects(audit.send(new sdk.DeletePolicyCommand({ PolicyId: "p-FullAWSAccess" })), DENIED);
    const { DelegatedAdministrators } = await root.send(new sdk.ListDelegatedAdministratorsCommand(SERVICE));
    assert.deepEqual(
      DelegatedAdministrators!.map(({ Id, Name }) => [Id, Name]),
      [[AccountId, "audit"]],
    );
    const services = new sdk.ListDelegatedServicesForAccountCommand({ AccountId });
    assert.deepEqual(
      (await root.send(services)).DelegatedServices!.map(({ ServicePrincipal }) => ServicePrincipal),
      ["config.amazonaws.com"],
    );
    await assert.rejects(root.send(new sdk.RemoveAccountFromOrganizationCommand({ AccountId })), {
      Reason: "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
    });
    await root.send(new sdk.DeregisterDelegatedAdministratorCommand({ AccountId, ...SERVICE }));
    await assert.rejects(root.send(services), { name: "AccountNotRegisteredException" });
    await assert.rejects(audit.send(new sdk.ListAccountsCommand({})), DENIED);
  });
});

describe("the delegation policy", () => {
  it("lets a member account manage what it says, and nothing else", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { id, rootId } = await anOrganization(system);
    await root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "TAG_POLICY" }));
    const delegate = rootOf(system, await anAccount(system, "delegate"));
    const other = rootOf(system, await anAccount(system, "other"));
    await assert.rejects(root.send(new sdk.DescribeResourcePolicyCommand({})), {
      name: "ResourcePolicyNotFoundException",
    });
    const Content = document({
      Sid: "TagPolicies",
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${delegate.principal.accountId}:root` },
      Action: ["organizations:CreatePolicy", "organizations:AttachPolicy", "organizations:ListPolicies"],
      Resource: "*",
      Condition: { StringEquals: { "organizations:PolicyType": "TAG_POLICY" } },
    });
    const tags = [{ Key: "a", Value: "b" }];
    const { ResourcePolicy } = await root.send(new sdk.PutResourcePolicyCommand({ Content, Tags: tags }));
    const policyId = ResourcePolicy!.ResourcePolicySummary!.Id!;
    assert.equal(
      ResourcePolicy!.ResourcePolicySummary!.Arn,
      `arn:aws:organizations::${ACCOUNT}:resourcepolicy/${id}/${policyId}`,
    );
    assert.deepEqual((await root.send(new sdk.ListTagsForResourceCommand({ ResourceId: policyId }))).Tags, tags);
    await assert.rejects(root.send(new sdk.PutResourcePolicyCommand({ Content, Tags: tags })), {
      name: "InvalidInputException",
    });
    await assert.rejects(root.send(new sdk.PutResourcePolicyCommand({ Content: document({ Effect: "Allow" }) })), {
      name: "InvalidInputException",
    });

    const create = (Type: sdk.PolicyType, content: string) =>
      new sdk.CreatePolicyCommand({ Name: "n", Description: "", Type, Content: content });
    const tagPolicy = JSON.stringify({ tags: { team: { tag_key: { "@@assign": "Team" } } } });
    const { Policy } = await delegate.send(create("TAG_POLICY", tagPolicy));
    const PolicyId = Policy!.PolicySummary!.Id!;
    await delegate.send(new sdk.AttachPolicyCommand({ PolicyId, TargetId: rootId }));
    await delegate.send(new sdk.ListPoliciesCommand({ Filter: "TAG_POLICY" }));
    const scp = create("SERVICE_CONTROL_POLICY", document({ Effect: "Deny", Action: "s3:*", Resource: "*" }));
    await assert.rejects(delegate.send(scp), DENIED);
    await assert.rejects(delegate.send(new sdk.ListPoliciesCommand({ Filter: "SERVICE_CONTROL_POLICY" })), DENIED);
    await assert.rejects(delegate.send(new sdk.DetachPolicyCommand({ PolicyId, TargetId: rootId })), DENIED);
    await assert.rejects(other.send(create("TAG_POLICY", tagPolicy)), DENIED);
    await root.send(new sdk.DeleteResourcePolicyCommand({}));
    await assert.rejects(delegate.send(new sdk.ListPoliciesCommand({ Filter: "TAG_POLICY" })), DENIED);
  });
});

describe("tags", () => {
  it("are put on the root, OUs, accounts and policies, 50 at most", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const content = document({ Effect: "Deny", Action: "s3:*", Resource: "*" });
    const made = await root.send(
      new sdk.CreatePolicyCommand({ Name: "n", Description: "", Type: "SERVICE_CONTROL_POLICY", Content: content }),
    );
    for (const ResourceId of [rootId, ACCOUNT, made.Policy!.PolicySummary!.Id!]) {
      const tags = async () => (await root.send(new sdk.ListTagsForResourceCommand({ ResourceId }))).Tags;
      const tag = (...Tags: sdk.Tag[]) => root.send(new sdk.TagResourceCommand({ ResourceId, Tags }));
      assert.deepEqual(await tags(), []);
      await tag({ Key: "a", Value: "1" }, { Key: "b", Value: "2" });
      await tag({ Key: "a", Value: "3" });
      assert.deepEqual(await tags(), [
        { Key: "a", Value: "3" },
        { Key: "b", Value: "2" },
      ]);
      await assert.rejects(root.send(new sdk.UntagResourceCommand({ ResourceId, TagKeys: ["a", "AWS:x"] })), {
        Reason: "INVALID_SYSTEM_TAGS_PARAMETER",
      });
      await root.send(new sdk.UntagResourceCommand({ ResourceId, TagKeys: ["a", "none"] }));
      assert.deepEqual(await tags(), [{ Key: "b", Value: "2" }]);
      const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "" }));
      await assert.rejects(tag(...many), { Reason: "MAX_TAG_LIMIT_EXCEEDED" });
    }
    const missing = new sdk.ListTagsForResourceCommand({ ResourceId: "ou-abcd-abcdefgh" });
    await assert.rejects(root.send(missing), { name: "TargetNotFoundException" });
  });
});
