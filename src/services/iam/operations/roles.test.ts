import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { aRole, aUser, iamSystem, policy, roleArn, trust } from "../testing.ts";

const ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess";

test("a role is made, read, changed and deleted", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const document = trust("codebuild.amazonaws.com");
  const { Role } = await root.send(
    new sdk.CreateRoleCommand({
      RoleName: "builder",
      Path: "/service-role/",
      AssumeRolePolicyDocument: document,
      Description: "builds",
      MaxSessionDuration: 7200,
      Tags: [{ Key: "team", Value: "x" }],
    }),
  );
  assert.match(Role!.RoleId!, /^AROA[A-Z2-7]{17}$/);
  assert.equal(Role?.Arn, roleArn("service-role/builder"));
  assert.equal(Role?.AssumeRolePolicyDocument, encodeURIComponent(document));
  // What answers the creation says less than GetRole does.
  assert.deepEqual((await root.send(new sdk.GetRoleCommand({ RoleName: "BUILDER" }))).Role, {
    ...Role,
    Description: "builds",
    MaxSessionDuration: 7200,
    RoleLastUsed: {},
  });
  assert.deepEqual(
    ["Description", "MaxSessionDuration", "RoleLastUsed", "Tags"].filter((member) => member in Role!),
    ["Tags"],
  );
  assert.deepEqual(
    (await root.send(new sdk.ListRolesCommand({ PathPrefix: "/service-role/" }))).Roles?.map((role) => role.Tags),
    [undefined],
  );

  await root.send(new sdk.UpdateRoleCommand({ RoleName: "builder", Description: "d", MaxSessionDuration: 3600 }));
  const newTrust = trust("ecs-tasks.amazonaws.com");
  await root.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName: "builder", PolicyDocument: newTrust }));
  const changed = (await root.send(new sdk.GetRoleCommand({ RoleName: "builder" }))).Role;
  assert.deepEqual([changed?.Description, changed?.MaxSessionDuration], ["d", 3600]);
  assert.equal(decodeURIComponent(changed!.AssumeRolePolicyDocument!), newTrust);

  await root.send(new sdk.AttachRolePolicyCommand({ RoleName: "builder", PolicyArn: ADMINISTRATOR }));
  await assert.rejects(root.send(new sdk.DeleteRoleCommand({ RoleName: "builder" })), {
    name: "DeleteConflictException",
    message: "Cannot delete entity, must detach all policies first.",
  });
  await root.send(new sdk.DetachRolePolicyCommand({ RoleName: "builder", PolicyArn: ADMINISTRATOR }));
  await root.send(new sdk.DeleteRoleCommand({ RoleName: "builder" }));
  await assert.rejects(root.send(new sdk.GetRoleCommand({ RoleName: "builder" })), {
    name: "NoSuchEntityException",
    message: "The role with name builder cannot be found.",
  });
});

test("malformed trust policies are refused in the parser's words", async () => {
  await using system = await iamSystem();
  const create = (AssumeRolePolicyDocument: string) =>
    system.root.send(new sdk.CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument }));
  const malformed = { name: "MalformedPolicyDocumentException" };
  await assert.rejects(create("{"), malformed);
  await assert.rejects(create(policy("Allow", "sts:AssumeRole")), malformed);
  await assert.rejects(create(trust("codebuild.amazonaws.com", { Resource: "*" })), {
    ...malformed,
    message: "Statement[0]: Has prohibited field Resource",
  });
  await assert.rejects(create(trust("codebuild.amazonaws.com", { Action: "s3:GetObject" })), malformed);
  assert.deepEqual((await system.root.send(new sdk.ListRolesCommand({}))).Roles, []);
});

test("inline policies are put, read, replaced, listed and deleted", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await aRole(system, "r");
  const put = (PolicyName: string, PolicyDocument: string) =>
    root.send(new sdk.PutRolePolicyCommand({ RoleName: "r", PolicyName, PolicyDocument }));
  await put("b", policy("Allow", "s3:*"));
  await put("a", policy("Allow", "s3:*"));
  await put("a", policy("Deny", "s3:*"));
  const got = await root.send(new sdk.GetRolePolicyCommand({ RoleName: "r", PolicyName: "a" }));
  assert.equal(decodeURIComponent(got.PolicyDocument!), policy("Deny", "s3:*"));
  const page = await root.send(new sdk.ListRolePoliciesCommand({ RoleName: "r", MaxItems: 1 }));
  assert.deepEqual([page.PolicyNames, page.IsTruncated], [["a"], true]);
  const next = await root.send(new sdk.ListRolePoliciesCommand({ RoleName: "r", Marker: page.Marker }));
  assert.deepEqual(next.PolicyNames, ["b"]);
  await root.send(new sdk.DeleteRolePolicyCommand({ RoleName: "r", PolicyName: "a" }));
  await assert.rejects(root.send(new sdk.GetRolePolicyCommand({ RoleName: "r", PolicyName: "a" })), {
    name: "NoSuchEntityException",
    message: "The role policy with name a cannot be found.",
  });
  await assert.rejects(put("c", trust("codebuild.amazonaws.com")), { name: "MalformedPolicyDocumentException" });
  await assert.rejects(put("c", policy("Allow", Array<string>(1000).fill("s3:GetObject"))), {
    name: "LimitExceededException",
    message: "Maximum policy size of 10240 bytes exceeded for role r",
  });
});

