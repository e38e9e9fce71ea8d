import { request } from "node:http";

/**
 * The longest path a Unix socket can have on Linux: sun_path's 108 bytes less the terminating zero, unix(7). macOS allows
 * a few less, but only Docker Desktop's own short paths are used there.
 */
export const MAX_SOCKET_PATH_BYTES = 107;

const ANSWER_WITHIN_MS = 3_000;

/** "answers", or why not: nobody listens, or this user may not connect. */
export type Reachability = "answers" | "no-answer" | "not-permitted";

/** Asks the Engine API for its `_ping` (https://docs.docker.com/reference/api/engine/version/v1.41/#tag/System/operation/SystemPing). */
export function reachability(socketPath: string): Promise<Reachability> {
  return new Promise((resolve) => {
    if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) return resolve("no-answer");
    const ping = request({ socketPath, path: "/_ping", timeout: ANSWER_WITHIN_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? "answers" : "no-answer");
    });
    ping.on("timeout", () => ping.destroy(new Error("no answer in time")));
    ping.on("error", (error) => resolve(codeOf(error) === "EACCES" ? "not-permitted" : "no-answer"));
    ping.end();
  });
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}
