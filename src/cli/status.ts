/** `slipway status`: what runs, and how it is; exit status 3 where nothing runs, as service managers expect. */
import { parseArgs } from "node:util";
import { dataFolder, runningSlipway, UsageError } from "./options.ts";

const ANSWERS_WITHIN_MS = 5_000;

interface Health {
  readonly version: string;
  readonly services: readonly string[];
}

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { data: { type: "string" } }, strict: true });
  const dataDir = dataFolder(values.data);
  const running = runningSlipway(dataDir);
  if (!running) {
    process.stdout.write(`No Slipway runs on ${dataDir}\n`);
    return 3;
  }
  const response = await fetch(`${running.url}/health`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) }).catch(
    () => {
      throw new UsageError(
        `Slipway (pid ${running.pid}) does not answer at ${running.url}; it is starting, or its log says why`,
      );
    },
  );
  const health = (await response.json()) as Health;
  // One that was being started again has answered by now, as another process.
  const { pid, restarts = 0 } = runningSlipway(dataDir) ?? running;
  const lines = [
    ["Slipway", `${health.version} at ${running.url}, pid ${pid}`],
    ["Restarts", `${restarts} after it was killed`],
    ["Account", `${running.account}, ${running.region}`],
    ["Data", dataDir],
    ["Services", health.services.join(" ")],
  ];
  process.stdout.write(lines.map(([name, value]) => `${name!.padEnd(10)}${value}\n`).join(""));
  return 0;
}
