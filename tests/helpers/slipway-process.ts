/** A Slipway as users run it: a process of its own on a data folder of its own, which tests may kill and start again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientEnvironment, type RunningFile, runningSlipway } from "#cli/options.ts";
import { PROGRAM } from "#cli/program.ts";
import { repositoriesFolder } from "#demo/story.ts";
import { until } from "#demo/until.ts";
import { stopPrivateEngine } from "#setup/container-engine.ts";

export interface SlipwayProcessOptions {
  /** Further arguments of `slipway up`. */
  readonly arguments?: readonly string[];
}

export class SlipwayProcess implements AsyncDisposable {
  readonly dataDir: string;
  readonly port: number;
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;
  #running: RunningFile | undefined;
  #output = "";

  private constructor(dataDir: string, port: number, options: SlipwayProcessOptions) {
    this.dataDir = dataDir;
    this.port = port;
    this.#arguments = options.arguments ?? [];
  }

  static async start(options: SlipwayProcessOptions = {}): Promise<SlipwayProcess> {
    const dataDir = await mkdtemp(join(tmpdir(), "slipway-process-"));
    const slipway = new SlipwayProcess(dataDir, await freePort(), options);
    await slipway.start();
    return slipway;
  }

  get running(): RunningFile {
    if (!this.#running) throw new Error("This Slipway does not run");
    return this.#running;
  }

  get repositories(): string {
    return repositoriesFolder(this.dataDir);
  }

  get environment(): NodeJS.ProcessEnv {
    const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...inherited } = process.env;
    return { ...inherited, ...clientEnvironment(this.running), AWS_PAGER: "" };
  }

  /** What the process printed, all starts together. */
  get output(): string {
    return this.#output;
  }

  /** Also after `kill`, on the same data folder and port. */
  async start(): Promise<void> {
    const provider = ["--provider", `github=${this.repositories}`];
    const child = spawn(
      PROGRAM,
      ["up", "--data", this.dataDir, "--port", String(this.port), ...provider, "--allow-reset", ...this.#arguments],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    this.#child = child;
    this.#running = await until(async () => {
      if (child.exitCode !== null) throw new Error(`slipway up ended with ${child.exitCode}:\n${this.#output}`);
      const running = runningSlipway(this.dataDir);
      return running?.pid === child.pid ? running : undefined;
    });
  }

  /** kill -9: nothing is closed, flushed or said. */
  async kill(): Promise<void> {
    const child = this.#child!;
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    this.#running = undefined;
  }

  /** Empties it and removes its containers. */
  async reset(): Promise<void> {
    const response = await fetch(`${this.running.url}/_slipway/reset`, { method: "POST" });
    if (!response.ok) throw new Error(`reset was answered ${response.status}: ${await response.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) {
      await this.reset();
      this.#child!.kill("SIGTERM");
      await once(this.#child!, "exit");
    }
    // Without DOCKER_HOST it may have started an engine of its own, which has mounts in the folder.
    await stopPrivateEngine(this.dataDir);
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** The end of what it printed, for a failed test's message. */
  async auditTrail(): Promise<string> {
    const day = new Date().toISOString().slice(0, 10);
    return readFile(join(this.dataDir, "audit", `${day}.jsonl`), "utf8").catch(() => "");
  }
}

/** Chosen by the system and free again: another process could take it in between, which a retry of the test would show. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
