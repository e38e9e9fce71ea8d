/** The `aws` that is on the PATH, whatever its version. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type Ran, ran } from "#tests/helpers/ran.ts";

export interface Command {
  readonly args: readonly string[];
  readonly cwd: string;
  /** All of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly stdin?: string;
}

/** Runs commands in forks of one process (`aws_cli_forks.py`) where the CLI loads plugins, and else by starting it. */
export class AwsCli implements AsyncDisposable {
  readonly majorVersion: number;
  readonly #forks: Forks | undefined;

  private constructor(majorVersion: number, forks: Forks | undefined) {
    this.majorVersion = majorVersion;
    this.#forks = forks;
  }

  static async start(): Promise<AwsCli> {
    const { stdout, stderr } = await started({ args: ["--version"], cwd: tmpdir(), env: withoutAws() });
    const found = /aws-cli\/(\d+)/.exec(stdout + stderr); // of old versions on stderr
    if (!found) throw new Error(`aws --version said ${stdout}${stderr}`);
    const version = Number(found[1]);
    return new AwsCli(version, await Forks.start(version));
  }

  run(command: Command): Promise<Ran> {
    return this.#forks?.run(command) ?? started(command);
  }

  /** Asks for no more than a form to fill in, which needs no service. */
  async knows(operation: readonly string[]): Promise<boolean> {
    const args = [...operation, "--generate-cli-skeleton"];
    const { status } = await this.run({ args, cwd: tmpdir(), env: withoutAws() });
    return status === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forks?.[Symbol.asyncDispose]();
  }
}

/** Without a person's own profiles and settings. */
export function withoutAws(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")));
}

function started({ args, cwd, env, stdin }: Command): Promise<Ran> {
  return ran("aws", args, { cwd, env }, stdin);
}

type Answer = Ran & { readonly id: number };

class Forks implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (answer: Ran) => void>();
  readonly #closed: Promise<void>;
  #count = 0;

  private constructor(process: ChildProcessByStdio<Writable, Readable, null>, lines: AsyncIterator<string>) {
    this.#process = process;
    process.stdin.on("error", () => {}); // where it has ended, which `run` says
    this.#closed = this.#read(lines);
  }

  /** undefined where the CLI does not load the plugin. */
  static async start(majorVersion: number): Promise<Forks | undefined> {
    const folder = await mkdtemp(join(tmpdir(), "slipway-cli-forks-"));
    const plugins = fileURLToPath(new URL(".", import.meta.url));
    try {
      const path = majorVersion >= 2 ? [`cli_legacy_plugin_path = ${plugins}`] : [];
      const config = join(folder, "config");
      await writeFile(config, ["[plugins]", ...path, "forks = aws_cli_forks", ""].join("\n"));
      const PYTHONPATH = [plugins, process.env.PYTHONPATH].filter(Boolean).join(":");
      const env = { ...withoutAws(), AWS_CONFIG_FILE: config, PYTHONPATH, PYTHONDONTWRITEBYTECODE: "1" };
      const child = spawn("aws", ["--version"], { env, stdio: ["pipe", "pipe", "inherit"] });
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const first = await lines.next();
      return first.value === '{"ready": true}' ? new Forks(child, lines) : undefined;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  run({ args, cwd, env, stdin = "" }: Command): Promise<Ran> {
    const id = this.#count++;
    const { promise, resolve, reject } = Promise.withResolvers<Ran>();
    this.#waiting.set(id, resolve);
    void this.#closed.then(() => reject(new Error("The process that the CLI's commands are forked from has ended")));
    this.#process.stdin.write(`${JSON.stringify({ id, args, cwd, env, stdin })}\n`);
    return promise;
  }

  async #read(lines: AsyncIterator<string>): Promise<void> {
    for (let line = await lines.next(); !line.done; line = await lines.next()) {
      const { id, ...answer } = JSON.parse(line.value) as Answer;
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end();
    await this.#closed;
  }
}
