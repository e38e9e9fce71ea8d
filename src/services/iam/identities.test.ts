import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { servicePrincipal } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "./identities.ts";
import { keyOf } from "./store/entities.ts";
import type { Tables } from "./store/tables.ts";
import { aRole, aUser, iamSystem, policy, roleArn } from "./testing.ts";

/** On PostgreSQL a process hears of its own changes again a moment later, and forgets once more. */
const ONE_PROCESS = { database: ":memory:" };
const NOW = new Date("2026-01-01T00:00:00Z");

/** Changes the database behind IAM's back: only what is not cached can notice. */
function tables(system: TestSystem) {
  return system.db.withTables<Tables>();
}

test("a key that was authenticated needs no database until IAM changes something", async () => {
  await using system = await iamSystem(ONE_PROCESS);
  const { accessKeyId } = await aUser(system, "dev", policy("Allow", "iam:*"));
  await tables(system).deleteFrom("iam_access_keys").execute();
  const cached = await system.identities.authenticate(accessKeyId, undefined, NOW);
  assert.ok(typeof cached === "object" && cached.principal.arn === `arn:aws:iam::${ACCOUNT}:user/dev`);

  await system.root.send(new sdk.CreateGroupCommand({ GroupName: "any" }));
  assert.equal(await system.identities.authenticate(accessKeyId, undefined, NOW), "unknown");
});

test("policies are cached, and forgotten with the account's next change", async () => {
  await using system = await iamSystem(ONE_PROCESS);
  const { client } = await aUser(system, "dev", policy("Allow", "iam:ListGroups"));
  await client.send(new sdk.ListGroupsCommand({}));
  await tables(system).deleteFrom("iam_inline_policies").execute();
  await client.send(new sdk.ListGroupsCommand({}));
  await system.root.send(new sdk.CreateGroupCommand({ GroupName: "any" }));
  await assert.rejects(client.send(new sdk.ListGroupsCommand({})), { name: "AccessDenied" });
});

test("what another account changes leaves this one's cache alone", async () => {
  await using system = await iamSystem(ONE_PROCESS);
  const { accessKeyId } = await aUser(system, "dev");
  await tables(system).deleteFrom("iam_access_keys").execute();
  system.bus.publish("iam", "999999999999");
  assert.equal(typeof (await system.identities.authenticate(accessKeyId, undefined, NOW)), "object");
});

test("keys that are unknown, inactive or deleted do not authenticate", async () => {
  await using system = await iamSystem();
  const { accessKeyId } = await aUser(system, "dev");
  const authenticated = () => system.identities.authenticate(accessKeyId, undefined, NOW);
  assert.equal(await system.identities.authenticate("AKIAIOSFODNN7EXAMPLE", undefined, NOW), "unknown");
  await system.root.send(
    new sdk.UpdateAccessKeyCommand({ UserName: "dev", AccessKeyId: accessKeyId, Status: "Inactive" }),
  );
  assert.equal(await authenticated(), "unknown");
  await system.root.send(
    new sdk.UpdateAccessKeyCommand({ UserName: "dev", AccessKeyId: accessKeyId, Status: "Active" }),
  );
  const expire = new sdk.UpdateAccessKeyCommand({ UserName: "dev", AccessKeyId: accessKeyId, Status: "Expired" });
  await assert.rejects(system.root.send(expire), { name: "InvalidInputException" });
  assert.equal(typeof (await authenticated()), "object");
  await system.root.send(new sdk.DeleteAccessKeyCommand({ UserName: "dev", AccessKeyId: accessKeyId }));
  assert.equal(await authenticated(), "unknown");
});

