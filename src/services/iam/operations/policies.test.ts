import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { aRole, aUser, iamSystem, policy } from "../testing.ts";

const POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess";

async function aPolicy(system: TestSystem, PolicyName: string, document = policy("Allow", "s3:*")): Promise<string> {
  const command = new sdk.CreatePolicyCommand({ PolicyName, PolicyDocument: document });
  return (await system.root.send(command)).Policy!.Arn!;
}

test("a policy is made, read and deleted", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const created = await root.send(
    new sdk.CreatePolicyCommand({
      PolicyName: "p",
      Path: "/x/",
      PolicyDocument: policy("Allow", "s3:*"),
      Description: "d",
    }),
  );
  const { Arn: PolicyArn } = created.Policy!;
  assert.equal(PolicyArn, `arn:aws:iam::${ACCOUNT}:policy/x/p`);
  assert.match(created.Policy!.PolicyId!, /^ANPA[A-Z2-7]{17}$/);
  assert.ok(!("Description" in created.Policy! || "Tags" in created.Policy!));
  await assert.rejects(aPolicy(system, "P"), {
    name: "EntityAlreadyExistsException",
    message: "A policy called P already exists. Duplicate names are not allowed.",
  });
  await aRole(system, "r");
  await root.send(new sdk.AttachRolePolicyCommand({ RoleName: "r", PolicyArn }));
  const { Policy } = await root.send(new sdk.GetPolicyCommand({ PolicyArn }));
  assert.deepEqual([Policy?.AttachmentCount, Policy?.Description, Policy?.DefaultVersionId], [1, "d", "v1"]);
  await assert.rejects(root.send(new sdk.DeletePolicyCommand({ PolicyArn })), {
    name: "DeleteConflictException",
    message: "Cannot delete a policy attached to entities.",
  });
  await root.send(new sdk.DetachRolePolicyCommand({ RoleName: "r", PolicyArn }));
  await root.send(new sdk.DeletePolicyCommand({ PolicyArn }));
  await assert.rejects(root.send(new sdk.GetPolicyCommand({ PolicyArn })), {
    name: "NoSuchEntityException",
    message: `Policy ${PolicyArn} was not found.`,
  });
});

test("the default version is what counts, and five may be kept", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const PolicyArn = await aPolicy(system, "p", policy("Allow", "iam:ListRoles"));
  const { client } = await aUser(system, "dev");
  await root.send(new sdk.AttachUserPolicyCommand({ UserName: "dev", PolicyArn }));
  await client.send(new sdk.ListRolesCommand({}));
  const PolicyDocument = policy("Allow", "iam:ListUsers");
  await root.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }));
  await client.send(new sdk.ListUsersCommand({}));
  await assert.rejects(client.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
  await root.send(new sdk.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
  await client.send(new sdk.ListRolesCommand({}));

  await assert.rejects(root.send(new sdk.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v1" })), {
    name: "DeleteConflictException",
    message: "Cannot delete the default version of a policy.",
  });
  for (let index = 0; index < 3; index++) {
    await root.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument }));
  }
  await assert.rejects(root.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument })), {
    name: "LimitExceededException",
  });
  await root.send(new sdk.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v5" }));
  const added = await root.send(new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument }));
  assert.equal(added.PolicyVersion?.VersionId, "v6");
  const { Versions } = await root.send(new sdk.ListPolicyVersionsCommand({ PolicyArn }));
  assert.deepEqual(
    Versions?.map((version) => version.VersionId),
    ["v6", "v4", "v3", "v2", "v1"],
  );
  await assert.rejects(root.send(new sdk.GetPolicyVersionCommand({ PolicyArn, VersionId: "v5" })), {
    name: "NoSuchEntityException",
    message: `Policy ${PolicyArn} version v5 does not exist or is not attachable.`,
  });
});

test("AWS's policies can be read and attached, never changed", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const { Policy } = await root.send(new sdk.GetPolicyCommand({ PolicyArn: POWER_USER }));
  const VersionId = Policy!.DefaultVersionId!;
  const version = await root.send(new sdk.GetPolicyVersionCommand({ PolicyArn: POWER_USER, VersionId }));
  assert.ok(JSON.parse(decodeURIComponent(version.PolicyVersion!.Document!)).Statement.length > 0);
  await assert.rejects(root.send(new sdk.DeletePolicyCommand({ PolicyArn: POWER_USER })), {
    name: "AccessDenied",
    message: "Policy is outside your own account.",
  });
});

