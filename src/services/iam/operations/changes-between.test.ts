/** What is changed while somebody else changes what it is about: it holds, or it is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { withChangeAfter } from "#tests/helpers/change-after.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { iamSystem, policy, trust } from "../testing.ts";

interface Case {
  readonly name: string;
  prepare(client: Client): Promise<unknown>;
  act(client: Client): Promise<unknown>;
  takeAway(client: Client): Promise<unknown>;
  /** Throws where something is left that should not be. */
  check(client: Client): Promise<unknown>;
}

const UserName = "dev";
const RoleName = "builder";
const InstanceProfileName = "profile";
const PolicyArn = `arn:aws:iam::${ACCOUNT}:policy/bounds`;
const AssumeRolePolicyDocument = trust("ec2.amazonaws.com");

const aBoundary = (client: Client) =>
  client.send(new sdk.CreatePolicyCommand({ PolicyName: "bounds", PolicyDocument: policy("Allow", "s3:*") }));
const withoutBoundary = (client: Client) => client.send(new sdk.DeletePolicyCommand({ PolicyArn }));

async function boundariesExist(client: Client): Promise<void> {
  const { UserDetailList, RoleDetailList } = await client.send(new sdk.GetAccountAuthorizationDetailsCommand({}));
  for (const { PermissionsBoundary } of [...UserDetailList!, ...RoleDetailList!]) {
    if (!PermissionsBoundary) continue;
    await client.send(new sdk.GetPolicyCommand({ PolicyArn: PermissionsBoundary.PermissionsBoundaryArn }));
  }
}

const CASES: readonly Case[] = [
  {
    name: "a user is bounded by a policy that is deleted",
    async prepare(client) {
      await aBoundary(client);
      await client.send(new sdk.CreateUserCommand({ UserName }));
    },
    act: (client) =>
      client.send(new sdk.PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: PolicyArn })),
    takeAway: withoutBoundary,
    check: boundariesExist,
  },
  {
    name: "a user is made with a boundary that is deleted",
    prepare: aBoundary,
    act: (client) => client.send(new sdk.CreateUserCommand({ UserName, PermissionsBoundary: PolicyArn })),
    takeAway: withoutBoundary,
    check: boundariesExist,
  },
  {
    name: "a role is made with a boundary that is deleted",
    prepare: aBoundary,
    act: (client) =>
      client.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, PermissionsBoundary: PolicyArn })),
    takeAway: withoutBoundary,
    check: boundariesExist,
  },
  {
    name: "a role that gets into an instance profile is deleted",
    async prepare(client) {
      await client.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
      await client.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName }));
    },
    act: (client) => client.send(new sdk.AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName })),
    takeAway: (client) => client.send(new sdk.DeleteRoleCommand({ RoleName })),
    async check(client) {
      const { InstanceProfile } = await client.send(new sdk.GetInstanceProfileCommand({ InstanceProfileName }));
      // One that is empty to look at is so in truth.
      if (InstanceProfile!.Roles!.length > 0) return;
      await client.send(new sdk.DeleteInstanceProfileCommand({ InstanceProfileName }));
    },
  },
  {
    name: "all users' credentials are listed while a user and its credential are deleted",
    async prepare(client) {
      await client.send(new sdk.CreateUserCommand({ UserName }));
      await client.send(
        new sdk.CreateServiceSpecificCredentialCommand({ UserName, ServiceName: "logs.amazonaws.com" }),
      );
    },
    act: (client) => client.send(new sdk.ListServiceSpecificCredentialsCommand({ AllUsers: true })),
    async takeAway(client) {
      const list = new sdk.ListServiceSpecificCredentialsCommand({ UserName });
      const [credential] = (await client.send(list)).ServiceSpecificCredentials!;
      const { ServiceSpecificCredentialId } = credential!;
      await client.send(new sdk.DeleteServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId }));
      await client.send(new sdk.DeleteUserCommand({ UserName }));
    },
    check: async () => undefined,
  },
];

describe("it holds or is refused where", () => {
  for (const { name, prepare, act, takeAway, check } of CASES) {
    it(name, async () => {
      for (let n = 1; ; n++) {
        await using system = await iamSystem();
        await prepare(system.root);
        // At once, so that there is nothing between the parts of it. What the act has made stands in its way later.
        const change = () =>
          inTransaction(system.db, (trx) => takeAway(system.root.within(trx))).catch(() => undefined);
        const beside = withChangeAfter(system.db, n, change);
        const scope = { accountId: ACCOUNT, region: REGION, db: beside.db };
        const outcome = await act(system.client(rootPrincipal(ACCOUNT, ACCOUNT), scope)).catch((error) => error);
        assert.ok(!(outcome instanceof Error) || outcome instanceof sdk.IAMServiceException, `${n}: ${outcome}`);
        if (!beside.changed) {
          assert.ok(n > 1, "so few queries have nothing between them");
          break;
        }
        await beside.changed;
        await check(system.root);
      }
    });
  }
});
