/**
 * `slipway aws …`: the user's aws CLI with this Slipway's environment. Versions before 2.13 and 1.29 do not know
 * AWS_ENDPOINT_URL, so the endpoint is given as an option too.
 */
import { spawn } from "node:child_process";
import { clientEnvironment, UsageError } from "./options.ts";
import { requireRunning } from "./running.ts";

export async function run(args: string[]): Promise<number> {
  const ownData = args[0] === "--data" ? args.splice(0, 2)[1] : undefined;
  const running = requireRunning(ownData);
  const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...inherited } = process.env;
  const child = spawn("aws", ["--endpoint-url", running.url, ...args], {
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
