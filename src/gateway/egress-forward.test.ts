import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { anEdge, aServer, curlThrough, describeRequest, reported } from "./edge-testing.ts";

test("a plain request for a local host arrives in origin form with the target's host", async (t) => {
  const edge = await anEdge(t);
  const outcome = await curlThrough(edge, "-H", "Host: liar", "http://My-LB.ca-central-1.elb.amazonaws.com:8080/p?q=1");
  const seen = JSON.parse(outcome.stdout);
  assert.equal(seen.url, "/p?q=1");
  assert.equal(seen.headers.host, "My-LB.ca-central-1.elb.amazonaws.com:8080");
  assert.equal(seen.headers["proxy-connection"], undefined);
  assert.equal((await reported(edge, 1))[0]!.decision, "local");
});

test("a plain request for another host is forwarded without what was meant for the proxy", async (t) => {
  const edge = await anEdge(t, { onRequest: () => assert.fail("answered here") });
  const origin = createHttpServer((req, res) => {
    res.setHeader("Set-Cookie", ["a=1", "b=2"]).setHeader("Connection", "close, X-Hop").setHeader("X-Hop", "1");
    describeRequest(req, res);
  });
  const port = await aServer(t, origin);
  const secret = ["-H", "Proxy-Authorization: Basic eA==", "-H", "Connection: X-Private", "-H", "X-Private: 1"];
  const outcome = await curlThrough(
    edge,
    "--include",
    ...secret,
    "-X",
    "DELETE",
    "-H",
    "Transfer-Encoding: chunked",
    "-d",
    "hi",
    `http://127.0.0.1:${port}/p?q`,
  );
  const [head, body] = outcome.stdout.split("\r\n\r\n");
  const seen = JSON.parse(body!);
  assert.deepEqual([seen.method, seen.url, seen.body], ["DELETE", "/p?q", "hi"]);
  assert.equal(seen.headers.host, `127.0.0.1:${port}`);
  assert.equal(seen.headers.via, "1.1 slipway");
  for (const name of ["proxy-authorization", "proxy-connection", "x-private"]) {
    assert.equal(seen.headers[name], undefined, name);
  }
  assert.deepEqual(head!.match(/Set-Cookie: .*/g), ["Set-Cookie: a=1", "Set-Cookie: b=2"]);
  assert.doesNotMatch(head!, /X-Hop/);
  assert.equal((await reported(edge, 1))[0]!.decision, "allow");
});

test("an origin that breaks off in the middle of its answer breaks off the client's", async (t) => {
  const edge = await anEdge(t);
  const origin = createServer((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", () => socket.resetAndDestroy());
    });
  });
  const outcome = await curlThrough(edge, `http://127.0.0.1:${await aServer(t, origin)}/`);
  assert.equal(outcome.ok, false);
  assert.match((await reported(edge, 1))[0]!.reason ?? "", /^The exchange with .* broke off: /);
});

test("a client that goes away ends the forwarded request", async (t) => {
  const edge = await anEdge(t);
  const gone = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const origin = createHttpServer((_req, res) => {
    res.on("close", () => gone.resolve());
    arrived.resolve();
  });
  const client = connect(edge.port, "127.0.0.1");
  client.write(`GET http://127.0.0.1:${await aServer(t, origin)}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
  await arrived.promise;
  client.destroy();
  await gone.promise;
});
