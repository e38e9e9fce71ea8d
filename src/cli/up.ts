/** `slipway up`: starts Slipway in the foreground, or in the background with `--detach`. */
import { spawn } from "node:child_process";
import { openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DockerEngine } from "#engines/docker/docker-engine.ts";
import { startSlipway } from "#main";
import { fileLockUnlessTaken } from "#setup/file-lock.ts";
import { writePrivateFile } from "#setup/private-file.ts";
import { releaseMemoryWhenIdle } from "./idle-memory.ts";
import {
  dataFolder,
  exportLines,
  makeDataFolder,
  type RunningFile,
  type RunningSlipway,
  runningFile,
  runningFilePath,
  runningSlipway,
  START_OPTIONS,
  UsageError,
} from "./options.ts";
import { PROGRAM } from "./program.ts";
import { heldEnvironment, SocketHolder } from "./socket-holder.ts";

const OPTIONS = {
  ...START_OPTIONS,
  database: { type: "string" },
  engine: { type: "string", default: "docker" },
  provider: { type: "string", multiple: true },
  detach: { type: "boolean", default: false },
  "accept-any-credentials": { type: "boolean", default: false },
  "allow-reset": { type: "boolean", default: false },
} as const;

const DETACHED_READY_WITHIN_MS = 30_000;

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: OPTIONS, strict: true });
  const dataDir = dataFolder(values.data);
  const running = values.detach ? await settled(dataDir) : runningSlipway(dataDir);
  if (running && running.pid !== process.pid) {
    if (!values.detach || running.port !== portOf(values.port))
      throw new UsageError(`Slipway already runs on ${dataDir}: ${running.url} (pid ${running.pid})`);
    process.stdout.write(runsAt(running, dataDir));
    return 0;
  }
  makeDataFolder(dataDir);
  if (values.detach) return detached(dataDir, args);

  // Of two that are started at once neither sees the other running yet, and each would take the other's work for a dead one's.
  using lock = fileLockUnlessTaken(join(dataDir, "slipway.lock"));
  if (!lock) throw new UsageError(`Another Slipway is being started on ${dataDir}, or still ends`);

  const holder = SocketHolder.ofThisProcess((pid) => noteHolder(dataDir, pid));
  const slipway = await startSlipway({
    dataDir,
    port: portOf(values.port),
    accountId: checked(values.account, /^\d{12}$/, "--account takes 12 digits"),
    region: checked(values.region, /^[a-z]{2}(-[a-z]+)+-\d$/, "--region takes a region's name, such as ca-central-1"),
    ...(values.database && { database: databaseOf(values.database) }),
    engine: engineOf(values.engine, dataDir),
    acceptAnyCredentials: values["accept-any-credentials"],
    allowReset: values["allow-reset"],
    providerEndpoints: providersOf(values.provider ?? []),
    heldSockets: holder,
    log: (level, message, fields) => process.stderr.write(`${logLine(level, message, fields)}\n`),
  }).catch((error: NodeJS.ErrnoException) => {
    throw startFailure(error, values);
  });

  const file: RunningFile = {
    pid: process.pid,
    url: slipway.url,
    port: slipway.system.config.port,
    account: values.account,
    region: values.region,
    accessKeyId: slipway.administrator.accessKeyId,
    secretAccessKey: slipway.administrator.secretAccessKey,
    caBundle: slipway.caBundleFile,
    holder: holder?.pid,
    restarts: holder?.restarts ?? 0,
  };
  writePrivateFile(runningFilePath(dataDir), file);
  holder?.start();
  if (values["accept-any-credentials"]) {
    process.stderr.write("warning: any credentials are accepted; everybody on this machine is the administrator\n");
  }
  releaseMemoryWhenIdle();
  process.stdout.write(banner(file, process.stdout.isTTY ? "exports" : "how to get them"));
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await holder?.release();
  await slipway.close();
  rmSync(runningFilePath(dataDir), { force: true });
  return 0;
}

