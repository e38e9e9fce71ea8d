import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { anAccount, anOrganization, aPolicy, attach, aUnit, document, organizationsSystem } from "../testing.ts";

const DENY_S3 = document({ Effect: "Deny", Action: "s3:*", Resource: "*" });

describe("policies", () => {
  it("are made, changed, listed and deleted", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { id } = await anOrganization(system);
    const create = new sdk.CreatePolicyCommand({
      Name: "NoS3",
      Description: "no S3",
      Type: "SERVICE_CONTROL_POLICY",
      Content: DENY_S3,
      Tags: [{ Key: "owner", Value: "security" }],
    });
    const { Policy } = await root.send(create);
    const PolicyId = Policy!.PolicySummary!.Id!;
    assert.match(PolicyId, /^p-[a-z0-9]{8}$/);
    assert.deepEqual(Policy, {
      PolicySummary: {
        Id: PolicyId,
        Arn: `arn:aws:organizations::${ACCOUNT}:policy/${id}/service_control_policy/${PolicyId}`,
        Name: "NoS3",
        Description: "no S3",
        Type: "SERVICE_CONTROL_POLICY",
        AwsManaged: false,
      },
      Content: DENY_S3,
    });
    await assert.rejects(root.send(create), {
      name: "DuplicatePolicyException",
      message: "A policy with the specified name and type already exists.",
    });
    await root.send(new sdk.UpdatePolicyCommand({ PolicyId, Name: "NoBuckets" }));
    const described = await root.send(new sdk.DescribePolicyCommand({ PolicyId }));
    assert.equal(described.Policy!.PolicySummary!.Name, "NoBuckets");
    assert.equal(described.Policy!.Content, DENY_S3);
    const list = new sdk.ListPoliciesCommand({ Filter: "SERVICE_CONTROL_POLICY" });
    assert.deepEqual(
      (await root.send(list)).Policies!.map(({ Name, AwsManaged }) => [Name, AwsManaged]),
      [
        ["FullAWSAccess", true],
        ["NoBuckets", false],
      ],
    );
    await root.send(new sdk.DeletePolicyCommand({ PolicyId }));
    await assert.rejects(root.send(new sdk.DescribePolicyCommand({ PolicyId })), {
      name: "PolicyNotFoundException",
      message: "You specified a policy that doesn't exist.",
    });
  });

  it("of AWS are attached to everything and cannot be changed", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { id, rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const account = await anAccount(system, "dev", unit);
    const { Targets } = await root.send(new sdk.ListTargetsForPolicyCommand({ PolicyId: "p-FullAWSAccess" }));
    assert.deepEqual(Targets, [
      { TargetId: rootId, Arn: `arn:aws:organizations::${ACCOUNT}:root/${id}/${rootId}`, Name: "Root", Type: "ROOT" },
      {
        TargetId: ACCOUNT,
        Arn: `arn:aws:organizations::${ACCOUNT}:account/${id}/${ACCOUNT}`,
        Name: `Account ${ACCOUNT}`,
        Type: "ACCOUNT",
      },
      {
        TargetId: unit,
        Arn: `arn:aws:organizations::${ACCOUNT}:ou/${id}/${unit}`,
        Name: "Workloads",
        Type: "ORGANIZATIONAL_UNIT",
      },
      {
        TargetId: account,
        Arn: `arn:aws:organizations::${ACCOUNT}:account/${id}/${account}`,
        Name: "dev",
        Type: "ACCOUNT",
      },
    ]);
    const { Policy } = await root.send(new sdk.DescribePolicyCommand({ PolicyId: "p-FullAWSAccess" }));
    assert.equal(
      Policy!.PolicySummary!.Arn,
      "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
    );
    assert.deepEqual(JSON.parse(Policy!.Content!), {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
    });
    const immutable = { name: "InvalidInputException", Reason: "IMMUTABLE_POLICY" };
    const PolicyId = "p-FullAWSAccess";
    await assert.rejects(root.send(new sdk.UpdatePolicyCommand({ PolicyId, Name: "x" })), immutable);
    await assert.rejects(root.send(new sdk.DeletePolicyCommand({ PolicyId })), immutable);
  });

  for (const [what, content] of Object.entries({
    "no JSON": "{",
    "an unknown operator": document({
      Effect: "Deny",
      Action: "*",
      Resource: "*",
      Condition: { Equals: { "a:b": "c" } },
    }),
    "a principal": document({ Effect: "Deny", Principal: "*", Action: "*", Resource: "*" }),
    "an action without its service": document({ Effect: "Deny", Action: "GetObject", Resource: "*" }),
    "no resource": document({ Effect: "Deny", Action: "s3:*" }),
    "duplicate Sids": document(
      { Sid: "a", Effect: "Deny", Action: "s3:*", Resource: "*" },
      { Sid: "a", Effect: "Deny", Action: "s3:*", Resource: "*" },
    ),
  })) {
    it(`are refused with ${what}`, async () => {
      await using system = await organizationsSystem();
      await anOrganization(system);
      await assert.rejects(aPolicy(system, "bad", content), {
        name: "MalformedPolicyDocumentException",
        message: /^The provided policy document does not meet the requirements of the specified policy type\. /,
      });
      const good = await aPolicy(system, "good", DENY_S3);
      await assert.rejects(system.root.send(new sdk.UpdatePolicyCommand({ PolicyId: good, Content: content })), {
        name: "MalformedPolicyDocumentException",
      });
      const { Policy } = await system.root.send(new sdk.DescribePolicyCommand({ PolicyId: good }));
      assert.equal(Policy!.Content, DENY_S3);
    });
  }

  it("have a size", async () => {
    await using system = await organizationsSystem();
    await anOrganization(system);
    const ofSize = (size: number) => DENY_S3 + " ".repeat(size - DENY_S3.length);
    await aPolicy(system, "whole", ofSize(5120));
    await assert.rejects(aPolicy(system, "over", ofSize(5121)), {
      name: "ConstraintViolationException",
      Reason: "POLICY_CONTENT_LIMIT_EXCEEDED",
    });
  });

  it("are attached to roots, OUs and accounts, one to five SCPs each", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const unit = await aUnit(system, rootId, "Workloads");
    const policies = [];
    for (const name of ["a", "b", "c", "d", "e"]) policies.push(await aPolicy(system, name, DENY_S3));
    const [first, , , , fifth] = policies;
    for (const policy of policies.slice(0, 4)) await attach(system, policy, unit);
    await assert.rejects(attach(system, fifth!, unit), {
      Reason: "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
      message: "You have attached the maximum number of policies to the specified target.",
    });
    await assert.rejects(attach(system, first!, unit), { name: "DuplicatePolicyAttachmentException" });
    await assert.rejects(attach(system, first!, "123412341234"), { name: "TargetNotFoundException" });
    await assert.rejects(attach(system, "p-nowhere1", unit), { name: "PolicyNotFoundException" });
    await assert.rejects(root.send(new sdk.DeletePolicyCommand({ PolicyId: first! })), {
      name: "PolicyInUseException",
    });

    const detach = (PolicyId: string, TargetId = unit) =>
      root.send(new sdk.DetachPolicyCommand({ PolicyId, TargetId }));
    for (const policy of policies.slice(0, 4)) await detach(policy);
    await assert.rejects(detach(first!), { name: "PolicyNotAttachedException" });
    await assert.rejects(detach("p-FullAWSAccess"), {
      name: "ConstraintViolationException",
      Reason: "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
      message:
        "You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.",
    });
    const list = new sdk.ListPoliciesForTargetCommand({ TargetId: unit, Filter: "SERVICE_CONTROL_POLICY" });
    assert.deepEqual(
      (await root.send(list)).Policies!.map(({ Id }) => Id),
      ["p-FullAWSAccess"],
    );
    const missing = new sdk.ListPoliciesForTargetCommand({ TargetId: "ou-aaaa-bbbbbbbb", Filter: "TAG_POLICY" });
    await assert.rejects(root.send(missing), { name: "TargetNotFoundException" });
  });
});

