/** A Slipway as people keep it: `up --detach`, so that it comes back by itself when it is killed. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type RunningFile, runningSlipway } from "#cli/options.ts";
import { PROGRAM } from "#cli/program.ts";
import { repositoriesFolder } from "#demo/story.ts";
import { freePort } from "./slipway-process.ts";

const run = promisify(execFile);

export class DetachedSlipway implements AsyncDisposable {
  readonly dataDir: string;

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async start(): Promise<DetachedSlipway> {
    const slipway = new DetachedSlipway(await mkdtemp(join(tmpdir(), "slipway-detached-")));
    const provider = `github=${slipway.repositories}`;
    const options = ["--detach", "--port", String(await freePort()), "--provider", provider, "--allow-reset"];
    await slipway.#command("up", ...options);
    return slipway;
  }

  get running(): RunningFile {
    const running = runningSlipway(this.dataDir);
    if (!running) throw new Error("This Slipway does not run");
    return running;
  }

  get repositories(): string {
    return repositoriesFolder(this.dataDir);
  }

  log(): Promise<string> {
    return readFile(join(this.dataDir, "slipway.log"), "utf8");
  }

  /** kill -9; nobody starts it again but its holder. */
  kill(): void {
    process.kill(this.running.pid, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await fetch(`${this.running.url}/_slipway/reset`, { method: "POST" });
    await this.#command("down");
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #command(name: string, ...options: readonly string[]): Promise<void> {
    await run(PROGRAM, [name, "--data", this.dataDir, ...options]);
  }
}
