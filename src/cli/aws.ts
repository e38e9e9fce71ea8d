/**
 * `slipway aws …`: the user's aws CLI with this Slipway's environment. Versions before 2.13 and 1.29 do not know
 * AWS_ENDPOINT_URL, so the endpoint is given as an option too.
 */
import { spawn } from "node:child_process";
import { clientEnvironment, UsageError } from "./options.ts";
import { requireRunning } from "./running.ts";

export async function run(args: string[]): Promise<number> {
  const { ownData, awsArgs } = split(args);
  const running = requireRunning(ownData);
  const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...inherited } = process.env;
  const child = spawn("aws", ["--endpoint-url", running.url, ...awsArgs], {
    env: { ...inherited, ...clientEnvironment(running) },
    stdio: "inherit",
  });
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const missing = new UsageError(
        'There is no "aws" on the PATH; install the aws CLI (Debian: apt-get install awscli)',
      );
      reject(error.code === "ENOENT" ? missing : error);
    });
    child.once("exit", (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** Only what comes first is Slipway's own option; the aws CLI has options of its own called --data-…. */
function split(args: readonly string[]): { ownData: string | undefined; awsArgs: readonly string[] } {
  const [first = "", second, ...rest] = args;
  if (first.startsWith("--data=")) return { ownData: first.slice("--data=".length), awsArgs: args.slice(1) };
  if (first !== "--data") return { ownData: undefined, awsArgs: args };
  if (second === undefined) throw new UsageError("--data takes the data folder of a running Slipway");
  return { ownData: second, awsArgs: rest };
}
