/**
 * A dockerd that was killed leaves the bridges of its networks behind. Another engine with another data root then makes a
 * second bridge with the group network's address, and the kernel sends the containers' packets to the first one.
 */
import { isInstalled, run } from "./command.ts";
import { commandLine, networkNamespace, processIds } from "./processes.ts";

/** The gateway of the network that every group is on: engines/docker/network.ts. */
const GROUP_NETWORK_GATEWAY = "169.254.170.2";
/** What docker calls the bridge of a network: the first 12 digits of its id. */
const NETWORK_BRIDGE = /^\d+:\s+(br-[0-9a-f]{12})\s/;

/** To be called before an engine is started; does nothing while another dockerd runs, whose bridges they may be. */
export async function removeStaleBridges(): Promise<void> {
  if (!isInstalled("ip") || otherDockerdRuns()) return;
  const addresses = await run("ip", ["-4", "-o", "address", "show", "to", GROUP_NETWORK_GATEWAY]);
  for (const bridge of bridgesIn(addresses)) await run("ip", ["link", "delete", bridge]);
}

/** The docker bridges in what `ip -o address` prints. */
export function bridgesIn(addresses: string): string[] {
  return addresses.split("\n").flatMap((line) => NETWORK_BRIDGE.exec(line)?.[1] ?? []);
}

function otherDockerdRuns(): boolean {
  const own = networkNamespace("self");
  return processIds().some(
    (pid) => /(^|\/)dockerd$/.test(commandLine(pid)?.[0] ?? "") && networkNamespace(pid) === own,
  );
}
