import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { rootPrincipal } from "#gateway/context.ts";
import { REGION } from "#tests/helpers/test-system.ts";
import { iamSystem, policy } from "../testing.ts";

test("a group has users, in pages", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const { Group } = await root.send(new sdk.CreateGroupCommand({ GroupName: "Team" }));
  assert.match(Group!.GroupId!, /^AGPA[A-Z2-7]{17}$/);
  for (const UserName of ["a", "B", "c"]) {
    await root.send(new sdk.CreateUserCommand({ UserName }));
    await root.send(new sdk.AddUserToGroupCommand({ GroupName: "team", UserName }));
  }
  const first = await root.send(new sdk.GetGroupCommand({ GroupName: "team", MaxItems: 2 }));
  assert.deepEqual(
    first.Users?.map((user) => user.UserName),
    ["a", "B"],
  );
  const rest = await root.send(new sdk.GetGroupCommand({ GroupName: "team", Marker: first.Marker }));
  assert.deepEqual(
    rest.Users?.map((user) => user.UserName),
    ["c"],
  );
  const groups = await root.send(new sdk.ListGroupsForUserCommand({ UserName: "b" }));
  assert.deepEqual(groups.Groups, [Group]);

  await root.send(new sdk.UpdateGroupCommand({ GroupName: "team", NewGroupName: "crew" }));
  assert.equal((await root.send(new sdk.GetGroupCommand({ GroupName: "crew" }))).Users?.length, 3);
  await assert.rejects(root.send(new sdk.DeleteGroupCommand({ GroupName: "crew" })), {
    name: "DeleteConflictException",
    message: "Cannot delete entity, must remove users from group first.",
  });
  for (const UserName of ["a", "b", "c"]) {
    await root.send(new sdk.RemoveUserFromGroupCommand({ GroupName: "crew", UserName }));
  }
  await root.send(new sdk.RemoveUserFromGroupCommand({ GroupName: "crew", UserName: "a" })); // who has left already
  await root.send(new sdk.DeleteGroupCommand({ GroupName: "crew" }));
  assert.deepEqual((await root.send(new sdk.ListGroupsCommand({}))).Groups, []);
});

test("a user is in at most ten groups", async () => {
  await using system = await iamSystem();
  await system.root.send(new sdk.CreateUserCommand({ UserName: "u" }));
  for (let index = 0; index <= 10; index++) {
    await system.root.send(new sdk.CreateGroupCommand({ GroupName: `g${index}` }));
    const added = system.root.send(new sdk.AddUserToGroupCommand({ GroupName: `g${index}`, UserName: "u" }));
    if (index < 10) await added;
    else await assert.rejects(added, { message: "Cannot exceed quota for GroupsPerUser: 10" });
  }
});

test("group policies are the group's own", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await root.send(new sdk.CreateGroupCommand({ GroupName: "g" }));
  const PolicyDocument = policy("Allow", "s3:*");
  await root.send(new sdk.PutGroupPolicyCommand({ GroupName: "g", PolicyName: "p", PolicyDocument }));
  const got = await root.send(new sdk.GetGroupPolicyCommand({ GroupName: "g", PolicyName: "p" }));
  assert.equal(decodeURIComponent(got.PolicyDocument!), PolicyDocument);
  await assert.rejects(root.send(new sdk.DeleteGroupCommand({ GroupName: "g" })), {
    message: "Cannot delete entity, must delete policies first.",
  });
  await assert.rejects(root.send(new sdk.DeleteGroupPolicyCommand({ GroupName: "g", PolicyName: "q" })), {
    message: "The group policy with name q cannot be found.",
  });
});

test("accounts do not see each other; an alias is one account's", async () => {
  await using system = await iamSystem();
  const other = system.client(rootPrincipal("999999999999"), { accountId: "999999999999", region: REGION });
  await system.root.send(new sdk.CreateGroupCommand({ GroupName: "g" }));
  await assert.rejects(other.send(new sdk.GetGroupCommand({ GroupName: "g" })), { name: "NoSuchEntityException" });
  await system.root.send(new sdk.CreateAccountAliasCommand({ AccountAlias: "mine" }));
  await assert.rejects(other.send(new sdk.CreateAccountAliasCommand({ AccountAlias: "mine" })), {
    name: "EntityAlreadyExistsException",
  });
  assert.deepEqual((await system.root.send(new sdk.ListAccountAliasesCommand({}))).AccountAliases, ["mine"]);
  assert.deepEqual((await other.send(new sdk.ListAccountAliasesCommand({}))).AccountAliases, []);
  await assert.rejects(other.send(new sdk.DeleteAccountAliasCommand({ AccountAlias: "mine" })), {
    name: "NoSuchEntityException",
  });
  assert.equal((await system.root.send(new sdk.GetAccountSummaryCommand({}))).SummaryMap?.Groups, 1);
});
