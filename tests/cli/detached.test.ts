/** `slipway up --detach`, killed: it is started again on the same sockets by nobody but its holder. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, it } from "node:test";
import { runningSlipway } from "#cli/options.ts";
import { PROGRAM } from "#cli/program.ts";
import { until } from "#demo/until.ts";
import { freePort } from "#tests/helpers/slipway-process.ts";

describe("a detached Slipway", () => {
  let dataDir: string;
  let port: number;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "slipway-detached-"));
    port = await freePort();
  });
  afterEach(async () => {
    slipway("down");
    await rm(dataDir, { recursive: true, force: true });
  });

  function slipway(...args: readonly string[]): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync(PROGRAM, [...args, "--data", dataDir], {
      encoding: "utf8",
    });
    return { status, text: stdout + stderr };
  }

  const up = () => slipway("up", "--detach", "--port", String(port));
  const log = () => readFileSync(join(dataDir, "slipway.log"), "utf8");
  const isAlive = (pid: number) => existsSync(`/proc/${pid}/exe`);
  const health = async () => (await fetch(`http://127.0.0.1:${port}/health`)).status;

  async function killed(): Promise<number> {
    const { pid } = runningSlipway(dataDir)!;
    process.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid), Boolean, { everyMs: 1 });
    return pid;
  }

  it("is there again after kill -9, and answers who asked meanwhile", async () => {
    assert.equal(up().status, 0);
    const first = await killed();
    // Refused if nobody held the socket.
    assert.equal(await health(), 200);
    const again = up();
    assert.deepEqual([again.status, again.text.includes(`http://127.0.0.1:${port} `)], [0, true]);
    const { pid, restarts } = runningSlipway(dataDir)!;
    assert.ok(pid !== first && restarts === 1);
    assert.match(slipway("status").text, /Restarts +1 after it was killed/);
    assert.match(log(), /Slipway was killed; it is started again/);
  });

  it("is not started a third time when it dies at once", async () => {
    up();
    await killed();
    await health();
    await until(() => !runningSlipway(dataDir)?.isRestarting);
    await killed();
    await until(() => !runningSlipway(dataDir));
    assert.match(log(), /died within 5 s; it is not started once more/);
    await assert.rejects(health());
    assert.equal(up().status, 0);
  });

  it("leaves neither a holder nor a socket after down, also while it is being started again", async () => {
    for (const kill of [false, true]) {
      up();
      if (kill) await killed();
      const { pid, holder } = runningSlipway(dataDir)!;
      assert.equal(slipway("down").status, 0);
      assert.deepEqual([isAlive(pid), isAlive(holder!)], [false, false]);
      await assert.rejects(health());
      assert.equal(slipway("status").status, 3);
    }
  });

  it("is the only one on its data folder, also of two that are started at once", async () => {
    const ports = [port, await freePort()];
    const both = ports.map((each) =>
      spawn(PROGRAM, ["up", "--port", String(each), "--data", dataDir], { stdio: ["ignore", "ignore", "pipe"] }),
    );
    const errors = both.map(({ stderr }) => text(stderr!));
    // The one that gives up does so by itself; neither would if both ran.
    await Promise.race(both.map((child) => once(child, "exit")));
    const [loser, winner] = both[0]!.exitCode === null ? [1, 0] : [0, 1];
    assert.equal(both[loser]!.exitCode, 2);
    assert.match(await errors[loser]!, /Another Slipway is being started on|Slipway already runs on/);
    await until(() => runningSlipway(dataDir)?.pid === both[winner]!.pid);
    both[winner]!.kill("SIGTERM");
    await once(both[winner]!, "exit");
  });

  it("is said to run where it runs already, on this port only", () => {
    up();
    const { pid } = runningSlipway(dataDir)!;
    assert.match(up().text, new RegExp(`Slipway runs at http://127.0.0.1:${port} \\(pid ${pid},`));
    assert.deepEqual(slipway("up", "--detach", "--port", String(port + 1)).status, 2);
    assert.match(slipway("up", "--port", String(port)).text, /already runs/);
  });
});