test("a role takes ten managed policies that exist, and loses those it has", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await aRole(system, "r");
  const attach = (PolicyArn: string) => root.send(new sdk.AttachRolePolicyCommand({ RoleName: "r", PolicyArn }));
  await assert.rejects(attach("arn:aws:iam::aws:policy/Nope"), {
    name: "NoSuchEntityException",
    message: "Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable.",
  });
  await assert.rejects(root.send(new sdk.DetachRolePolicyCommand({ RoleName: "r", PolicyArn: ADMINISTRATOR })), {
    name: "NoSuchEntityException",
    message: `Policy ${ADMINISTRATOR} was not found.`,
  });
  await attach(ADMINISTRATOR);
  await attach(ADMINISTRATOR);
  for (let index = 1; index < 10; index++) {
    const created = new sdk.CreatePolicyCommand({ PolicyName: `p${index}`, PolicyDocument: policy("Allow", "s3:*") });
    await attach((await root.send(created)).Policy!.Arn!);
  }
  await assert.rejects(attach("arn:aws:iam::aws:policy/PowerUserAccess"), {
    name: "LimitExceededException",
    message: "Cannot exceed quota for PoliciesPerRole: 10",
  });
  const listed = await root.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName: "r" }));
  assert.equal(listed.AttachedPolicies?.length, 10);
});

test("the policy of a service-linked role is no other role's, and no boundary", async () => {
  await using system = await iamSystem();
  await aRole(system, "r");
  const PolicyArn = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy";
  const refused = {
    name: "PolicyNotAttachableException",
    message: "Cannot attach a Service Role Policy to a Customer Role.",
  };
  await assert.rejects(system.root.send(new sdk.AttachRolePolicyCommand({ RoleName: "r", PolicyArn })), refused);
  const bound = new sdk.PutRolePermissionsBoundaryCommand({ RoleName: "r", PermissionsBoundary: PolicyArn });
  await assert.rejects(system.root.send(bound), refused);
});

test("tags merge by key whatever its case", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await aRole(system, "r");
  const tag = (...Tags: sdk.Tag[]) => root.send(new sdk.TagRoleCommand({ RoleName: "r", Tags }));
  await tag({ Key: "team", Value: "a" }, { Key: "keep", Value: "k" });
  await tag({ Key: "Team", Value: "b" });
  const tags = async () => (await root.send(new sdk.ListRoleTagsCommand({ RoleName: "r" }))).Tags;
  assert.deepEqual(await tags(), [
    { Key: "Team", Value: "b" },
    { Key: "keep", Value: "k" },
  ]);
  await root.send(new sdk.UntagRoleCommand({ RoleName: "r", TagKeys: ["KEEP"] }));
  assert.deepEqual(await tags(), [{ Key: "Team", Value: "b" }]);
  await assert.rejects(tag({ Key: "x", Value: "1" }, { Key: "X", Value: "2" }), { name: "InvalidInputException" });
});

test("whoever puts a role into an instance profile must be allowed to pass it", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await aRole(system, "r");
  await root.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName: "p" }));
  const { client } = await aUser(system, "dev", policy("Allow", "iam:AddRoleToInstanceProfile"));
  const add = new sdk.AddRoleToInstanceProfileCommand({ InstanceProfileName: "p", RoleName: "r" });
  await assert.rejects(client.send(add), /not authorized to perform: iam:PassRole on resource/);
  await root.send(add);
  const { InstanceProfile } = await root.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName: "p" }));
  assert.deepEqual(
    InstanceProfile?.Roles?.map((role) => role.RoleName),
    ["r"],
  );
  await assert.rejects(root.send(new sdk.DeleteRoleCommand({ RoleName: "r" })), { name: "DeleteConflictException" });
  await assert.rejects(root.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName: "p" })), {
    name: "DeleteConflictException",
  });
  await root.send(new sdk.RemoveRoleFromInstanceProfileCommand(add.input));
  await root.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName: "p" }));
  assert.deepEqual((await root.send(new sdk.ListInstanceProfilesCommand({}))).InstanceProfiles, []);
});

test("an action is authorized on the role's ARN with its path", async () => {
  await using system = await iamSystem();
  const command = { AssumeRolePolicyDocument: trust("codebuild.amazonaws.com"), Path: "/ci/" };
  await system.root.send(new sdk.CreateRoleCommand({ RoleName: "in", ...command }));
  await aRole(system, "out");
  const { client } = await aUser(system, "dev", policy("Allow", "iam:GetRole", roleArn("ci/*")));
  await client.send(new sdk.GetRoleCommand({ RoleName: "in" }));
  await assert.rejects(client.send(new sdk.GetRoleCommand({ RoleName: "out" })), {
    name: "AccessDenied",
    message: `User: arn:aws:iam::111122223333:user/dev is not authorized to perform: iam:GetRole on resource: role out because no identity-based policy allows the iam:GetRole action`,
  });
});
