/** Every change of what a principal may do holds from the next call on, in this process and in another on the same database. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { evaluate } from "#gateway/authz/evaluate.ts";
import type { Principal } from "#gateway/context.ts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "./identities.ts";
import { aUser, iamSystem, policy } from "./testing.ts";

const ALLOWING = policy("Allow", "iam:ListGroups");
const DENYING = policy("Deny", "iam:*");
const NOTHING = policy("Allow", "s3:ListAllMyBuckets");
const POLICY = `arn:aws:iam::${ACCOUNT}:policy/p`;
const UserName = "dev";

type Change = (send: TestSystem["root"]["send"]) => Promise<unknown>;

const createPolicy: Change = (send) => send(new sdk.CreatePolicyCommand({ PolicyName: "p", PolicyDocument: ALLOWING }));
const attach: Change = async (send) => {
  await createPolicy(send);
  await send(new sdk.AttachUserPolicyCommand({ UserName, PolicyArn: POLICY }));
};
const joinGroup: Change = async (send) => {
  await send(new sdk.CreateGroupCommand({ GroupName: "g" }));
  await send(new sdk.AddUserToGroupCommand({ GroupName: "g", UserName }));
};
const putOwn = (PolicyDocument: string): Change => {
  return (send) => send(new sdk.PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
};
const putGroups = (PolicyDocument: string): Change => {
  return (send) => send(new sdk.PutGroupPolicyCommand({ GroupName: "g", PolicyName: "own", PolicyDocument }));
};
const bound = (PolicyDocument: string): Change => {
  return async (send) => {
    await send(new sdk.CreatePolicyCommand({ PolicyName: "bound", PolicyDocument }));
    const PermissionsBoundary = `arn:aws:iam::${ACCOUNT}:policy/bound`;
    await send(new sdk.PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary }));
  };
};

/** Whether the user may list groups before and after the last change. */
const CHANGES: readonly [
  what: string,
  before: readonly Change[],
  change: Change,
  may: [before: boolean, after: boolean],
][] = [
  ["an inline policy is put", [], putOwn(ALLOWING), [false, true]],
  ["an inline policy is replaced", [putOwn(ALLOWING)], putOwn(NOTHING), [true, false]],
  [
    "an inline policy is deleted",
    [putOwn(ALLOWING)],
    (send) => send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: "own" })),
    [true, false],
  ],
  ["a managed policy is attached", [], attach, [false, true]],
  [
    "a managed policy is detached",
    [attach],
    (send) => send(new sdk.DetachUserPolicyCommand({ UserName, PolicyArn: POLICY })),
    [true, false],
  ],
  [
    "a managed policy gets another default version",
    [attach],
    (send) =>
      send(new sdk.CreatePolicyVersionCommand({ PolicyArn: POLICY, PolicyDocument: DENYING, SetAsDefault: true })),
    [true, false],
  ],
  [
    "the default version is set back",
    [
      attach,
      (send) =>
        send(new sdk.CreatePolicyVersionCommand({ PolicyArn: POLICY, PolicyDocument: DENYING, SetAsDefault: true })),
    ],
    (send) => send(new sdk.SetDefaultPolicyVersionCommand({ PolicyArn: POLICY, VersionId: "v1" })),
    [false, true],
  ],
  ["the user's group gets a policy", [joinGroup], putGroups(ALLOWING), [false, true]],
  ["the user's group loses a policy", [joinGroup, putGroups(ALLOWING)], putGroups(NOTHING), [true, false]],
  [
    "the user leaves the group",
    [joinGroup, putGroups(ALLOWING)],
    (send) => send(new sdk.RemoveUserFromGroupCommand({ GroupName: "g", UserName })),
    [true, false],
  ],
  ["a boundary is set", [putOwn(ALLOWING)], bound(NOTHING), [true, false]],
  [
    "a boundary is taken away",
    [putOwn(ALLOWING), bound(NOTHING)],
    (send) => send(new sdk.DeleteUserPermissionsBoundaryCommand({ UserName })),
    [false, true],
  ],
  [
    "a boundary's policy changes",
    [putOwn(ALLOWING), bound(NOTHING)],
    (send) =>
      send(
        new sdk.CreatePolicyVersionCommand({
          PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/bound`,
          PolicyDocument: ALLOWING,
          SetAsDefault: true,
        }),
      ),
    [false, true],
  ],
];

suite("takes effect at once, here and in another process:", () => {
  for (const [what, before, change, [mayBefore, mayAfter]] of CHANGES) {
    test(what, async () => {
      await using system = await iamSystem({ database: ":memory:" });
      const { accessKeyId } = await aUser(system, UserName);
      const principal = await system.principalOf({ AccessKeyId: accessKeyId });
      // A second cache on the same database and bus knows only what it is told.
      const elsewhere = new IamIdentities(system);
      const send = system.root.send.bind(system.root);
      const decided = async () => [
        await may(system.identities, principal, system),
        await may(elsewhere, principal, system),
      ];
      for (const earlier of before) await earlier(send);
      assert.deepEqual(await decided(), [mayBefore, mayBefore]);
      await change(send);
      assert.deepEqual(await decided(), [mayAfter, mayAfter]);
      await elsewhere.stop();
    });
  }
});

async function may(identities: TestSystem["identities"], principal: Principal, { db }: TestSystem): Promise<boolean> {
  const policies = await identities.policiesOf(principal, db);
  const request = { action: "iam:ListGroups", resource: "*", resourceAccountId: ACCOUNT, principal, context: {} };
  return evaluate(request, policies).allowed;
}
