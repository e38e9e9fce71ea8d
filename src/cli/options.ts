/** What the commands share: where Slipway keeps its data, and how a running one is found. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

export const DEFAULT_PORT = 4566;
export const DEFAULT_ACCOUNT = "387543059434";
export const DEFAULT_REGION = "ca-central-1";

/** What every command that starts a Slipway takes; for `parseArgs`. */
export const START_OPTIONS = {
  data: { type: "string" },
  port: { type: "string", default: String(DEFAULT_PORT) },
  account: { type: "string", default: DEFAULT_ACCOUNT },
  region: { type: "string", default: DEFAULT_REGION },
} as const;

/** A mistake of the person at the terminal; its message is all that is printed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function dataFolder(option: string | undefined): string {
  if (option === "") throw new UsageError("--data takes a folder");
  return resolve(option ?? (process.env.SLIPWAY_DATA || join(homedir(), ".slipway")));
}

/** Its owner's only, where it is not there yet. Throws UsageError where there can be none, or nothing can be written to it. */
export function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir);
    // Not access(2): root may write everywhere by that, and yet not in /proc.
    rmSync(mkdtempSync(join(dataDir, ".writable-")), { recursive: true });
  } catch (error) {
    throw new UsageError(
      `${dataDir} cannot be the data folder: ${(error as Error).message}. Choose another with --data`,
    );
  }
}

/** Not `recursive`: where a folder is there but takes no entries, as in /proc, Node's own would try for ever. */
function makeFolder(path: string): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another Slipway that is being started may have been quicker.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** What `up` writes into the data folder for the other commands, mode 0600. */
export interface RunningFile {
  readonly pid: number;
  readonly url: string;
  readonly port: number;
  readonly account: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly caBundle: string;
  /** The process that starts a detached Slipway again when it is killed: socket-holder.ts. */
  readonly holder?: number | undefined;
  /** How often it was killed and started again. */
  readonly restarts?: number;
}

/** `pid` is the process that is, or is about to be, Slipway. */
export interface RunningSlipway extends RunningFile {
  readonly isRestarting: boolean;
}

export function runningFilePath(dataDir: string): string {
  return join(dataDir, "slipway.json");
}

/** undefined where Slipway was never started or has ended in order. */
export function runningFile(dataDir: string): RunningFile | undefined {
  const path = runningFilePath(dataDir);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as RunningFile;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    if (error instanceof SyntaxError)
      throw new UsageError(`${path} is damaged; stop Slipway by its pid, if it runs, and remove it`);
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}. Is the data folder another user's?`);
  }
}

/** The Slipway that runs, or was killed and is being started again, on this data folder; undefined where none does. */
export function runningSlipway(dataDir: string): RunningSlipway | undefined {
  const file = runningFile(dataDir);
  if (file === undefined) return undefined;
  if (isSlipway(file.pid)) return { ...file, isRestarting: false };
  // The holder has Slipway's whole command line among its arguments, and becomes it without another pid.
  if (file.holder !== undefined && isSlipway(file.holder)) return { ...file, pid: file.holder, isRestarting: true };
  return undefined;
}

/** `bin/slipway`, or what it becomes; followed by "up" it is in the command line of every Slipway and of its holder. */
const PROGRAMS = /\/(bin\/slipway|dist\/main\.js|cli\/main\.ts)$/;

/** A pid is reused after a crash, so the process's command line is looked at where the system shows it. */
export function isSlipway(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.some((word, index) => word === "up" && PROGRAMS.test(words[index - 1] ?? ""));
  } catch {
    return process.platform !== "linux";
  }
}

/** What the environment of an AWS client must hold to talk to this Slipway. */
export function clientEnvironment(running: RunningFile): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: running.url,
    AWS_ACCESS_KEY_ID: running.accessKeyId,
    AWS_SECRET_ACCESS_KEY: running.secretAccessKey,
    AWS_REGION: running.region,
    AWS_DEFAULT_REGION: running.region,
    AWS_CA_BUNDLE: running.caBundle,
  };
}

/** The same for a shell, a line each; what a shell would take apart is quoted. */
export function exportLines(running: RunningFile): string[] {
  return Object.entries(clientEnvironment(running)).map(([name, value]) => {
    const isPlain = /^[\w@%+=:,./-]*$/.test(value);
    return `export ${name}=${isPlain ? value : `'${value.replaceAll("'", "'\\''")}'`}`;
  });
}
