import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { iamSystem } from "./testing.ts";

const NAME = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
const PATH = "It must begin and end with / and contain only alphanumeric characters and/or / characters.";
const PREFIX = "It must begin with the / character and contain only alphanumeric characters and/or / characters.";

test("names and paths that are not such are refused in IAM's own words", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const refusals: [() => Promise<unknown>, string][] = [
    [() => root.send(new sdk.CreateUserCommand({ UserName: "a b" })), `userName is invalid. ${NAME}`],
    [() => root.send(new sdk.CreateGroupCommand({ GroupName: "g", Path: "team/" })), `path is invalid. ${PATH}`],
    [() => root.send(new sdk.UpdateUserCommand({ UserName: "u", NewPath: "/team" })), `newPath is invalid. ${PATH}`],
    [() => root.send(new sdk.ListPoliciesCommand({ PathPrefix: "/team" })), `pathPrefix is invalid. ${PREFIX}`],
  ];
  for (const [call, sentence] of refusals) {
    await assert.rejects(call, { name: "ValidationError", message: `The specified value for ${sentence}` });
  }
});

test("what has no sentence of its own is worded as elsewhere", async () => {
  await using system = await iamSystem();
  const UserName = "u".repeat(65);
  await assert.rejects(system.root.send(new sdk.CreateUserCommand({ UserName })), {
    name: "ValidationError",
    message: `1 validation error detected: Value '${UserName}' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64`,
  });
});
