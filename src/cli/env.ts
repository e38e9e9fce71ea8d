/** `slipway env`: exports that make AWS clients talk to this Slipway: `eval "$(slipway env)"`. */
import { parseArgs } from "node:util";
import { clientEnvironment } from "./options.ts";
import { requireRunning } from "./running.ts";

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { data: { type: "string" } }, strict: true });
  const environment = clientEnvironment(requireRunning(values.data));
  for (const [name, value] of Object.entries(environment)) {
    process.stdout.write(`export ${name}='${value.replaceAll("'", "'\\''")}'\n`);
  }
  process.stdout.write("unset AWS_SESSION_TOKEN AWS_PROFILE\n");
  return 0;
}
