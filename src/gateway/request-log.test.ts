import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { logs } from "#services/logs/index.ts";
import { testSystem } from "#tests/helpers/test-system.ts";
import type { System } from "./context.ts";
import { requestHandler } from "./handle.ts";
import { loggedPath } from "./request-log.ts";
import type { DataPlane } from "./service.ts";

test("a logged path has neither query nor credentials token", () => {
  assert.equal(loggedPath("/bucket/key?X-Amz-Signature=secret"), "/bucket/key");
  assert.equal(loggedPath("/_slipway/credentials/secret"), "/_slipway/credentials/");
  assert.equal(loggedPath("http://host:4566/_slipway/credentials/secret?x"), "http://host:4566/_slipway/credentials/");
  assert.equal(loggedPath("/"), "/");
});

/** A data plane for `/plane` that reads the body and then does what the test wants. */
async function servedWith(then: () => void) {
  const system = await testSystem({ services: [logs], work: false });
  const logged: unknown[][] = [];
  const plane: DataPlane = {
    matches: ({ path }) => path === "/plane",
    async handle(message, response) {
      await bodyOf(message);
      then();
      response.end();
    },
  };
  const logging: System = { ...system, log: (...entry) => void logged.push(entry) };
  const server = createServer(requestHandler(logging, system.registry, [plane])).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    logged,
    server,
    client: connect((server.address() as AddressInfo).port, "127.0.0.1"),
    async [Symbol.asyncDispose]() {
      server.close();
      await system[Symbol.asyncDispose]();
    },
  };
}

async function bodyOf(message: IncomingMessage): Promise<void> {
  for await (const _ of message);
}

const HALF = "POST /plane?secret HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nab";

test("a client that goes away is not logged", { timeout: 10_000 }, async () => {
  await using served = await servedWith(() => {});
  served.client.write(HALF);
  const [, response] = await once(served.server, "request");
  served.client.resetAndDestroy();
  await once(response, "close");
  await new Promise(setImmediate);
  assert.deepEqual(served.logged, []);
});

test("a failure while the client waits is logged with the path alone, whatever its code", async () => {
  await using served = await servedWith(() => {
    throw Object.assign(new Error("the target hung up"), { code: "ECONNRESET" });
  });
  served.client.write(`${HALF}cd`);
  served.client.resume();
  await once(served.client, "close");
  const said = served.logged.map(([level, text, details]) => [level, text, (details as { path: string }).path]);
  assert.deepEqual(said, [["error", "a data plane failed", "/plane"]]);
});
