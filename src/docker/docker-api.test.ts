import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { DockerApi, DockerApiError, jsonLines } from "./docker-api.ts";

/** A daemon that answers every request in one way, as long as the test needs it. */
async function withDaemon(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  test: (docker: DockerApi) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-docker-api-"));
  const socketPath = join(folder, "docker.sock");
  const server = createServer(answer).listen(socketPath);
  try {
    await once(server, "listening");
    await test(new DockerApi(socketPath));
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

describe("the Docker API's client", () => {
  it("sends filters as JSON, leaves out what is undefined, and reads JSON", () =>
    withDaemon(
      ({ method, url }, response) => response.end(JSON.stringify({ method, url })),
      async (docker) => {
        const query = { all: true, t: undefined, filters: { label: ["a=b"] } };
        assert.deepEqual(await docker.get("/containers/json", { query }), {
          method: "GET",
          url: "/containers/json?all=true&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D",
        });
      },
    ));

  it("sends objects as JSON, streams as tar, and the registry's credentials as the daemon decodes them", () =>
    withDaemon(
      async (request, response) => {
        const { "content-type": type, "x-registry-auth": auth = "" } = request.headers;
        response.end(JSON.stringify([type, await text(request), auth]));
      },
      async (docker) => {
        assert.deepEqual(await docker.post("/x", { body: { Cmd: ["a"] } }), ["application/json", '{"Cmd":["a"]}', ""]);
        assert.deepEqual(await docker.post("/x", { body: Readable.from(["tar"]) }), ["application/x-tar", "tar", ""]);
        const auth = { username: "??>", password: "~~~?", serveraddress: "s" };
        const [, , sent] = await docker.post<[unknown, unknown, string]>("/x", { auth });
        assert.match(sent, /^[A-Za-z0-9_-]+=*$/);
        assert.equal(sent.length % 4, 0);
        assert.deepEqual(JSON.parse(Buffer.from(sent, "base64url").toString()), auth);
      },
    ));

  it("throws the daemon's own sentence, and the status's words where there is none", () =>
    withDaemon(
      (request, response) => {
        response.statusCode = request.method === "HEAD" ? 404 : 409;
        response.end(request.url === "/json" ? '{"message":"in use"}' : "plain\n");
      },
      async (docker) => {
        const refused = async (method: string, path: string) => {
          const error = await docker.open(method, path).catch((caught: unknown) => caught);
          assert.ok(error instanceof DockerApiError);
          return [error.statusCode, error.message];
        };
        assert.deepEqual(await refused("DELETE", "/json"), [409, "in use"]);
        assert.deepEqual(await refused("POST", "/plain"), [409, "plain"]);
        assert.deepEqual(await refused("HEAD", "/json"), [404, "Not Found"]);
      },
    ));

  it("fails with the body's own error where that breaks off", () =>
    withDaemon(
      (request) => void request.on("error", () => undefined).resume(),
      async (docker) => {
        const body = Readable.from(
          (async function* () {
            yield "some";
            throw new Error("the disk is gone");
          })(),
        );
        await assert.rejects(docker.post("/x", { body }), /the disk is gone/);
      },
    ));

  it("gives up waiting for an answer, and reading it, when the signal aborts", () =>
    withDaemon(
      (request, response) => {
        if (request.url === "/events") response.write('{"first":1}\n');
      },
      async (docker) => {
        const waiting = AbortSignal.timeout(20);
        await assert.rejects(docker.get("/silent", { signal: waiting }), { name: "AbortError" });
        const reading = new AbortController();
        const events = jsonLines(await docker.open("GET", "/events", { signal: reading.signal }));
        assert.deepEqual((await events.next()).value, { first: 1 });
        reading.abort();
        await assert.rejects(events.next());
      },
    ));

  it("reads a line however it is cut, and a last one without its end", async () => {
    const bytes = Buffer.from('{"a":"é"}\r\n\n{"b":2}');
    for (const size of [1, 4, bytes.length]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      assert.deepEqual(await Readable.from(jsonLines(Readable.from(chunks))).toArray(), [{ a: "é" }, { b: 2 }]);
    }
  });
});
