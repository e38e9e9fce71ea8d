/** What the log may say of a request, and which failures are none. */
import type { IncomingMessage } from "node:http";
import { CREDENTIALS_PATH } from "./container-environment.ts";

const DEPARTURES = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED", "ABORT_ERR"]);

/** Whether the work on a request ended because its client went away: nobody is left to answer, and nothing is wrong. */
export function isDeparture(error: unknown, { socket }: Pick<IncomingMessage, "socket">): boolean {
  return socket.destroyed && DEPARTURES.has((error as { code?: string } | undefined)?.code ?? "");
}

/** Without the query, which may hold a signature, and without the token that a container's credentials are asked with. */
export function loggedPath(url: string): string {
  const [path = ""] = url.split("?", 1);
  const credentials = path.indexOf(CREDENTIALS_PATH);
  return credentials < 0 ? path : path.slice(0, credentials + CREDENTIALS_PATH.length);
}
