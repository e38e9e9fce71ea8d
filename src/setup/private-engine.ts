/**
 * A dockerd of Slipway's own, for machines that run none. It is detached, so it outlives the process that started it, and
 * everything of it is below the data folder:
 *
 *   <data>/docker/root         images, layers, volumes (--data-root)
 *   <data>/docker/exec         run time state and its containerd's sockets (--exec-root)
 *   <data>/docker/docker.sock  the Engine API
 *   <data>/docker/docker.pid   who it is; checked against the process's own command line before anything is done to it
 *   <data>/docker/dockerd.log  what it says
 *
 * Where the data folder is so deep that a socket's path would be too long, the socket and the exec root move to
 * /run/slipway/<hash of the data folder>.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathTo, run } from "./command.ts";
import { MAX_SOCKET_PATH_BYTES, reachability } from "./engine-socket.ts";
import { withFileLock } from "./file-lock.ts";
import { comesTrue, commandLine, mountPoints, pidIn, processIds } from "./processes.ts";
import { type Log, withProgress } from "./progress.ts";
import { removeStaleBridges } from "./stale-bridges.ts";

const READY_WITHIN_MS = 60_000;
/**
 * dockerd gives its containerd 15 s to answer and then ends itself. A first start on a disk that is still writing images
 * was seen to take longer; the next one finds the program in memory.
 */
const MAX_STARTS = 3;
const CONTAINERD_TOO_SLOW = "timeout waiting for containerd to start";
/** dockerd gives its containers 10 s before it kills them, and itself 15 s (`--shutdown-timeout`). */
const STOPPED_WITHIN_MS = 45_000;

export interface PrivateEnginePaths {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly socketPath: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly lockFile: string;
}

/** Where the private engine of a data folder keeps what. */
export function privateEnginePaths(dataDir: string): PrivateEnginePaths {
  const home = join(resolve(dataDir), "docker");
  // containerd's is the longest of the sockets that dockerd and its helpers make.
  const longestSocket = join(home, "exec", "containerd", "containerd.sock.ttrpc");
  const runFolder = Buffer.byteLength(longestSocket) <= MAX_SOCKET_PATH_BYTES ? home : shortRunFolder(home);
  return {
    dataRoot: join(home, "root"),
    execRoot: join(runFolder, "exec"),
    socketPath: join(runFolder, "docker.sock"),
    pidFile: join(home, "docker.pid"),
    logFile: join(home, "dockerd.log"),
    lockFile: join(home, "lock"),
  };
}

function shortRunFolder(home: string): string {
  return join("/run/slipway", createHash("sha256").update(home).digest("hex").slice(0, 16));
}

/**
 * Starts the data folder's engine unless it runs, waits till it answers, and returns its socket. Leftovers of one that
 * was killed are cleared away; containers that outlived it are ended by the new one. Throws with the end of its log.
 */
export async function startPrivateEngine(dataDir: string, log: Log): Promise<string> {
  const paths = privateEnginePaths(dataDir);
  await withFileLock(paths.lockFile, () =>
    withProgress(log, "Starting a private container engine", () => startOrAwait(paths)),
  );
  return paths.socketPath;
}

async function startOrAwait(paths: PrivateEnginePaths): Promise<void> {
  if (dockerdOf(paths) !== undefined) {
    const answers = await comesTrue(async () => (await reachability(paths.socketPath)) === "answers", READY_WITHIN_MS);
    if (!answers) throw new Error(`The private dockerd runs but does not answer; its log is ${paths.logFile}.`);
    return;
  }
  for (let attempt = 1; ; attempt++) {
    const failure = await start(paths);
    if (failure === undefined) return;
    await clearFailedStart(paths);
    if (attempt === MAX_STARTS || !failure.includes(CONTAINERD_TOO_SLOW)) throw new Error(failure);
  }
}

/** undefined once the engine answers, else why it does not, with the end of what this start wrote to the log. */
async function start(paths: PrivateEnginePaths): Promise<string | undefined> {
  clearLeftovers(paths);
  await removeStaleBridges();
  mkdirSync(paths.execRoot, { recursive: true, mode: 0o700 });
  const logFile = openSync(paths.logFile, "a", 0o600);
  const alreadyWritten = fstatSync(logFile).size;
  const dockerd = spawn(pathTo("dockerd") ?? "dockerd", dockerdArguments(paths), {
    detached: true,
    stdio: ["ignore", logFile, logFile],
  });
  closeSync(logFile);
  let ended: string | undefined;
  dockerd.on("exit", (status, signal) => {
    ended = `ended with ${status ?? signal}`;
  });
  dockerd.on("error", (error) => {
    ended = `could not be started (${error.message})`;
  });
  const ready = await comesTrue(
    async () => ended !== undefined || (await reachability(paths.socketPath)) === "answers",
    READY_WITHIN_MS,
  );
  dockerd.unref();
  if (ready && ended === undefined) return undefined;
  const lastLines = readFileSync(paths.logFile).subarray(alreadyWritten).toString().trim().split("\n").slice(-8);
  return `The private dockerd ${ended ?? "does not answer"}; the end of ${paths.logFile}:\n${lastLines.join("\n")}`;
}

