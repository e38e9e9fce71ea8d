import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { aUser, iamSystem, policy } from "../testing.ts";

const document = policy("Allow", "s3:*");

test("a path begins and ends with a slash", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const refused = (member: string) => ({
    name: "ValidationError",
    message: `The specified value for ${member} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.`,
  });
  const PolicyDocument = document;
  for (const Path of ["team", "team/", "/team", "x/team/", "/a team/"]) {
    await assert.rejects(root.send(new sdk.CreateUserCommand({ UserName: "dev", Path })), refused("path"), Path);
    const create = new sdk.CreatePolicyCommand({ PolicyName: "p", Path, PolicyDocument });
    await assert.rejects(root.send(create), refused("path"), Path);
  }
  await root.send(new sdk.CreateUserCommand({ UserName: "dev", Path: "/team/" }));
  const move = new sdk.UpdateUserCommand({ UserName: "dev", NewPath: "team/" });
  await assert.rejects(root.send(move), refused("newPath"));
});

test("a user is made, read, listed, renamed and deleted", async () => {
  await using system = await iamSystem();
  const { root } = system;
  system.setNow(new Date("2026-01-02T03:04:05Z"));
  const { User } = await root.send(
    new sdk.CreateUserCommand({ UserName: "Dev", Path: "/team/", Tags: [{ Key: "a", Value: "1" }] }),
  );
  assert.match(User!.UserId!, /^AIDA[A-Z2-7]{17}$/);
  assert.deepEqual(User, {
    Path: "/team/",
    UserName: "Dev",
    UserId: User!.UserId,
    Arn: `arn:aws:iam::${ACCOUNT}:user/team/Dev`,
    CreateDate: new Date("2026-01-02T03:04:05Z"),
    Tags: [{ Key: "a", Value: "1" }],
  });
  assert.deepEqual((await root.send(new sdk.GetUserCommand({ UserName: "dev" }))).User, User);

  await root.send(new sdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "p", PolicyDocument: document }));
  await root.send(new sdk.UpdateUserCommand({ UserName: "dev", NewUserName: "ops", NewPath: "/other/" }));
  const renamed = await root.send(new sdk.GetUserCommand({ UserName: "ops" }));
  assert.equal(renamed.User?.Arn, `arn:aws:iam::${ACCOUNT}:user/other/ops`);
  assert.equal(renamed.User?.UserId, User!.UserId);
  assert.deepEqual((await root.send(new sdk.ListUserPoliciesCommand({ UserName: "ops" }))).PolicyNames, ["p"]);
  assert.equal((await root.send(new sdk.ListUsersCommand({ PathPrefix: "/team/" }))).Users?.length, 0);
  assert.equal((await root.send(new sdk.ListUsersCommand({ PathPrefix: "/other/" }))).Users?.length, 1);

  await root.send(new sdk.DeleteUserPolicyCommand({ UserName: "ops", PolicyName: "p" }));
  await root.send(new sdk.DeleteUserCommand({ UserName: "ops" }));
  await assert.rejects(root.send(new sdk.GetUserCommand({ UserName: "ops" })), {
    name: "NoSuchEntityException",
    message: "The user with name ops cannot be found.",
  });
});

test("GetUser without a name is the caller", async () => {
  await using system = await iamSystem();
  const { client } = await aUser(system, "dev", policy("Allow", "iam:GetUser", "arn:aws:iam::*:user/dev"));
  assert.equal((await client.send(new sdk.GetUserCommand({}))).User?.UserName, "dev");
  assert.equal((await system.root.send(new sdk.GetUserCommand({}))).User?.Arn, `arn:aws:iam::${ACCOUNT}:root`);
});

test("names are taken whatever their case, and per account", async () => {
  await using system = await iamSystem();
  await system.root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  await assert.rejects(system.root.send(new sdk.CreateUserCommand({ UserName: "DEV" })), {
    name: "EntityAlreadyExistsException",
    message: "User with name DEV already exists.",
  });
  await system.root.send(new sdk.CreateUserCommand({ UserName: "ops" }));
  await assert.rejects(system.root.send(new sdk.UpdateUserCommand({ UserName: "ops", NewUserName: "dev" })), {
    name: "EntityAlreadyExistsException",
  });
});

test("a user with policies, keys or groups is not deleted", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const { accessKeyId } = await aUser(system, "dev", document);
  const conflict = (message: string) =>
    assert.rejects(root.send(new sdk.DeleteUserCommand({ UserName: "dev" })), {
      name: "DeleteConflictException",
      message,
    });
  await root.send(new sdk.CreateGroupCommand({ GroupName: "g" }));
  await root.send(new sdk.AddUserToGroupCommand({ GroupName: "g", UserName: "dev" }));
  await conflict("Cannot delete entity, must remove users from group first.");
  await root.send(new sdk.RemoveUserFromGroupCommand({ GroupName: "g", UserName: "dev" }));
  await conflict("Cannot delete entity, must delete policies first.");
  await root.send(new sdk.DeleteUserPolicyCommand({ UserName: "dev", PolicyName: "own" }));
  await conflict("Cannot delete entity, must delete access keys first.");
  await root.send(new sdk.DeleteAccessKeyCommand({ UserName: "dev", AccessKeyId: accessKeyId }));
  await root.send(new sdk.DeleteUserCommand({ UserName: "dev" }));
});

test("lists come in pages in the order of names", async () => {
  await using system = await iamSystem();
  for (const UserName of ["c", "A", "b"]) await system.root.send(new sdk.CreateUserCommand({ UserName }));
  const first = await system.root.send(new sdk.ListUsersCommand({ MaxItems: 2 }));
  assert.deepEqual([first.Users?.map((user) => user.UserName), first.IsTruncated], [["A", "b"], true]);
  const second = await system.root.send(new sdk.ListUsersCommand({ MaxItems: 2, Marker: first.Marker }));
  assert.deepEqual([second.Users?.map((user) => user.UserName), second.IsTruncated], [["c"], false]);
  await assert.rejects(system.root.send(new sdk.ListUsersCommand({ Marker: "AAAA" })), { name: "ValidationError" });
});

test("a user has at most two access keys, and they are its own", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const { accessKeyId, client } = await aUser(system, "dev", policy("Allow", "iam:*AccessKey*"));
  await aUser(system, "other");
  await client.send(new sdk.CreateAccessKeyCommand({}));
  await assert.rejects(client.send(new sdk.CreateAccessKeyCommand({})), {
    name: "LimitExceededException",
    message: "Cannot exceed quota for AccessKeysPerUser: 2",
  });
  assert.equal((await client.send(new sdk.ListAccessKeysCommand({}))).AccessKeyMetadata?.length, 2);
  await assert.rejects(root.send(new sdk.DeleteAccessKeyCommand({ UserName: "other", AccessKeyId: accessKeyId })), {
    name: "NoSuchEntityException",
    message: `The Access Key with id ${accessKeyId} cannot be found.`,
  });
  await assert.rejects(root.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId: "AKIAIOSFODNN7EXAMPLE" })), {
    name: "NoSuchEntityException",
  });
});

test("bad names are refused before anything is made", async () => {
  await using system = await iamSystem();
  await assert.rejects(system.root.send(new sdk.CreateUserCommand({ UserName: "a b" })), { name: "ValidationError" });
  await assert.rejects(system.root.send(new sdk.CreateUserCommand({ UserName: undefined })), {
    name: "ValidationError",
  });
  assert.deepEqual((await system.root.send(new sdk.ListUsersCommand({}))).Users, []);
});
