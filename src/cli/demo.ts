/**
 * `slipway demo`: sets up all that is missing and delivers the Cruddur back end from a merge to a load balancer, each step with
 * its seconds. Keeps serving until Ctrl-C on a terminal; with `--exit` or `CI=true` it verifies and stops.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repositoriesFolder, type Step, Story } from "#demo/story.ts";
import { until } from "#demo/until.ts";
import { ensureContainerEngine } from "#setup/container-engine.ts";
import { ensureImages } from "#setup/images.ts";
import {
  dataFolder,
  exportLines,
  makeDataFolder,
  type RunningFile,
  runningSlipway,
  START_OPTIONS,
  UsageError,
} from "./options.ts";
import { PROGRAM } from "./program.ts";

const OPTIONS = {
  ...START_OPTIONS,
  owner: { type: "string", default: "omenking" },
  exit: { type: "boolean", default: false },
} as const;

const STARTED_WITHIN_MS = 30_000;

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: OPTIONS, strict: true });
  const engineData = dataFolder(values.data);
  // A folder of its own: the demo begins from nothing each time and leaves the user's Slipway alone.
  const dataDir = join(engineData, "demo");
  const staysUp = !values.exit && process.env.CI !== "true" && process.stdout.isTTY === true;
  const running = runningSlipway(dataDir);
  if (running)
    throw new UsageError(
      `A demo runs already at ${running.url} (pid ${running.pid}); stop it with "slipway down --data ${dataDir}"`,
    );

  makeDataFolder(dataDir);
  const { socketPath } = await reported("Container engine", () =>
    ensureContainerEngine({ dataDir: engineData, log: note }),
  );
  const images = await reported("Base images", () =>
    ensureImages({ socketPath, dataDir: engineData, names: ["standard", "cruddur-python"], log: note }),
  );
  const repositories = repositoriesFolder(dataDir);
  rmSync(repositories, { recursive: true, force: true });
  let stopping = false;
  const interrupted = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]).then(() => {
    stopping = true;
    return false;
  });
  const { child, slipway } = await reported("Slipway", () =>
    startedSlipway(dataDir, { ...values, socketPath, repositories }),
  );
  const story = new Story({
    ...slipway,
    owner: values.owner,
    repositories,
    socketPath,
    baseImage: images.get("cruddur-python")!,
  });
  let delivered = false;
  try {
    const steps = [...story.setUp(), ...story.delivery("2")];
    delivered = await Promise.race([allSteps(steps, () => stopping), interrupted]);
    if (delivered) process.stdout.write(summary(story, slipway, staysUp));
    if (delivered && staysUp) {
      process.stdout.write("\nServing until Ctrl-C.\n");
      await interrupted;
    }
    return delivered ? 0 : 1;
  } finally {
    await story.caller?.stop();
    await reported("Removing what the demo started", async () => {
      await stopped(child, slipway);
      await story.cleanUp();
    });
    // A step that was interrupted still waits for what is no more.
    if (stopping && !delivered) process.exit(1);
  }
}

/** Whether all of them held: what comes after one that did not is not begun, and the demo's exit status is 1. */
export async function allSteps(steps: readonly Step[], isStopping: () => boolean): Promise<boolean> {
  for (const { title, run: step } of steps) {
    try {
      await reported(title, step, isStopping);
    } catch (error) {
      if (isStopping()) return false;
      process.stdout.write(`\n${error instanceof Error ? error.message : error}\n`);
      return false;
    }
  }
  return true;
}

/**
 * One line a step: what, whether it held, how long it took. On a terminal the line is there while the step runs. A step that
 * ends after the demo was interrupted is not mentioned.
 */
async function reported<T>(title: string, work: () => Promise<T>, isStopping = () => false): Promise<T> {
  const startedAt = performance.now();
  const line = (mark: string) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    return `${mark} ${title.padEnd(60, " .")} ${seconds.padStart(6)} s`;
  };
  const live = process.stdout.isTTY === true;
  const timer = live ? setInterval(() => isStopping() || process.stdout.write(`\r${line("…")}`), 200) : undefined;
  try {
    const result = await work();
    if (!isStopping()) process.stdout.write(`${live ? "\r" : ""}${line("✔")}\n`);
    return result;
  } catch (error) {
    if (!isStopping()) process.stdout.write(`${live ? "\r" : ""}${line("✖")}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function note(line: string): void {
  process.stdout.write(`${process.stdout.isTTY ? "\r" : ""}  ${line}\n`);
}

interface StartOptions {
  readonly port: string;
  readonly account: string;
  readonly region: string;
  readonly socketPath: string;
  readonly repositories: string;
}

async function startedSlipway(
  dataDir: string,
  { port, account, region, socketPath, repositories }: StartOptions,
): Promise<{ child: ChildProcess; slipway: RunningFile }> {
  mkdirSync(repositories, { recursive: true, mode: 0o700 });
  const logFile = join(dataDir, "slipway.log");
  const log = openSync(logFile, "a", 0o600);
  const options = { data: dataDir, port, account, region, provider: `github=${repositories}` };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(PROGRAM, ["up", "--allow-reset", ...flags], {
    stdio: ["ignore", log, log],
    env: { ...process.env, DOCKER_HOST: `unix://${socketPath}` },
    // Ctrl-C is for the demo, which then stops Slipway in order.
    detached: true,
  });
  const slipway = await until(
    async () => {
      if (child.exitCode !== null) throw new UsageError(`Slipway did not start; ${logFile} says why`);
      return runningSlipway(dataDir);
    },
    Boolean,
    { withinMs: STARTED_WITHIN_MS, everyMs: 20 },
  );
  await reset(slipway); // what an earlier demo that was killed left behind
  return { child, slipway };
}

/** Removes every resource and container of this demo. */
async function reset({ url }: RunningFile): Promise<void> {
  const response = await fetch(`${url}/_slipway/reset`, { method: "POST" });
  if (!response.ok) throw new Error(`Slipway could not be reset: ${await response.text()}`);
}

async function stopped(child: ChildProcess, slipway: RunningFile): Promise<void> {
  if (child.exitCode !== null) return;
  await reset(slipway);
  child.kill("SIGTERM");
  await once(child, "exit");
}

/** Commands only where somebody can type them: elsewhere the secret key would end up in a log. */
export function summary(
  story: Pick<Story, "target" | "badgeUrl">,
  slipway: RunningFile,
  withCommands: boolean,
): string {
  const { name = "" } = story.target ?? {};
  const local = name.replace(/\.amazonaws\.com$/, ".localhost");
  const lines = [
    "",
    `Application   http://${local}:${slipway.port}/`,
    `Badge         ${story.badgeUrl}`,
    `Endpoint      ${slipway.url}`,
    "",
  ];
  if (!withCommands) return lines.join("\n");
  lines.push(
    "Look around with the aws CLI:",
    ...exportLines(slipway).map((line) => `  ${line}`),
    "  aws codepipeline get-pipeline-state --name cruddur-backend-fargate",
    // Not `aws logs tail`, which version 1 of the CLI does not have.
    "  aws logs filter-log-events --log-group-name /cruddur/build/backend-flask --query 'events[].message' --output text",
    "",
  );
  return lines.join("\n");
}