describe("policy types", () => {
  it("are enabled and disabled in the root; disabling detaches, enabling attaches AWS's own again", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    const guard = await aPolicy(system, "guard", DENY_S3);
    await attach(system, guard, account);
    const type = { RootId: rootId, PolicyType: "SERVICE_CONTROL_POLICY" } as const;
    await assert.rejects(root.send(new sdk.EnablePolicyTypeCommand(type)), {
      name: "PolicyTypeAlreadyEnabledException",
    });
    const { Root } = await root.send(new sdk.DisablePolicyTypeCommand(type));
    assert.deepEqual(Root!.PolicyTypes, []);
    const policies = async () => {
      const list = new sdk.ListPoliciesForTargetCommand({ TargetId: account, Filter: "SERVICE_CONTROL_POLICY" });
      return (await root.send(list)).Policies!.map(({ Id }) => Id);
    };
    assert.deepEqual(await policies(), []);
    await assert.rejects(attach(system, guard, account), {
      name: "PolicyTypeNotEnabledException",
      message: "This operation can be performed only for enabled policy types.",
    });
    await assert.rejects(root.send(new sdk.DisablePolicyTypeCommand(type)), { name: "PolicyTypeNotEnabledException" });
    await root.send(new sdk.EnablePolicyTypeCommand(type));
    assert.deepEqual(await policies(), ["p-FullAWSAccess"]);
    const elsewhere = new sdk.EnablePolicyTypeCommand({ RootId: "r-none", PolicyType: "TAG_POLICY" });
    await assert.rejects(root.send(elsewhere), { name: "RootNotFoundException" });
  });

  it("RESOURCE_CONTROL_POLICY takes denials for everybody only, and keeps AWS's own attached", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const type = "RESOURCE_CONTROL_POLICY";
    await root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: type }));
    const rcp = (statement: object) => aPolicy(system, "rcp", document({ Resource: "*", ...statement }), type);
    const malformed = { name: "MalformedPolicyDocumentException" };
    await assert.rejects(rcp({ Effect: "Allow", Principal: "*", Action: "s3:*" }), malformed);
    await assert.rejects(rcp({ Effect: "Deny", Principal: { AWS: ACCOUNT }, Action: "s3:*" }), malformed);
    await assert.rejects(rcp({ Effect: "Deny", Principal: "*", NotAction: "s3:*" }), malformed);
    await assert.rejects(rcp({ Effect: "Deny", Action: "s3:*" }), malformed);
    await rcp({ Effect: "Deny", Principal: "*", Action: "s3:*" });
    const detach = new sdk.DetachPolicyCommand({ PolicyId: "p-RCPFullAWSAccess", TargetId: rootId });
    await assert.rejects(root.send(detach), { Reason: "NON_DETACHABLE_POLICY" });
  });

  it("of management policies have an effective policy for each account", async () => {
    await using system = await organizationsSystem();
    const { root } = system;
    const { rootId } = await anOrganization(system);
    const account = await anAccount(system, "dev");
    const tags = (tag_value: object) =>
      JSON.stringify({ tags: { costcenter: { tag_key: { "@@assign": "CostCenter" }, tag_value } } });
    const describe = (TargetId?: string) =>
      root.send(new sdk.DescribeEffectivePolicyCommand({ PolicyType: "TAG_POLICY", TargetId }));
    const none = { name: "EffectivePolicyNotFoundException" };
    await assert.rejects(describe(account), none);
    await root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "TAG_POLICY" }));
    await assert.rejects(describe(account), none);
    const above = await aPolicy(system, "above", tags({ "@@assign": ["Development"] }), "TAG_POLICY");
    const below = await aPolicy(system, "below", tags({ "@@append": ["Marketing"] }), "TAG_POLICY");
    await attach(system, above, rootId);
    await attach(system, below, account);
    const { EffectivePolicy } = await describe(account);
    assert.deepEqual(JSON.parse(EffectivePolicy!.PolicyContent!), {
      tags: { costcenter: { tag_key: "CostCenter", tag_value: ["Development", "Marketing"] } },
    });
    const own = JSON.parse((await describe()).EffectivePolicy!.PolicyContent!);
    assert.deepEqual(own.tags.costcenter.tag_value, ["Development"]);
    await assert.rejects(describe(rootId), { Reason: "TARGET_NOT_SUPPORTED" });
    await assert.rejects(describe("123412341234"), { name: "TargetNotFoundException" });
    await assert.rejects(aPolicy(system, "bad", tags({ "@@sum": [1] }), "TAG_POLICY"), {
      name: "MalformedPolicyDocumentException",
    });
  });
});
