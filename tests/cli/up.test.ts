/** What `slipway up` and the commands beside it promise whoever starts it: keys, exports, files, and who may do what. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { exportLines, type RunningFile, runningFile } from "#cli/options.ts";
import { PROGRAM } from "#cli/program.ts";
import { freePort } from "#tests/helpers/slipway-process.ts";

/** Starts one for the tests of a describe, with these options of `up`. */
function started(...options: readonly string[]) {
  let dataDir: string;
  const slipway = (...args: readonly string[]) =>
    spawnSync(PROGRAM, [...args, "--data", dataDir], { encoding: "utf8", env: { ...process.env, AWS_PAGER: "" } });
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "slipway-up-"));
    const { status, stderr } = slipway("up", "--detach", "--port", String(await freePort()), ...options);
    assert.equal(status, 0, stderr);
  });
  after(async () => {
    slipway("down");
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    slipway,
    file: (name: string) => join(dataDir, name),
    running: (): RunningFile => runningFile(dataDir)!,
    reset: (headers: Record<string, string> = {}) =>
      fetch(`${runningFile(dataDir)!.url}/_slipway/reset`, { method: "POST", headers }),
    accountOf: async (accessKeyId: string, secretAccessKey: string) => {
      const { url: endpoint, region } = runningFile(dataDir)!;
      const sts = new STSClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
      return (await sts.send(new GetCallerIdentityCommand({}))).Account;
    },
  };
}

describe("slipway up", () => {
  const { slipway, file, running, reset, accountOf } = started();

  it("writes its administrator's key where only its user can read it, and takes no other", async () => {
    for (const name of ["slipway.json", "administrator.json", "slipway.log"]) {
      assert.equal(statSync(file(name)).mode & 0o777, 0o600, name);
    }
    const { accessKeyId, secretAccessKey, account } = running();
    assert.equal(await accountOf(accessKeyId, secretAccessKey), account);
    await assert.rejects(accountOf("AKIAIOSFODNN7EXAMPLE", secretAccessKey), { name: "InvalidClientTokenId" });
    await assert.rejects(accountOf(accessKeyId, "another"), { name: "SignatureDoesNotMatch" });
    assert.ok(!readFileSync(file("slipway.log"), "utf8").includes(secretAccessKey));
  });

  it("is what `env` and `aws` are for", () => {
    assert.ok(slipway("env").stdout.startsWith(`${exportLines(running()).join("\n")}\n`));
    const asked = spawnSync(
      PROGRAM,
      ["aws", "--data", file(""), "sts", "get-caller-identity", "--query", "Account", "--output", "text"],
      { encoding: "utf8", env: { ...process.env, AWS_PAGER: "" } },
    );
    assert.equal(asked.stdout.trim(), running().account, asked.stderr);
  });

  it("is emptied by nobody unless it was started for that", async () => {
    const refused = await reset();
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /--allow-reset/);
  });
});

describe("slipway up --accept-any-credentials --allow-reset", () => {
  const { file, running, reset, accountOf } = started("--accept-any-credentials", "--allow-reset");

  it("takes any key, an account's number as that account, and warns of it", async () => {
    assert.equal(await accountOf("AKIAIOSFODNN7EXAMPLE", "any"), running().account);
    assert.equal(await accountOf("111122223333", "any"), "111122223333");
    // It is written after the file by which `up --detach` knows that it is ready, and before anything is answered.
    assert.match(readFileSync(file("slipway.log"), "utf8"), /warning: any credentials are accepted/);
    // A key that it knows is checked as ever.
    await assert.rejects(accountOf(running().accessKeyId, "another"), { name: "SignatureDoesNotMatch" });
  });

  it("is emptied by programs, not by pages in a browser", async () => {
    assert.equal((await reset({ origin: "http://example.com" })).status, 403);
    assert.equal((await reset()).status, 200);
  });
});
