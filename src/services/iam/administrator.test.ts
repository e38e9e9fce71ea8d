import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GetAccountSummaryCommand } from "@aws-sdk/client-iam";
import { ensureAdministrator } from "./administrator.ts";
import type { Tables } from "./store/tables.ts";
import { clientOf, iamSystem } from "./testing.ts";

test("the administrator is made once and may do everything", async () => {
  await using system = await iamSystem();
  const key = await ensureAdministrator(system);
  assert.match(key.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
  assert.equal(key.secretAccessKey.length, 40);
  assert.deepEqual(await ensureAdministrator(system), key);
  const client = await clientOf(system, { AccessKeyId: key.accessKeyId });
  assert.equal((await client.send(new GetAccountSummaryCommand({}))).SummaryMap?.Users, 1);
});

test("its key is kept in a file for its owner only, and comes back after the tables were emptied", async () => {
  await using system = await iamSystem();
  const key = await ensureAdministrator(system);
  assert.equal(statSync(join(system.config.dataDir, "administrator.json")).mode & 0o777, 0o600);
  for (const table of ["iam_access_keys", "iam_attachments", "iam_entities"] as const) {
    await system.db.withTables<Tables>().deleteFrom(table).execute();
  }
  assert.deepEqual(await ensureAdministrator(system), key);
  await clientOf(system, { AccessKeyId: key.accessKeyId });
});
