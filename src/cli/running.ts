/** For commands that need a running Slipway. */
import { dataFolder, type RunningFile, runningSlipway, UsageError } from "./options.ts";

export function requireRunning(data: string | undefined): RunningFile {
  const dataDir = dataFolder(data);
  const running = runningSlipway(dataDir);
  if (!running) throw new UsageError(`No Slipway runs on ${dataDir}; start one with "slipway up"`);
  return running;
}