test("secrets are stored sealed", async () => {
  await using system = await iamSystem();
  await system.root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  const { AccessKey } = await system.root.send(new sdk.CreateAccessKeyCommand({ UserName: "dev" }));
  const row = await tables(system).selectFrom("iam_access_keys").selectAll().executeTakeFirstOrThrow();
  assert.ok(!JSON.stringify(row).includes(AccessKey!.SecretAccessKey!));
  const known = await system.identities.authenticate(AccessKey!.AccessKeyId!, undefined, NOW);
  assert.ok(typeof known === "object");
  assert.equal(known.secretAccessKey, AccessKey!.SecretAccessKey);
});

async function roleSession(system: TestSystem, name: string) {
  const codebuild = system.client(servicePrincipal("codebuild.amazonaws.com", ACCOUNT), {
    accountId: ACCOUNT,
    region: REGION,
  });
  const answer = await codebuild.send(new AssumeRoleCommand({ RoleArn: roleArn(name), RoleSessionName: "build" }));
  return answer.Credentials!;
}

test("a session token holds for its own key only, on every process, until it expires", async () => {
  await using system = await iamSystem();
  system.setNow(NOW);
  await aRole(system, "builder");
  const { AccessKeyId, SessionToken, SecretAccessKey, Expiration } = await roleSession(system, "builder");
  const restarted = new IamIdentities(system);
  const known = await restarted.authenticate(AccessKeyId!, SessionToken!, NOW);
  assert.ok(typeof known === "object");
  assert.equal(known.secretAccessKey, SecretAccessKey);
  assert.equal(known.principal.roleArn, roleArn("builder"));
  assert.equal(await restarted.authenticate("ASIAIOSFODNN7EXAMPLE", SessionToken!, NOW), "invalid-token");
  assert.equal(await restarted.authenticate(AccessKeyId!, `A${SessionToken}`, NOW), "invalid-token");
  assert.equal(await restarted.authenticate(AccessKeyId!, "nonsense", NOW), "invalid-token");
  assert.equal(await restarted.authenticate(AccessKeyId!, undefined, NOW), "unknown");
  assert.equal(await restarted.authenticate(AccessKeyId!, SessionToken!, Expiration!), "expired");
});

test("the sessions of a deleted role are denied everything, also when one of its name is made anew", async () => {
  await using system = await iamSystem();
  await aRole(system, "builder");
  const attach = new sdk.AttachRolePolicyCommand({
    RoleName: "builder",
    PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
  });
  await system.root.send(attach);
  const principal = await system.principalOf(await roleSession(system, "builder"));
  const client = system.client(principal, { accountId: ACCOUNT, region: REGION });
  await client.send(new sdk.ListRolesCommand({}));

  const { RoleName, PolicyArn } = attach.input;
  await system.root.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn }));
  await system.root.send(new sdk.DeleteRoleCommand({ RoleName }));
  await assert.rejects(client.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
  await aRole(system, "builder");
  await system.root.send(attach);
  await assert.rejects(client.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
});

test("policies are those of the user, inline and attached, and of its groups, within the boundary", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const { client } = await aUser(system, "dev", policy("Allow", "iam:ListGroups"));
  await root.send(new sdk.CreateGroupCommand({ GroupName: "Team" }));
  await root.send(
    new sdk.PutGroupPolicyCommand({
      GroupName: "team",
      PolicyName: "g",
      PolicyDocument: policy("Allow", "iam:ListRoles"),
    }),
  );
  await assert.rejects(client.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
  await root.send(new sdk.AddUserToGroupCommand({ GroupName: "TEAM", UserName: "Dev" }));
  await client.send(new sdk.ListRolesCommand({}));

  const created = await root.send(
    new sdk.CreatePolicyCommand({ PolicyName: "users", PolicyDocument: policy("Allow", "iam:ListUsers") }),
  );
  const PolicyArn = created.Policy!.Arn;
  await root.send(new sdk.AttachUserPolicyCommand({ UserName: "dev", PolicyArn }));
  await client.send(new sdk.ListUsersCommand({}));

  await root.send(new sdk.PutUserPermissionsBoundaryCommand({ UserName: "dev", PermissionsBoundary: PolicyArn }));
  await client.send(new sdk.ListUsersCommand({}));
  await assert.rejects(client.send(new sdk.ListRolesCommand({})), /no permissions boundary allows/);
});

