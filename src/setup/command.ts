import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A command that could not be started or did not end with status 0. `message` names it and ends with what it said. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export interface CommandOptions {
  /** The whole environment; the own one where absent. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly folder?: string;
}

/** Runs a program, never through a shell, to its end and answers what it wrote to stdout. Throws CommandError. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.folder,
      env: options.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", (error) => reject(new CommandError(`${command} could not be started: ${error.message}`)));
    child.on("close", (status, signal) => {
      if (status === 0) resolve(stdout);
      else reject(new CommandError(failure(command, args, status ?? signal, stderr || stdout)));
    });
  });
}

/** One message for a failed command, with the last lines of what it wrote. */
export function failure(
  command: string,
  args: readonly string[],
  status: number | string | null,
  output: string,
): string {
  const lastLines = output.trim().split("\n").slice(-12).join("\n");
  return `\`${[command, ...args].join(" ")}\` ended with ${status}:\n${lastLines}`;
}

/** Whether a program of this name is on the PATH; Debian keeps daemons in /usr/sbin, which users' PATHs often lack. */
export function isInstalled(command: string): boolean {
  return pathTo(command) !== undefined;
}

/** The program's full path, else undefined. */
export function pathTo(command: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
