import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { canInstallPackages, installPackages } from "./apt.ts";
import { isInstalled, run } from "./command.ts";
import { reachability } from "./engine-socket.ts";
import { privateEnginePaths, startPrivateEngine } from "./private-engine.ts";
import { comesTrue, commandLine, networkNamespace, processIds } from "./processes.ts";
import type { Log } from "./progress.ts";

export { stopPrivateEngine } from "./private-engine.ts";

/** How long an engine that its package's installation starts may take to answer. */
const SERVICE_READY_WITHIN_MS = 20_000;

export interface ContainerEngine {
  /** The Unix socket of its Engine API. */
  readonly socketPath: string;
  /** Whether it is this data folder's private engine, which `stopPrivateEngine` ends. */
  readonly startedByUs: boolean;
}

/**
 * A Docker Engine to work with: one that answers, else, as root on Debian or Ubuntu, a private one, for which `docker.io` is
 * installed from the distribution if need be. Else throws an error whose sentence says what to do. Quick when an engine
 * runs; may be called by several processes at once.
 */
export async function ensureContainerEngine(options: {
  dataDir: string;
  log: Log;
  /** Whether packages may be installed; true unless said otherwise. */
  install?: boolean;
}): Promise<ContainerEngine> {
  const { dataDir, log, install = true } = options;
  const own = privateEnginePaths(dataDir).socketPath;
  const found = await answeringEngine(own, log);
  if (found !== undefined) return found;

  if (process.getuid?.() !== 0 || process.platform !== "linux") throw new Error(adviceWithoutRoot());
  if (!isInstalled("dockerd")) {
    if (!install) throw new Error("No Docker Engine answers, and none is installed: apt-get install docker.io.");
    if (!canInstallPackages()) throw new Error("Please install Docker Engine, start it, and run this again.");
    await installPackages(["docker.io", "iptables", "iproute2", "ca-certificates"], log);
    const started = await engineStartedByItsPackage(own, log);
    if (started !== undefined) return started;
  }
  await mountCgroups(log);
  return { socketPath: await startPrivateEngine(dataDir, log), startedByUs: true };
}

function adviceWithoutRoot(): string {
  return canOnlyLackRoot()
    ? "No Docker Engine answers: run this as root once, so that Slipway can install and start one, or install it yourself (apt-get install docker.io)."
    : "No Docker Engine answers: please install Docker Engine or Docker Desktop, start it, and run this again.";
}

function canOnlyLackRoot(): boolean {
  return existsSync("/etc/debian_version");
}

/** The first engine that answers; undefined where none does. Throws where one is there but refuses this user. */
async function answeringEngine(own: string, log: Log): Promise<ContainerEngine | undefined> {
  const configured = configuredSocket(process.env.DOCKER_HOST);
  if (configured !== undefined) {
    if ((await reachability(configured)) === "answers")
      return { socketPath: configured, startedByUs: configured === own };
    log(`Nothing answers at DOCKER_HOST (${configured}); looking elsewhere.`);
  }
  let refusing: string | undefined;
  for (const socketPath of [...defaultSockets(), own, ...socketsOfRunningEngines()]) {
    const state = await reachability(socketPath);
    if (state === "answers") return { socketPath, startedByUs: socketPath === own };
    if (state === "not-permitted") refusing ??= socketPath;
  }
  if (refusing !== undefined) {
    throw new Error(
      `The Docker Engine at ${refusing} refuses this user: add it to the engine's group (usermod -aG docker USER) and log in again.`,
    );
  }
  return undefined;
}

/** The socket that DOCKER_HOST names; undefined where it is not set. Throws on an engine that is not on this machine. */
export function configuredSocket(dockerHost: string | undefined): string | undefined {
  if (dockerHost === undefined || dockerHost === "") return undefined;
  const socketPath = /^unix:\/\/(\/.+)$/.exec(dockerHost)?.[1];
  if (socketPath === undefined) {
    throw new Error(
      `DOCKER_HOST is ${dockerHost}, but Slipway needs a local engine: set it to unix:///path or unset it.`,
    );
  }
  return socketPath;
}

/** Where Docker Engine, its rootless mode and Docker Desktop listen. */
function defaultSockets(): string[] {
  const runtimeFolder = process.env.XDG_RUNTIME_DIR;
  return [
    "/var/run/docker.sock",
    ...(runtimeFolder === undefined ? [] : [join(runtimeFolder, "docker.sock")]),
    join(homedir(), ".docker", "run", "docker.sock"),
  ];
}

/**
 * The sockets of engines that run somewhere unusual. They must be used rather than joined by a second one: a dockerd that
 * starts empties the iptables chains of every other in its network namespace (libnetwork's `removeIPChains`), and both
 * would give out the addresses of one docker0. Engines inside containers have a network namespace of their own.
 */
function socketsOfRunningEngines(): string[] {
  const here = networkNamespace("self");
  return processIds()
    .filter((pid) => isTrusted(pid) && networkNamespace(pid) === here)
    .flatMap((pid) => dockerdSockets(commandLine(pid)));
}

/** Anybody can call a program dockerd; what builds get from an engine is only root's and this user's own to give. */
function isTrusted(pid: number): boolean {
  const owner = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  return owner === 0 || owner === process.getuid?.();
}

/** The Unix sockets named by `-H` and `--host` when the command line is dockerd's, else none. */
export function dockerdSockets(command: readonly string[] | undefined): string[] {
  if (command === undefined || !/(^|\/)dockerd$/.test(command[0] ?? "")) return [];
  return command.flatMap((argument, index) => {
    const value = /^(?:-H|--host)$/.test(command[index - 1] ?? "")
      ? argument
      : /^(?:-H|--host)=(.+)$/.exec(argument)?.[1];
    const socketPath = /^unix:\/\/(\/.+)$/.exec(value ?? "")?.[1];
    return socketPath === undefined ? [] : [socketPath];
  });
}

/** Under an init system, installing `docker.io` starts the machine's own dockerd: that one is used then. */
async function engineStartedByItsPackage(own: string, log: Log): Promise<ContainerEngine | undefined> {
  const starts = () => processIds().some((pid) => /(^|\/)dockerd$/.test(commandLine(pid)?.[0] ?? ""));
  let found: ContainerEngine | undefined;
  await comesTrue(async () => {
    found = await answeringEngine(own, log);
    return found !== undefined || !starts();
  }, SERVICE_READY_WITHIN_MS);
  return found;
}

/** Machines without an init system may have no cgroups mounted, without which dockerd does not start. */
async function mountCgroups(log: Log): Promise<void> {
  if (existsSync("/sys/fs/cgroup/cgroup.controllers") || existsSync("/sys/fs/cgroup/memory")) return;
  if (!isInstalled("cgroupfs-mount")) {
    if (!canInstallPackages())
      throw new Error("No cgroups are mounted at /sys/fs/cgroup: please mount them and run this again.");
    await installPackages(["cgroupfs-mount"], log);
  }
  await run("cgroupfs-mount", []);
}