/** Starts the same command without `--detach` as a process of its own and waits until it is ready. */
async function detached(dataDir: string, args: readonly string[]): Promise<number> {
  const logFile = logFileOf(dataDir);
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(PROGRAM, ["up", ...args.filter((argument) => argument !== "--detach")], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...heldEnvironment() },
  });
  const exited = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
  const deadline = Date.now() + DETACHED_READY_WITHIN_MS;
  let code: number | undefined;
  exited.then((value) => {
    code = value;
  });
  while (Date.now() < deadline && code === undefined) {
    const running = runningSlipway(dataDir);
    if (running && running.pid === child.pid) {
      child.unref();
      process.stdout.write(runsAt(running, dataDir));
      return 0;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGKILL");
  const lastWords = readFileSync(logFile, "utf8").trimEnd().split("\n").at(-1);
  throw new UsageError(`Slipway did not start; the end of ${logFile} is: ${lastWords}`);
}

/** Waits until one that was killed is there again, or is not started once more. */
async function settled(dataDir: string): Promise<RunningSlipway | undefined> {
  const deadline = Date.now() + DETACHED_READY_WITHIN_MS;
  for (;;) {
    const running = runningSlipway(dataDir);
    if (!running?.isRestarting || Date.now() > deadline) return running;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function runsAt({ url, pid }: RunningFile, dataDir: string): string {
  return `Slipway runs at ${url} (pid ${pid}, log ${logFileOf(dataDir)})\n`;
}

function logFileOf(dataDir: string): string {
  return join(dataDir, "slipway.log");
}

/** The rest stays as it is in the file, which may have another key by now (`rotate-key`). The first holder comes after it. */
function noteHolder(dataDir: string, holder: number): void {
  const running = runningFile(dataDir);
  if (running?.pid === process.pid) writePrivateFile(runningFilePath(dataDir), { ...running, holder });
}

/** The secret key is for a person's terminal only: what is not one ends up in a log. */
function banner(file: RunningFile, credentials: "exports" | "how to get them"): string {
  const ready = `Slipway is ready at ${file.url} (account ${file.account}, ${file.region}) in ${Math.round(performance.now())} ms\n`;
  if (credentials === "how to get them") return `${ready}"slipway env" prints the environment for AWS clients\n`;
  return `${ready}${exportLines(file)
    .map((line) => `  ${line}\n`)
    .join("")}`;
}

/** What a person can do something about, in one sentence; anything else stays as it is. */
function startFailure(error: NodeJS.ErrnoException, { port, database }: { port: string; database?: string }): Error {
  if (error.code === "EADDRINUSE") return new UsageError(`Port ${port} is taken; choose another with --port`);
  if (error.code === "EACCES" && error.syscall === "listen") {
    return new UsageError(`Port ${port} is for root only; choose one above 1023 with --port`);
  }
  // Node's errors of the connection, and PostgreSQL's refusals: class 28 is the login, 3D the database's name. The client's own
  // have no code: "SASL: … client password must be a string".
  if (
    database &&
    (/^(ECONN|ENOTFOUND|ETIMEDOUT|EAI_|28|3D)/.test(error.code ?? "") || /password/.test(error.message))
  ) {
    return new UsageError(
      `The database of --database cannot be opened: ${error.message}. Check its host, name and login (PGPASSWORD, ~/.pgpass)`,
    );
  }
  return error;
}

function engineOf(name: string, dataDir: string) {
  if (name !== "docker") throw new UsageError(`--engine takes "docker"; there is no engine "${name}" in this version`);
  const socketPath = async () => {
    const { ensureContainerEngine } = await import("#setup/container-engine.ts");
    const log = (line: string) => void process.stderr.write(`${line}\n`);
    return (await ensureContainerEngine({ dataDir, log, install: false })).socketPath;
  };
  return (instance: string) => new DockerEngine({ socketPath, instance });
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new UsageError("--port takes a number up to 65535");
  return port;
}

function databaseOf(url: string): string {
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new UsageError("--database takes a postgres:// URL; SQLite needs no option");
  return url;
}

function providersOf(options: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    options.map((option) => {
      const [, provider, place] = /^([A-Za-z]+)=(.+)$/.exec(option) ?? [];
      if (!provider || !place)
        throw new UsageError("--provider takes NAME=FOLDER or NAME=URL, such as github=/srv/git");
      return [provider.toLowerCase(), place];
    }),
  );
}

function checked(value: string, form: RegExp, sentence: string): string {
  if (!form.test(value)) throw new UsageError(sentence);
  return value;
}

function logLine(level: string, message: string, fields: Readonly<Record<string, unknown>> | undefined): string {
  const details = Object.entries(fields ?? {}).filter(([, value]) => value !== undefined);
  return [new Date().toISOString(), level, message, ...details.map(([key, value]) => `${key}=${value}`)].join(" ");
}
