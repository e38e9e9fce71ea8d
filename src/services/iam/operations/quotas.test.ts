import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { inTransaction } from "#store/database.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { QUOTAS } from "../quotas.ts";
import { insertEntity } from "../store/entities.ts";
import { insertInstanceProfile } from "../store/instance-profiles.ts";
import { insertPolicy } from "../store/managed-policies.ts";
import { iamSystem, policy, trust } from "../testing.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const AssumeRolePolicyDocument = trust("ec2.amazonaws.com");

test("an account has as much of everything as AWS gives it", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const common = (name: string) => ({ accountId: ACCOUNT, name, path: "/", createdAt: NOW, tags: new Map() });
  const role = { trustPolicy: AssumeRolePolicyDocument, description: undefined, maxSessionDuration: 3600 };
  await inTransaction(system.db, async (trx) => {
    for (const [kind, count] of [
      ["user", QUOTAS.UsersQuota],
      ["group", QUOTAS.GroupsQuota],
      ["role", QUOTAS.RolesQuota],
    ] as const) {
      for (let n = 1; n < count; n++) {
        await insertEntity(trx, {
          ...common(`${kind}${n}`),
          kind,
          id: `${kind}${n}`,
          boundaryArn: undefined,
          role: kind === "role" ? { ...role, linkedService: undefined } : undefined,
        });
      }
    }
    for (let n = 1; n < QUOTAS.InstanceProfilesQuota; n++) {
      await insertInstanceProfile(trx, { ...common(`profile${n}`), id: `profile${n}`, roleName: undefined });
    }
    for (let n = 1; n < QUOTAS.PoliciesQuota; n++) {
      const name = `policy${n}`;
      const arn = `arn:aws:iam::${ACCOUNT}:policy/${name}`;
      const more = { arn, id: name, description: undefined, defaultVersionId: "v1", updatedAt: NOW };
      await insertPolicy(trx, ACCOUNT, { ...common(name), ...more }, policy("Allow", "s3:*"));
    }
  });
  const makings = [
    ["UsersPerAccount: 5000", (UserName: string) => root.send(new sdk.CreateUserCommand({ UserName }))],
    ["GroupsPerAccount: 300", (GroupName: string) => root.send(new sdk.CreateGroupCommand({ GroupName }))],
    [
      "RolesPerAccount: 1000",
      (RoleName: string) => root.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument })),
    ],
    [
      "InstanceProfilesPerAccount: 1000",
      (InstanceProfileName: string) => root.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName })),
    ],
    [
      "PoliciesPerAccount: 1500",
      (PolicyName: string) =>
        root.send(new sdk.CreatePolicyCommand({ PolicyName, PolicyDocument: policy("Allow", "s3:*") })),
    ],
  ] as const;
  for (const [quota, make] of makings) {
    await make("last");
    await assert.rejects(make("one-too-many"), {
      name: "LimitExceededException",
      message: `Cannot exceed quota for ${quota}`,
    });
  }
  // Service-linked roles alone may be more.
  await root.send(new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName: "ecs.amazonaws.com" }));
  const { SummaryMap } = await root.send(new sdk.GetAccountSummaryCommand({}));
  assert.deepEqual([SummaryMap?.Roles, SummaryMap?.RolesQuota], [1001, 1000]);
});
