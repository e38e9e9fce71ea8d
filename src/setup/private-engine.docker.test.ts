import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { isInstalled, pathTo } from "./command.ts";
import { privateEnginePaths } from "./private-engine.ts";

/** A real dockerd needs root; in a network namespace of its own it cannot disturb the machine's. */
const cannotStart = process.getuid?.() !== 0 || !isInstalled("dockerd") || !isInstalled("unshare");

describe("the private engine", { skip: cannotStart && "needs root, dockerd and unshare" }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), "slipway-engine-"));
  after(() => rmSync(dataDir, { recursive: true, force: true }));
  const paths = privateEnginePaths(dataDir);

  const inOwnNetwork = (body: string): string => {
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const program = `
      import { startPrivateEngine, stopPrivateEngine } from ${module("./private-engine.ts")};
      import { reachability } from ${module("./engine-socket.ts")};
      import { processIds, commandLine, pidIn } from ${module("./processes.ts")};
      const dataDir = ${JSON.stringify(dataDir)}, socketPath = ${JSON.stringify(paths.socketPath)};
      const pidFile = ${JSON.stringify(paths.pidFile)};
      const log = () => undefined;
      const ours = () => processIds().filter((pid) => pid !== process.pid && commandLine(pid)?.slice(0, 3).join(" ").includes(dataDir + "/docker"));
      const result = {};
      ${body}
      console.log(JSON.stringify(result));`;
    const ended = spawnSync("unshare", ["--net", process.execPath, "--input-type=module", "-e", program], {
      encoding: "utf8",
      timeout: 180_000,
    });
    assert.equal(ended.status, 0, ended.stderr);
    return JSON.parse(ended.stdout);
  };

  test("starts over leftovers, is found again, survives a kill, and is gone with its containerd after the stop", () => {
    const bystander = spawn("sleep", ["300"]);
    try {
      // A pid file whose number has gone to another process.
      spawnSync("mkdir", ["-p", join(dataDir, "docker")]);
      writeFileSync(paths.pidFile, String(bystander.pid));
      const result = inOwnNetwork(`
        await startPrivateEngine(dataDir, log);
        const first = pidIn(pidFile);
        result.answers = await reachability(socketPath);
        await startPrivateEngine(dataDir, log);
        result.sameProcess = pidIn(pidFile) === first;
        process.kill(first, "SIGKILL");
        while (commandLine(first)) await new Promise((resolve) => setTimeout(resolve, 20));
        await startPrivateEngine(dataDir, log);
        result.answersAfterKill = await reachability(socketPath);
        result.otherProcess = pidIn(pidFile) !== first;
        result.stopped = await stopPrivateEngine(dataDir, log);
        result.left = ours().length;
        result.stoppedTwice = await stopPrivateEngine(dataDir, log);
        result.answersAfterStop = await reachability(socketPath);`);
      assert.deepEqual(result, {
        answers: "answers",
        sameProcess: true,
        answersAfterKill: "answers",
        otherProcess: true,
        stopped: true,
        left: 0,
        stoppedTwice: false,
        answersAfterStop: "no-answer",
      });
      assert.equal(
        bystander.exitCode ?? bystander.signalCode,
        null,
        "the process named by the stale pid file was harmed",
      );
    } finally {
      bystander.kill();
    }
  });

  test("starts again where its containerd took longer to answer than dockerd waits", () => {
    const bin = join(dataDir, "bin");
    mkdirSync(bin);
    const containerd = join(bin, "containerd");
    const program = `#!/bin/sh\nif mkdir ${bin}/was-slow 2>/dev/null; then sleep 20; fi\nexec ${pathTo("containerd")} "$@"\n`;
    writeFileSync(containerd, program, { mode: 0o755 });
    const result = inOwnNetwork(`
      process.env.PATH = ${JSON.stringify(bin)} + ":" + process.env.PATH;
      await startPrivateEngine(dataDir, log);
      result.answers = await reachability(socketPath);
      await stopPrivateEngine(dataDir, log);
      result.left = ours().length;`);
    assert.deepEqual(result, { answers: "answers", left: 0 });
    assert.match(readFileSync(paths.logFile, "utf8"), /timeout waiting for containerd to start/);
  });

  test("says what its log says when it cannot start", () => {
    rmSync(join(dataDir, "docker", "root"), { recursive: true, force: true });
    writeFileSync(join(dataDir, "docker", "root"), "a file where a folder should be");
    const message = inOwnNetwork(`
      result.message = await startPrivateEngine(dataDir, log).then(() => "started", (error) => error.message);`);
    assert.match(JSON.stringify(message), /The private dockerd ended with 1.*dockerd\.log/);
    assert.match(readFileSync(paths.logFile, "utf8"), /docker\/root/);
  });
});