test("a service-linked role's policy is for no other role", async () => {
  await using system = await iamSystem();
  await aRole(system, "r");
  const PolicyArn = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy";
  await assert.rejects(system.root.send(new sdk.AttachRolePolicyCommand({ RoleName: "r", PolicyArn })), {
    name: "PolicyNotAttachableException",
    message: "Cannot attach a Service Role Policy to a Customer Role.",
  });
});

test("ARNs that name no policy here are refused", async () => {
  await using system = await iamSystem();
  const get = (PolicyArn: string) => system.root.send(new sdk.GetPolicyCommand({ PolicyArn }));
  await assert.rejects(get("arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess"), {
    name: "ValidationError",
    message: "Invalid ARN partition",
  });
  for (const arn of ["AdministratorAccess-of-AWS", `arn:aws:iam::${ACCOUNT}:role/PowerUserAccess`]) {
    await assert.rejects(get(arn), { name: "ValidationError", message: `ARN ${arn} is not valid.` });
  }
});

test("policies are listed by scope and use", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const arn = await aPolicy(system, "p");
  await aPolicy(system, "q");
  const listed = async (input: sdk.ListPoliciesRequest) =>
    (await root.send(new sdk.ListPoliciesCommand({ MaxItems: 1000, ...input }))).Policies?.map((found) => found.Arn);
  assert.deepEqual(await listed({ Scope: "Local" }), [arn, arn.replace(/p$/, "q")]);
  assert.ok((await listed({ Scope: "AWS" }))?.includes(POWER_USER));
  assert.deepEqual(await listed({ OnlyAttached: true }), []);
  await aRole(system, "r");
  await root.send(new sdk.AttachRolePolicyCommand({ RoleName: "r", PolicyArn: arn }));
  assert.deepEqual(await listed({ OnlyAttached: true }), [arn]);
  const first = await root.send(new sdk.ListPoliciesCommand({ MaxItems: 10 }));
  const second = await root.send(new sdk.ListPoliciesCommand({ MaxItems: 10, Marker: first.Marker }));
  assert.equal(new Set([...first.Policies!, ...second.Policies!].map((found) => found.Arn)).size, 20);
});

test("entities of a policy are listed by kind, boundaries too", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const PolicyArn = await aPolicy(system, "p");
  await aRole(system, "Role");
  await root.send(new sdk.CreateUserCommand({ UserName: "Dev", PermissionsBoundary: PolicyArn }));
  await root.send(new sdk.AttachRolePolicyCommand({ RoleName: "role", PolicyArn }));
  const names = async (input: Partial<sdk.ListEntitiesForPolicyRequest>) => {
    const found = await root.send(new sdk.ListEntitiesForPolicyCommand({ PolicyArn, ...input }));
    return [found.PolicyRoles?.map((role) => role.RoleName), found.PolicyUsers?.map((user) => user.UserName)];
  };
  assert.deepEqual(await names({}), [["Role"], ["Dev"]]);
  assert.deepEqual(await names({ PolicyUsageFilter: "PermissionsPolicy" }), [["Role"], []]);
  assert.deepEqual(await names({ EntityFilter: "User" }), [[], ["Dev"]]);
  await root.send(new sdk.DetachRolePolicyCommand({ RoleName: "role", PolicyArn }));
  await assert.rejects(root.send(new sdk.DeletePolicyCommand({ PolicyArn })), { name: "DeleteConflictException" });
});

test("malformed and oversized documents are refused", async () => {
  await using system = await iamSystem();
  await assert.rejects(aPolicy(system, "p", '{"Version":"2012-10-17"}'), { name: "MalformedPolicyDocumentException" });
  for (const version of [{}, { Version: "2008-10-17" }]) {
    const old = { ...JSON.parse(policy("Allow", "s3:*")), Version: undefined, ...version };
    await assert.rejects(aPolicy(system, "p", JSON.stringify(old)), {
      name: "MalformedPolicyDocumentException",
      message: "Policy document must be version 2012-10-17 or greater.",
    });
  }
  await assert.rejects(aPolicy(system, "p", policy("Allow", Array<string>(500).fill("s3:GetObject"))), {
    name: "LimitExceededException",
    message: "Cannot exceed quota for PolicySize: 6144",
  });
});
