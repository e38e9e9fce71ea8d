/** What only programs of this machine may ask for: containers reach the gateway too, at its address on their network. */
import type { IncomingMessage } from "node:http";

/** False for a connection that is closed already, whose address nobody knows any more. */
export function isFromLoopback({ socket }: Pick<IncomingMessage, "socket">): boolean {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return address === "::1" || address.startsWith("127.");
}
