import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { aRole, aUser, iamSystem, policy, roleArn } from "../testing.ts";

const ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess";
const S3_READER = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

async function anAccount() {
  const system = await iamSystem();
  const { root } = system;
  await aUser(system, "ana", policy("Allow", "s3:*"));
  await root.send(new sdk.CreateGroupCommand({ GroupName: "Admins" }));
  await root.send(new sdk.AddUserToGroupCommand({ GroupName: "Admins", UserName: "ana" }));
  await root.send(new sdk.AttachGroupPolicyCommand({ GroupName: "Admins", PolicyArn: ADMINISTRATOR }));
  await aRole(system, "builder");
  await root.send(new sdk.PutRolePermissionsBoundaryCommand({ RoleName: "builder", PermissionsBoundary: S3_READER }));
  await root.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName: "box" }));
  await root.send(new sdk.AddRoleToInstanceProfileCommand({ InstanceProfileName: "box", RoleName: "builder" }));
  const PolicyDocument = policy("Allow", "ecr:*");
  const { Policy } = await root.send(new sdk.CreatePolicyCommand({ PolicyName: "push", PolicyDocument }));
  const version = { PolicyArn: Policy!.Arn, PolicyDocument: policy("Allow", "ecr:Get*"), SetAsDefault: true };
  await root.send(new sdk.CreatePolicyVersionCommand(version));
  await root.send(new sdk.AttachRolePolicyCommand({ RoleName: "builder", PolicyArn: Policy!.Arn }));
  return system;
}

test("everything in the account is told with what hangs on it", async () => {
  await using system = await anAccount();
  const details = await system.root.send(new sdk.GetAccountAuthorizationDetailsCommand({}));
  const [ana, ...users] = details.UserDetailList!;
  const inline = { PolicyName: "own", PolicyDocument: encodeURIComponent(policy("Allow", "s3:*")).replace("*", "%2A") };
  assert.deepEqual(
    { ...ana, UserId: undefined, CreateDate: undefined, UserPolicyList: ana?.UserPolicyList?.length },
    {
      Arn: `arn:aws:iam::${ACCOUNT}:user/ana`,
      AttachedManagedPolicies: [],
      CreateDate: undefined,
      GroupList: ["Admins"],
      Path: "/",
      UserId: undefined,
      UserName: "ana",
      UserPolicyList: 1,
    },
  );
  assert.equal(decodeURIComponent(ana!.UserPolicyList![0]!.PolicyDocument!), decodeURIComponent(inline.PolicyDocument));
  assert.deepEqual(users, []);
  const administrator = { PolicyName: "AdministratorAccess", PolicyArn: ADMINISTRATOR };
  assert.deepEqual(details.GroupDetailList?.[0]?.AttachedManagedPolicies, [administrator]);
  assert.deepEqual(details.GroupDetailList?.[0]?.GroupPolicyList, []);
  const [builder] = details.RoleDetailList!;
  assert.equal(builder?.Arn, roleArn("builder"));
  assert.deepEqual(builder?.PermissionsBoundary, {
    PermissionsBoundaryType: "Policy",
    PermissionsBoundaryArn: S3_READER,
  });
  assert.deepEqual(
    builder?.InstanceProfileList?.map(({ InstanceProfileName, Roles }) => [InstanceProfileName, Roles?.[0]?.RoleName]),
    [["box", "builder"]],
  );
  assert.deepEqual(builder?.AttachedManagedPolicies?.[0]?.PolicyName, "push");
  assert.deepEqual(
    details.Policies?.map((one) => [one.PolicyName, one.AttachmentCount, one.PermissionsBoundaryUsageCount]),
    [
      ["push", 1, 0],
      ["AdministratorAccess", 1, 0],
      ["AmazonS3ReadOnlyAccess", 0, 1],
    ],
  );
  assert.deepEqual(
    details.Policies?.[0]?.PolicyVersionList?.map(({ VersionId, IsDefaultVersion, Document }) => [
      VersionId,
      IsDefaultVersion,
      decodeURIComponent(Document!),
    ]),
    [
      ["v2", true, policy("Allow", "ecr:Get*")],
      ["v1", false, policy("Allow", "ecr:*")],
    ],
  );
});

test("the types that are asked for are told, in pages of all of them together", async () => {
  await using system = await anAccount();
  const command = (input: sdk.GetAccountAuthorizationDetailsCommandInput) =>
    system.root.send(new sdk.GetAccountAuthorizationDetailsCommand(input));
  const local = await command({ Filter: ["LocalManagedPolicy", "Group"] });
  assert.deepEqual(
    [local.UserDetailList, local.RoleDetailList, local.GroupDetailList?.length, local.Policies?.length],
    [[], [], 1, 1],
  );
  const ofAws = await command({ Filter: ["AWSManagedPolicy"] });
  assert.deepEqual(
    ofAws.Policies?.map(({ Arn }) => Arn),
    [ADMINISTRATOR, S3_READER],
  );

  const sizes: number[] = [];
  let Marker: string | undefined;
  do {
    const page = await command({ MaxItems: 4, Marker });
    const lists = [page.UserDetailList, page.GroupDetailList, page.RoleDetailList, page.Policies];
    sizes.push(lists.reduce((sum, list) => sum + list!.length, 0));
    Marker = page.Marker;
  } while (Marker !== undefined);
  assert.deepEqual(sizes, [4, 2]);
});
