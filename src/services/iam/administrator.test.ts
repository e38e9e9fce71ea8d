import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { ensureAdministrator } from "./administrator.ts";
import type { Tables } from "./store/tables.ts";
import { clientOf, iamSystem } from "./testing.ts";

const UserName = "administrator";
const UNKNOWN = /are unknown/;

function fileOf(system: TestSystem): Record<string, string> {
  return JSON.parse(readFileSync(join(system.config.dataDir, "administrator.json"), "utf8"));
}

async function emptied(system: TestSystem): Promise<void> {
  for (const table of ["iam_access_keys", "iam_attachments", "iam_entities"] as const) {
    await system.db.withTables<Tables>().deleteFrom(table).execute();
  }
}

test("the administrator is made once and may do everything", async () => {
  await using system = await iamSystem();
  const key = await ensureAdministrator(system);
  assert.match(key.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
  assert.equal(key.secretAccessKey.length, 40);
  assert.deepEqual(await ensureAdministrator(system), key);
  const client = await clientOf(system, { AccessKeyId: key.accessKeyId });
  assert.equal((await client.send(new sdk.GetAccountSummaryCommand({}))).SummaryMap?.Users, 1);
});

test("the file beside the database names the key and has no secret, unless resets are allowed", async () => {
  await using system = await iamSystem();
  const key = await ensureAdministrator(system);
  assert.deepEqual(fileOf(system), { accessKeyId: key.accessKeyId });
  assert.equal(statSync(join(system.config.dataDir, "administrator.json")).mode & 0o777, 0o600);
  await ensureAdministrator({ ...system, config: { ...system.config, allowReset: true } });
  assert.deepEqual(fileOf(system), key);
  await ensureAdministrator(system);
  assert.deepEqual(fileOf(system), { accessKeyId: key.accessKeyId });
});

test("the key comes back after a reset, and only then", async () => {
  await using own = await iamSystem();
  const system = { ...own, config: { ...own.config, allowReset: true } };
  const key = await ensureAdministrator(system);
  await emptied(own);
  assert.deepEqual(await ensureAdministrator(system, { restored: true }), key);
  await emptied(own);
  const other = await ensureAdministrator(system);
  assert.notEqual(other.accessKeyId, key.accessKeyId);
  assert.notEqual(other.secretAccessKey, key.secretAccessKey);
});

test("a start after the only key was deleted or made inactive makes another one, and the old one stays away", async () => {
  await using system = await iamSystem();
  const first = await ensureAdministrator(system);
  await system.root.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId }));
  const second = await ensureAdministrator(system);
  assert.notEqual(second.accessKeyId, first.accessKeyId);
  await assert.rejects(clientOf(system, { AccessKeyId: first.accessKeyId }), UNKNOWN);

  const inactive = { UserName, AccessKeyId: second.accessKeyId, Status: "Inactive" } as const;
  await system.root.send(new sdk.UpdateAccessKeyCommand(inactive));
  const third = await ensureAdministrator(system);
  assert.notEqual(third.accessKeyId, second.accessKeyId);
  await assert.rejects(clientOf(system, { AccessKeyId: second.accessKeyId }), UNKNOWN);
  assert.deepEqual(await ensureAdministrator(system), third);
});

test("a start after the user was deleted makes it anew, with another key", async () => {
  await using system = await iamSystem();
  const first = await ensureAdministrator(system);
  await system.root.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId }));
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await system.root.send(new sdk.DetachUserPolicyCommand({ UserName, PolicyArn }));
  await system.root.send(new sdk.DeleteUserCommand({ UserName }));
  const second = await ensureAdministrator(system);
  assert.notEqual(second.accessKeyId, first.accessKeyId);
  const client = await clientOf(system, { AccessKeyId: second.accessKeyId });
  await client.send(new sdk.GetAccountSummaryCommand({}));
});

test("of two active keys the remembered one is the administrator's own; without it, the newest", async () => {
  await using system = await iamSystem();
  const first = await ensureAdministrator(system);
  const { AccessKey } = await system.root.send(new sdk.CreateAccessKeyCommand({ UserName }));
  assert.deepEqual(await ensureAdministrator(system), first);
  await system.root.send(new sdk.DeleteAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId }));
  assert.deepEqual(await ensureAdministrator(system), {
    accessKeyId: AccessKey!.AccessKeyId,
    secretAccessKey: AccessKey!.SecretAccessKey,
  });
});
