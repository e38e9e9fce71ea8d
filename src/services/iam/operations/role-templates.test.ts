/** What AWS was observed to answer, on roles of the template that it publishes for open-ended work. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { aUser, iamSystem, policy, roleArn, trust } from "../testing.ts";

const TemplateArn = "arn:aws:iam::aws:role-template/iam.amazonaws.com/PowerUserRoleTemplate:1";
const POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess";
const OTHER = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

type Values = Record<string, string | string[]>;

const acquire = (values: Values, more: Partial<sdk.AcquireRoleRequest> = {}) =>
  new sdk.AcquireRoleCommand({
    TemplateArn,
    ReplacementValues: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, { Values: [value].flat() }]),
    ),
    ...more,
  });
const build = { RoleName: "build", AWSServiceName: "codebuild.amazonaws.com" };

async function attached(system: TestSystem, RoleName: string): Promise<string[]> {
  const { AttachedPolicies } = await system.root.send(new sdk.ListAttachedRolePoliciesCommand({ RoleName }));
  return AttachedPolicies!.map(({ PolicyArn }) => PolicyArn!);
}

test("the template says what it makes", async () => {
  await using system = await iamSystem();
  const get = (input: Partial<sdk.GetRoleTemplateVersionRequest>) =>
    system.root.send(new sdk.GetRoleTemplateVersionCommand({ TemplateArn, ...input }));
  const { RoleTemplateVersion } = await get({});
  assert.deepEqual(RoleTemplateVersion, (await get({ MinorVersion: 0 })).RoleTemplateVersion);
  const { AssumeRolePolicyDocumentTemplate, ManagedPolicyArns, ParametersDefinition } = RoleTemplateVersion!;
  assert.deepEqual(JSON.parse(decodeURIComponent(AssumeRolePolicyDocumentTemplate!)), {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "@{AWSServiceName}" }, Action: "sts:AssumeRole" }],
  });
  assert.deepEqual(ManagedPolicyArns, [POWER_USER]);
  assert.deepEqual(
    ParametersDefinition!.map(({ Name, IsRequired, DefaultValue }) => [Name, IsRequired, DefaultValue]),
    [
      ["AWSServiceName", true, undefined],
      ["RoleName", false, "PowerUserRole"],
    ],
  );
  for (const missing of [{ MinorVersion: 1 }, { MinorVersion: -1 }, { TemplateArn: `${TemplateArn}0` }]) {
    const arn = missing.TemplateArn ?? TemplateArn;
    await assert.rejects(get(missing), {
      name: "NoSuchEntityException",
      message: `Role Template ${arn} cannot be found.`,
    });
  }
});

test("a role is made once and found again, and says where it comes from", async () => {
  await using system = await iamSystem();
  const { Role } = await system.root.send(acquire(build));
  assert.deepEqual(Object.keys(Role!), ["Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"]);
  assert.equal(Role!.Arn, roleArn("build"));
  assert.deepEqual(await attached(system, "build"), [POWER_USER]);
  assert.deepEqual((await system.root.send(acquire(build))).Role, Role);

  const { Role: got } = await system.root.send(new sdk.GetRoleCommand({ RoleName: "build" }));
  assert.equal(got!.Description, "Power user role for codebuild.amazonaws.com");
  assert.equal(got!.MaxSessionDuration, 3600);
  assert.deepEqual(got!.SourceRoleTemplate, { TemplateArn, TemplateMinorVersion: 0 });
  const { Roles } = await system.root.send(new sdk.ListRolesCommand({}));
  assert.ok(Roles!.every((role) => role.SourceRoleTemplate === undefined));

  const unnamed = await system.root.send(acquire({ AWSServiceName: "ecs-tasks.amazonaws.com" }));
  assert.equal(unnamed.Role!.RoleName, "PowerUserRole");
});

test("a role that was changed is not handed out until it is as it was", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const RoleName = "build";
  await root.send(acquire(build));
  const isModified = () =>
    assert.rejects(root.send(acquire(build)), {
      name: "RoleModifiedException",
      message: "Role build has been modified since it was created and is no longer managed.",
    });
  await root.send(new sdk.UpdateRoleCommand({ RoleName, Description: "mine", MaxSessionDuration: 7200 }));
  await root.send(acquire(build));

  await root.send(new sdk.TagRoleCommand({ RoleName, Tags: [{ Key: "team", Value: "red" }] }));
  await isModified();
  await root.send(new sdk.UntagRoleCommand({ RoleName, TagKeys: ["team"] }));
  await root.send(acquire(build));

  await root.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn: OTHER }));
  await isModified();
  await root.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn: OTHER }));
  await root.send(acquire(build));

  const inline = { RoleName, PolicyName: "own" };
  await root.send(new sdk.PutRolePolicyCommand({ ...inline, PolicyDocument: policy("Allow", "iam:*") }));
  await isModified();
  await root.send(new sdk.DeleteRolePolicyCommand(inline));

  await root.send(new sdk.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: OTHER }));
  await isModified();
  await root.send(new sdk.DeleteRolePermissionsBoundaryCommand({ RoleName }));

  const trusting = (PolicyDocument: string) =>
    root.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
  await trusting(trust("ecs-tasks.amazonaws.com"));
  await isModified();
  const Principal = { Service: ["codebuild.amazonaws.com"] };
  const Statement = { Action: ["sts:AssumeRole"], Principal, Effect: "Allow" };
  await trusting(JSON.stringify({ Statement, Version: "2012-10-17" }, null, 4));
  await root.send(acquire(build));

  await root.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn: POWER_USER }));
  await isModified();
});

test("names are not shared with other roles", async () => {
  await using system = await iamSystem();
  await system.root.send(acquire(build));
  const parameters = {
    name: "NameConflictException",
    message:
      "A role with this name exists but was created with different parameters. Pass a unique roleName to create a new role.",
  };
  await assert.rejects(system.root.send(acquire({ ...build, AWSServiceName: "ecs-tasks.amazonaws.com" })), parameters);
  await assert.rejects(system.root.send(acquire({ ...build, RoleName: "BUILD" })), parameters);
  const ordinary = { RoleName: "ordinary", AssumeRolePolicyDocument: trust("codebuild.amazonaws.com") };
  await system.root.send(new sdk.CreateRoleCommand(ordinary));
  await system.root.send(new sdk.AttachRolePolicyCommand({ RoleName: "ordinary", PolicyArn: POWER_USER }));
  await assert.rejects(system.root.send(acquire({ ...build, RoleName: "ordinary" })), {
    name: "NameConflictException",
    message:
      "A role with this name already exists in the account but was not created from this template. Choose a different role name, or remove the existing role if it is no longer needed.",
  });
});

test("values that the template cannot take are refused, and nothing is made", async () => {
  await using system = await iamSystem();
  const refused = async (values: Values, name: string, message: string | RegExp, more = {}) =>
    assert.rejects(system.root.send(acquire(values, more)), { name, message });
  await refused({}, "InvalidInputException", "Failed to render template: Parameter 'AWSServiceName' not found.");
  await refused(
    { ...build, Unused: "ignored" },
    "InvalidInputException",
    "Failed to render template: Unrecognized parameter: Unused",
  );
  await refused(
    { ...build, AWSServiceName: ["codebuild.amazonaws.com", "ecs.amazonaws.com"] },
    "ValidationError",
    "AWSServiceName replacement value must contain exactly one value, got 2",
  );
  await refused({ ...build, AWSServiceName: "*" }, "MalformedPolicyDocumentException", /./);
  await refused({ ...build, RoleName: "not a name" }, "ValidationError", "The role name not a name is invalid");
  await refused({ ...build, RoleName: "AWSServiceRoleForECS" }, "InvalidInputException", /reserved/);
  const missing = `Role template not found in repository: ${TemplateArn}`;
  await refused(build, "NoSuchEntityException", missing, { TemplateMinorVersion: 999 });
  assert.deepEqual((await system.root.send(new sdk.ListRolesCommand({}))).Roles, []);
});

test("acquiring takes what its steps take, under the template's condition key", async () => {
  await using system = await iamSystem();
  const templated = (Action: string, Resource: string, key = "iam:RoleTemplateARN", value = TemplateArn) => ({
    Effect: "Allow",
    Action,
    Resource,
    Condition: { ArnEquals: { [key]: value } },
  });
  const read = { Effect: "Allow", Action: "iam:GetRoleTemplateVersion", Resource: TemplateArn };
  const allowing = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
  const named = async (user: string, document: string, RoleName: string) => {
    const { client } = await aUser(system, user, document);
    return client.send(acquire({ ...build, RoleName }));
  };
  const full = roleArn("full");
  const steps = [templated("iam:CreateRole", full), templated("iam:AttachRolePolicy", full)];
  const templateDenied = (await named("a", allowing(...steps), "full").catch((error: Error) => error)) as Error;
  assert.match(
    templateDenied.message,
    /not authorized to perform: iam:GetRoleTemplateVersion on resource: .*PowerUserRole/,
  );
  await named("b", allowing(read, ...steps), "full");

  const halfway = allowing(read, templated("iam:CreateRole", roleArn("half")));
  const { message } = (await named("c", halfway, "half").catch((error: Error) => error)) as Error;
  assert.match(message, /not authorized to perform: iam:AttachRolePolicy/);
  await assert.rejects(system.root.send(new sdk.GetRoleCommand({ RoleName: "half" })), {
    name: "NoSuchEntityException",
  });

  await named("d", allowing(read, templated("iam:GetRole", full)), "full");
});
