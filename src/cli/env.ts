/** `slipway env`: exports that make AWS clients talk to this Slipway: `eval "$(slipway env)"`. */
import { parseArgs } from "node:util";
import { exportLines } from "./options.ts";
import { requireRunning } from "./running.ts";

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { data: { type: "string" } }, strict: true });
  for (const line of exportLines(requireRunning(values.data))) process.stdout.write(`${line}\n`);
  process.stdout.write("unset AWS_SESSION_TOKEN AWS_PROFILE\n");
  return 0;
}
