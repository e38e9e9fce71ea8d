/** `slipway down`: stops Slipway and the private container engine, builds and tasks included. */
import { parseArgs } from "node:util";
import { stopPrivateEngine } from "#setup/container-engine.ts";
import { dataFolder, isSlipway, runningSlipway, UsageError } from "./options.ts";

const STOPPED_WITHIN_MS = 30_000;

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { data: { type: "string" } }, strict: true });
  const dataDir = dataFolder(values.data);
  const running = runningSlipway(dataDir);
  if (running) {
    process.kill(running.pid, "SIGTERM");
    const deadline = Date.now() + STOPPED_WITHIN_MS;
    while (runningSlipway(dataDir) || isSlipway(running.pid)) {
      if (Date.now() > deadline) throw new UsageError(`Slipway (pid ${running.pid}) does not stop; its log says why`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const engineStopped = await stopPrivateEngine(dataDir, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(running ? `Stopped Slipway (pid ${running.pid})\n` : `No Slipway runs on ${dataDir}\n`);
  if (engineStopped) process.stdout.write("Stopped the private container engine\n");
  return 0;
}
