/** On a whole Slipway in this process; a kill is an error at a step, which leaves the same files behind. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
} from "@aws-sdk/client-iam";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { type Slipway, startSlipway } from "#main";
import { writePrivateFile } from "#setup/private-file.ts";
import { type RunningFile, runningFilePath } from "./options.ts";
import { type Key, rotateKey } from "./rotate-key.ts";

let dataDir: string;
let slipway: Slipway;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "slipway-rotate-"));
  await start();
});
after(async () => {
  await slipway.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** As `slipway up` does it. */
async function start(): Promise<void> {
  const account = "111122223333";
  const region = "us-east-1";
  const options = { dataDir, port: 0, accountId: account, region, engine: () => new FakeEngine(), log: () => {} };
  slipway = await startSlipway(options);
  const { port } = slipway.system.config;
  const file = { pid: process.pid, url: slipway.url, port, account, region, caBundle: slipway.caBundleFile };
  writePrivateFile(runningFilePath(dataDir), { ...file, ...slipway.administrator });
}

function running(): RunningFile {
  return JSON.parse(readFileSync(runningFilePath(dataDir), "utf8")) as RunningFile;
}

function clientWith(credentials: Key): IAMClient {
  return new IAMClient({ endpoint: slipway.url, region: "us-east-1", credentials, maxAttempts: 1 });
}

async function keyIds(): Promise<(string | undefined)[]> {
  const { AccessKeyMetadata } = await clientWith(running()).send(new ListAccessKeysCommand({}));
  return AccessKeyMetadata!.map(({ AccessKeyId }) => AccessKeyId);
}

async function assertRotated(old: Key): Promise<void> {
  const { accessKeyId } = running();
  assert.notEqual(accessKeyId, old.accessKeyId);
  assert.deepEqual(await keyIds(), [accessKeyId]);
  await assert.rejects(clientWith(old).send(new GetUserCommand({})), { name: "InvalidClientTokenId" });
  const remembered = JSON.parse(readFileSync(join(dataDir, "administrator.json"), "utf8"));
  assert.deepEqual(remembered, { accessKeyId });
  for (const file of ["slipway.json", "administrator.json"]) {
    assert.equal(statSync(join(dataDir, file)).mode & 0o777, 0o600);
  }
  assert.throws(() => statSync(join(dataDir, "rotation.json")), { code: "ENOENT" });
}

test("the new key works at once and the old one no more", async () => {
  const old = running();
  assert.equal((await rotateKey(dataDir, running())).accessKeyId, running().accessKeyId);
  await assertRotated(old);
});

for (const step of ["begun", "created", "noted", "stored", "deactivated", "deleted"]) {
  for (const restarted of [false, true]) {
    test(`killed when ${step}${restarted ? ", with Slipway started anew" : ""}, the next call ends what was begun`, async () => {
      const old = running();
      const killed = new Error("killed");
      const kill = (done: string) => {
        if (done === step) throw killed;
      };
      await assert.rejects(rotateKey(dataDir, running(), kill), killed);
      if (restarted) {
        await slipway.close();
        await start();
      }
      await clientWith(running()).send(new GetUserCommand({})); // nobody is locked out meanwhile
      await rotateKey(dataDir, running());
      await assertRotated(old);
    });
  }
}

test("a second key is not touched: the user is told what to do", async () => {
  const client = clientWith(running());
  const { AccessKey } = await client.send(new CreateAccessKeyCommand({}));
  const id = AccessKey!.AccessKeyId!;
  await assert.rejects(rotateKey(dataDir, running()), {
    name: "UsageError",
    message: new RegExp(`${id} \\(Active\\)`),
  });
  assert.equal((await keyIds()).length, 2);
  await client.send(new DeleteAccessKeyCommand({ AccessKeyId: id }));
});

test("a key that was deleted by hand cannot be rotated; the next start makes another one", async () => {
  const old = running();
  await clientWith(old).send(new DeleteAccessKeyCommand({ AccessKeyId: old.accessKeyId }));
  await assert.rejects(rotateKey(dataDir, running()), { name: "UsageError", message: /start Slipway anew/ });
  await slipway.close();
  await start();
  await assertRotated(old);
});
