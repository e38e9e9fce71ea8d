/** The system's git, run with argument arrays and an environment of our own: no shell, no user configuration, no prompts. */
import { execFile } from "node:child_process";
import { devNull } from "node:os";

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

export interface GitOptions {
  readonly cwd?: string;
  /** Sent as HTTP basic authentication to http(s) remotes; never part of the command line. */
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/** git ended with an error; `message` is what it said. */
export class GitError extends Error {
  override readonly name = "GitError";
}

export function git(args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { cwd, signal } = options;
    execFile(
      "git",
      args,
      {
        ...(cwd && { cwd }),
        ...(signal && { signal }),
        env: environment(options.token),
        encoding: "buffer",
        maxBuffer: MAX_OUTPUT_BYTES,
      },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else if (error.name === "AbortError") reject(error);
        else if (error.code === "ENOENT") reject(new GitError("git is not installed on this machine"));
        else reject(new GitError(firstLine(stderr.toString()) || error.message));
      },
    );
  });
}

/** Configuration travels as GIT_CONFIG_* variables, which other users of the machine cannot list as they can arguments. */
function environment(token: string | undefined): NodeJS.ProcessEnv {
  const settings: [key: string, value: string][] = [
    // A folder of repositories may belong to another user than the one that runs Slipway.
    ["safe.directory", "*"],
    ["advice.detachedHead", "false"],
    ["gc.auto", "0"],
  ];
  if (token) {
    const credentials = Buffer.from(`x-access-token:${token}`).toString("base64");
    settings.push(["http.extraHeader", `Authorization: Basic ${credentials}`]);
  }
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LC_ALL: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "file:http:https:ssh:git",
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

function firstLine(text: string): string {
  const line = text.split("\n").find((candidate) => candidate.trim() !== "") ?? "";
  return line.replace(/^(fatal|error): /, "").trim();
}
