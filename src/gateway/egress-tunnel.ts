/** Joins two sockets. */
import type { Socket } from "node:net";

/** How long one direction may stay open and silent once the other has ended: a peer that never closes keeps no tunnel. */
const HALF_OPEN_MS = 60_000;

/**
 * Copies both directions with backpressure until both have ended; one side's end (FIN) is passed on while the other
 * direction flows on. An error or an early close of one side closes the other, after what was already received for it is
 * delivered where the close was orderly. Both sockets must allow half-open. A tunnel without a byte for `idleMs` is closed.
 */
export function joinSockets(client: Socket, upstream: Socket, idleMs: number): void {
  upstream.setTimeout(idleMs, () => {
    client.destroy();
    upstream.destroy();
  });
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on("end", () => upstream.setTimeout(Math.min(idleMs, HALF_OPEN_MS)));
    // An error is always followed by "close", which knows of it; without a listener it would end the process.
    from.on("error", () => undefined);
    from.on("close", (hadError: boolean) => (hadError ? to.destroy() : to.destroySoon()));
    from.pipe(to);
  }
}