/** A dockerd that gives up leaves its containerd running and its data root mounted on itself. */
async function clearFailedStart(paths: PrivateEnginePaths): Promise<void> {
  await end(() => list(dockerdOf(paths)));
  await end(() => helpersOf(paths));
  await unmountBelow([paths.dataRoot, paths.execRoot]);
}

function dockerdArguments(paths: PrivateEnginePaths): string[] {
  return [
    `--data-root=${paths.dataRoot}`,
    `--exec-root=${paths.execRoot}`,
    `--host=unix://${paths.socketPath}`,
    `--pidfile=${paths.pidFile}`,
    // The machine's own configuration is not ours to follow, and a flag set twice would be refused.
    "--config-file=",
    "--log-level=warn",
  ];
}

/**
 * dockerd refuses to start over a pid file, and waits for a containerd that it thinks alive, when the number has since
 * gone to some other process.
 */
function clearLeftovers(paths: PrivateEnginePaths): void {
  rmSync(paths.pidFile, { force: true });
  rmSync(paths.socketPath, { force: true });
  if (containerdOf(paths) === undefined) rmSync(join(paths.execRoot, "containerd", "containerd.pid"), { force: true });
}

/**
 * Stops the data folder's engine with all its containers and waits till it and its containerd are gone. Images and
 * volumes stay. Returns whether there was anything to stop.
 */
export async function stopPrivateEngine(dataDir: string, log: Log = () => undefined): Promise<boolean> {
  const paths = privateEnginePaths(dataDir);
  if (dockerdOf(paths) === undefined && helpersOf(paths).length === 0) return false;
  await withFileLock(paths.lockFile, () =>
    withProgress(log, "Stopping the private container engine", async () => {
      // The containers of a killed dockerd are still there, and only a dockerd can end them properly.
      if (dockerdOf(paths) === undefined) await startOrAwait(paths);
      await end(() => list(dockerdOf(paths)));
      // dockerd ends its containerd and shims itself; these are what a kill in the middle of that left.
      await end(() => helpersOf(paths));
      rmSync(paths.pidFile, { force: true });
      rmSync(paths.socketPath, { force: true });
      await unmountBelow([paths.dataRoot, paths.execRoot]);
    }),
  );
  return true;
}

/**
 * dockerd mounts its data root on itself and forgets about it when it is killed in between; the folder could then not be
 * deleted. Called when no process of the engine is left.
 */
async function unmountBelow(folders: readonly string[]): Promise<void> {
  const isBelow = (mount: string) => folders.some((folder) => mount === folder || mount.startsWith(`${folder}/`));
  for (const mount of mountPoints().filter(isBelow).reverse()) await run("umount", [mount]);
}

/** SIGTERM to all, SIGKILL to those that do not go; returns when none is left. */
async function end(remaining: () => readonly number[]): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of remaining()) signalIfAlive(pid, signal);
    if (await comesTrue(() => remaining().length === 0, STOPPED_WITHIN_MS)) return;
  }
  throw new Error(`Processes ${remaining().join(", ")} of the private container engine cannot be ended.`);
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function list(pid: number | undefined): readonly number[] {
  return pid === undefined ? [] : [pid];
}

/** The process in the pid file if it is this data folder's dockerd. */
function dockerdOf(paths: PrivateEnginePaths): number | undefined {
  const pid = pidIn(paths.pidFile);
  return pid !== undefined && commandLine(pid)?.includes(`--pidfile=${paths.pidFile}`) ? pid : undefined;
}

function containerdOf(paths: PrivateEnginePaths): number | undefined {
  const pid = pidIn(join(paths.execRoot, "containerd", "containerd.pid"));
  return pid !== undefined && isHelper(pid, paths) ? pid : undefined;
}

/** This engine's containerd and its shims, found by the exec root in their arguments. */
function helpersOf(paths: PrivateEnginePaths): readonly number[] {
  return processIds().filter((pid) => isHelper(pid, paths));
}

function isHelper(pid: number, paths: PrivateEnginePaths): boolean {
  const command = commandLine(pid);
  const isContainerd = command?.[0]?.includes("containerd") === true;
  return isContainerd && command.some((argument) => argument.startsWith(join(paths.execRoot, "containerd", "/")));
}
