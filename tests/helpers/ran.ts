import { type SpawnOptions, spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export interface Ran {
  /** null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the command did, once it has ended; rejects where there is no such command. */
export async function ran(command: string, args: readonly string[], options: SpawnOptions, stdin = ""): Promise<Ran> {
  const child = spawn(command, args, { ...options, stdio: "pipe" });
  child.stdin.on("error", () => {}); // a command that has failed does not read it
  child.stdin.end(stdin);
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}
