/** Paths that belong to Slipway itself: `/health`, and `POST /_slipway/reset` for test suites where it is enabled. */
import type { ServerResponse } from "node:http";
import { isFromLoopback } from "./loopback.ts";
import type { DataPlane, Service } from "./service.ts";

export interface OwnRoutesOptions {
  readonly version: string;
  readonly services: readonly Service[];
  /** Empties everything; undefined where `--allow-reset` was not given. */
  readonly reset: (() => Promise<void>) | undefined;
}

export function healthRoute({ version, services }: OwnRoutesOptions): DataPlane {
  const names = services.map(({ name }) => name).sort();
  return {
    matches: ({ method, path }) => method === "GET" && path === "/health",
    handle(_request, response, { config }) {
      const { accountId, region, port } = config;
      answer(response, 200, {
        status: "ok",
        version,
        pid: process.pid,
        port,
        account: accountId,
        region,
        services: names,
      });
    },
  };
}

export function resetRoute({ reset }: OwnRoutesOptions): DataPlane {
  return {
    matches: ({ path }) => path === "/_slipway/reset",
    async handle(request, response) {
      if (request.method !== "POST") {
        answer(response, 405, { message: "Use POST" });
      } else if (!reset) {
        answer(response, 403, { message: "Resetting is off; start Slipway with --allow-reset to allow it" });
      } else if (!isFromLoopback(request) || request.headers.origin !== undefined) {
        // A web page in the user's browser comes from loopback too, and says so with its Origin.
        answer(response, 403, { message: "Only programs on the machine that Slipway runs on may reset it" });
      } else {
        await reset();
        answer(response, 200, { status: "reset" });
      }
    },
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