test("a boundary that is not there allows nothing", async () => {
  await using system = await iamSystem();
  const { client } = await aUser(system, "dev", policy("Allow", "iam:*"));
  const boundary_arn = `arn:aws:iam::${ACCOUNT}:policy/gone`;
  await tables(system).updateTable("iam_entities").set({ boundary_arn }).where("name_key", "=", "dev").execute();
  await assert.rejects(client.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
});

test("a denial names the managed policy that it is by, and no inline one", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const { client } = await aUser(system, "dev", policy("Allow", "iam:*"));
  const PolicyDocument = policy("Deny", "iam:ListRoles");
  const create = (PolicyName: string) => root.send(new sdk.CreatePolicyCommand({ PolicyName, PolicyDocument }));
  const denied = () => client.send(new sdk.ListRolesCommand({}));
  const [one, other] = [(await create("one")).Policy!.Arn, (await create("other")).Policy!.Arn];

  await root.send(new sdk.PutUserPermissionsBoundaryCommand({ UserName: "dev", PermissionsBoundary: one }));
  await assert.rejects(denied(), new RegExp(` with an explicit deny in a permissions boundary: ${one}$`));
  // Its text is that of the boundary.
  await root.send(new sdk.AttachUserPolicyCommand({ UserName: "dev", PolicyArn: other }));
  await assert.rejects(denied(), new RegExp(` with an explicit deny in an identity-based policy: ${other}$`));
  await root.send(new sdk.DetachUserPolicyCommand({ UserName: "dev", PolicyArn: other }));
  await root.send(new sdk.AttachUserPolicyCommand({ UserName: "dev", PolicyArn: one }));
  await assert.rejects(denied(), new RegExp(` with an explicit deny in an identity-based policy: ${one}$`));
  await root.send(new sdk.DetachUserPolicyCommand({ UserName: "dev", PolicyArn: one }));
  await root.send(new sdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "inline", PolicyDocument }));
  await assert.rejects(denied(), / with an explicit deny in an identity-based policy$/);
});

test("when a key was used is written down", async () => {
  await using system = await iamSystem();
  const { accessKeyId } = await aUser(system, "dev");
  const lastUsed = async () => {
    const answer = await system.root.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId }));
    return answer.AccessKeyLastUsed;
  };
  assert.deepEqual(await lastUsed(), { LastUsedDate: undefined, ServiceName: "N/A", Region: "N/A" });
  system.identities.recordUse?.(accessKeyId, "s3", "eu-west-1", NOW);
  assert.deepEqual(await lastUsed(), { LastUsedDate: NOW, ServiceName: "s3", Region: "eu-west-1" });
});

test("the use of a key is not lost with a transaction that asked for it, nor put in place of a later one", async () => {
  await using system = await iamSystem();
  const { accessKeyId } = await aUser(system, "dev");
  const lastUsed = async (client = system.root) => {
    const answer = await client.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId }));
    return answer.AccessKeyLastUsed?.LastUsedDate;
  };
  system.identities.recordUse?.(accessKeyId, "s3", REGION, NOW);
  await assert.rejects(
    inTransaction(system.db, async (trx) => {
      assert.deepEqual(await lastUsed(system.root.within(trx)), NOW);
      throw new Error("rolled back");
    }),
    /rolled back/,
  );
  assert.deepEqual(await lastUsed(), NOW);
  const otherProcess = new IamIdentities(system);
  otherProcess.recordUse(accessKeyId, "ecr", REGION, new Date(NOW.getTime() - 1_000));
  await otherProcess.stop();
  assert.deepEqual(await lastUsed(), NOW);
});

test("names are the same whatever their case", () => {
  assert.equal(keyOf("CodeBuild-Role"), keyOf("codebuild-role"));
});
