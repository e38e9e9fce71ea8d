import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { anEdge, exchange, run } from "./edge-testing.ts";

const ECR = "387543059434.dkr.ecr.ca-central-1.amazonaws.com";

test("the same port answers HTTP and HTTPS and tells the scheme", async (t) => {
  const { port, caFile } = await anEdge(t);
  for (const [scheme, encrypted] of [
    ["http", false],
    ["https", true],
  ] as const) {
    const outcome = await run("curl", ["-sS", "--cacert", caFile, "-d", "hi", `${scheme}://127.0.0.1:${port}/a?b=c`]);
    assert.ok(outcome.ok, outcome.stderr);
    const seen = JSON.parse(outcome.stdout);
    assert.deepEqual([seen.method, seen.url, seen.body, seen.encrypted], ["POST", "/a?b=c", "hi", encrypted]);
    assert.equal(seen.headers.host, `127.0.0.1:${port}`);
  }
});

test("TLS serves the certificate of the name asked for and speaks http/1.1", async (t) => {
  const { port, issuer } = await anEdge(t);
  for (const servername of [ECR, "localhost"]) {
    const offered = ["h2", "http/1.1"];
    const socket = connectTls({ port, host: "127.0.0.1", servername, ca: issuer.caPem, ALPNProtocols: offered });
    await once(socket, "secureConnect");
    assert.equal(socket.authorized, true);
    assert.equal(socket.getPeerCertificate().subjectaltname, `DNS:${servername}`);
    assert.equal(socket.alpnProtocol, "http/1.1");
    socket.destroy();
  }
});

test("a failed handshake is reported and harms nobody else", async (t) => {
  const { port, caFile, tlsErrors } = await anEdge(t);
  assert.equal((await run("curl", ["-sS", `https://127.0.0.1:${port}/`])).ok, false);
  await exchange(port, "\x16\x03\x01\x00\x05hello");
  assert.equal(tlsErrors.length, 2);
  assert.match(tlsErrors[0]!.message, /unknown ca/);
  assert.ok((await run("curl", ["-sS", "--cacert", caFile, `https://127.0.0.1:${port}/`])).ok);
});

test("a connection carries many requests, and a header may come byte by byte", async (t) => {
  const { port } = await anEdge(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (let index = 0; index < 5; index++) {
    const [response] = (await once(get({ port, agent, path: `/${index}` }), "response")) as [IncomingMessage];
    ports.add(response.socket.localPort);
    assert.equal(JSON.parse(await text(response)).url, `/${index}`);
  }
  agent.destroy();
  assert.equal(ports.size, 1);

  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  for (const character of "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") {
    socket.write(character);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await text(socket), /"url":"\/slow"/);
});

test("pipelined requests in one segment are all answered in order", async (t) => {
  const { port } = await anEdge(t);
  const answer = await exchange(
    port,
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  assert.deepEqual(answer.match(/"url":"\/\d"/g), ['"url":"/1"', '"url":"/2"', '"url":"/3"']);
});

test("an address without plain HTTP tells so, in the clear, and serves TLS", async (t) => {
  const { port, caFile } = await anEdge(t, { allowPlain: false });
  const answer = await exchange(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
  assert.match(answer, /\r\nUpgrade: TLS\/1\.2\r\n/);
  assert.match(answer, /\r\n\r\nThis address is served with TLS only: use https\.\n$/);
  assert.match(await exchange(port, "CONNECT a.amazonaws.com:443 HTTP/1.1\r\nHost: a\r\n\r\n"), /^HTTP\/1\.1 426 /);
  assert.ok((await run("curl", ["-sS", "--cacert", caFile, `https://127.0.0.1:${port}/`])).ok);
});

test("one listener serves several addresses", async (t) => {
  const { listener, port } = await anEdge(t);
  const second = await listener.listen("127.0.0.2", 0);
  for (const url of [`http://127.0.0.1:${port}/`, `http://127.0.0.2:${second.port}/`]) {
    assert.ok((await run("curl", ["-sS", url])).ok);
  }
  await assert.rejects(listener.listen("127.0.0.1", port), { code: "EADDRINUSE" });
});

test("a client that says nothing, or never ends its header, is cut off; one that uploads slowly is not", async (t) => {
  const { port } = await anEdge(t, { headersTimeoutMs: 150 });
  assert.equal(await exchange(port, ""), "");
  assert.match(await exchange(port, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "), /^HTTP\/1\.1 408 /);

  const upload = request({ port, method: "PUT", path: "/upload" });
  const answered = once(upload, "response");
  for (const piece of ["a", "b", "c", "d"]) {
    upload.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  upload.end();
  const [response] = (await answered) as [IncomingMessage];
  assert.equal(JSON.parse(await text(response)).body, "abcd");
});

test("what is not HTTP gets 400, an oversized header 431, and a reset harms nobody", async (t) => {
  const { port } = await anEdge(t);
  assert.match(await exchange(port, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(await exchange(port, `GET / HTTP/1.1\r\nX-Big: ${"x".repeat(70_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  for (const sent of [
    "",
    "G",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\x16",
    "PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1",
  ]) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(sent);
    await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  assert.ok((await run("curl", ["-sS", `http://127.0.0.1:${port}/`])).ok);
});

test("a client that ends its side without a request is let go", async (t) => {
  const { port } = await anEdge(t);
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end();
  assert.equal(await text(socket), "");
});

test("only WebSocket handshakes are upgrades", async (t) => {
  const { port } = await anEdge(t, {
    onUpgrade: (req, socket) => socket.end(`HTTP/1.1 101 Switching Protocols\r\nX-Url: ${req.url}\r\n\r\n`),
  });
  const upgrade = (target: string, protocol: string) =>
    exchange(port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  assert.match(await upgrade("/ws", "websocket"), /^HTTP\/1\.1 101 [\s\S]*X-Url: \/ws\r\n/);
  assert.match(await upgrade("http://a.amazonaws.com/ws", "WebSocket"), /^HTTP\/1\.1 101 [\s\S]*X-Url: \/ws\r\n/);
  assert.match(await upgrade("http://other.example/ws", "websocket"), /^HTTP\/1\.1 501 [\s\S]*with CONNECT/);
  const h2c = `GET /plain HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n`;
  assert.match(await exchange(port, h2c), /^HTTP\/1\.1 200 [\s\S]*"url":"\/plain"/);
});

test("close lets a request under way finish, refuses new connections and leaves none", {
  timeout: 20_000,
}, async (t) => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { listener, port } = await anEdge(t, {
    headersTimeoutMs: 60_000,
    onRequest: (_req, res) => {
      started.resolve();
      void release.promise.then(() => res.end("finished"));
    },
  });
  const silent = connect(port, "127.0.0.1"); // has not sent anything
  const silentClosed = once(silent.resume(), "close");
  const answered = once(get({ port, agent: new Agent({ keepAlive: true }) }), "response");
  await started.promise;

  const closed = listener.close(60_000);
  await assert.rejects(once(connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
  await silentClosed;
  release.resolve();
  const [response] = (await answered) as [IncomingMessage];
  assert.equal(await text(response), "finished");
  await closed;
});

test("close cuts what outlasts the grace period", async (t) => {
  const started = Promise.withResolvers<void>();
  const { listener, port } = await anEdge(t, { onRequest: () => started.resolve() });
  const cut = assert.rejects(once(get({ port }), "response"), { code: "ECONNRESET" });
  await started.promise;
  await listener.close(10);
  await cut;
});
