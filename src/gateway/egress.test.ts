import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage, request } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import {
  aClosedPort,
  aFile,
  aFolder,
  anEdge,
  aServer,
  curlThrough,
  describeRequest,
  exchange,
  reported,
} from "./edge-testing.ts";
import { isReachable } from "./egress-guard.ts";

const ECR = "387543059434.dkr.ecr.ca-central-1.amazonaws.com";
const BIG = 50 * 1024 * 1024;

/** A tunnel to `target` through the proxy, ready to carry bytes. Rejects with the refusal's status line. */
async function tunnel(port: number, target: string): Promise<Socket> {
  const req = request({ port, method: "CONNECT", path: target });
  req.end();
  const [res, socket, head] = (await once(req, "connect")) as [IncomingMessage, Socket, Buffer];
  socket.unshift(head);
  if (res.statusCode !== 200) {
    throw new Error(`${res.statusCode} ${await text(socket)}`);
  }
  return socket;
}

const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");

test("a local host is served here: TLS inside CONNECT with its certificate, the Host header untouched", async (t) => {
  const edge = await anEdge(t);
  const outcome = await curlThrough(edge, "--include", "-d", "hi", `https://${ECR}/v2/?a=b`);
  assert.match(outcome.stdout, /^HTTP\/1\.1 200 Connection Established\r\n\r\nHTTP\/1\.1 200 OK\r\n/, outcome.stderr);
  const seen = JSON.parse(outcome.stdout.split("\r\n\r\n").at(-1)!);
  assert.deepEqual([seen.url, seen.headers.host, seen.encrypted, seen.body], ["/v2/?a=b", ECR, true, "hi"]);
  assert.equal(seen.headers["proxy-connection"], undefined);

  const [record] = await reported(edge, 1);
  assert.equal(record!.decision, "local");
  assert.equal(record!.host, ECR);
  assert.equal(record!.port, 443);
  assert.equal(record!.clientAddress, "127.0.0.1");
  assert.ok(record!.bytesUp > 300 && record!.bytesDown > 300, JSON.stringify(record));
});

test("ALPN inside a tunnel to a local host chooses http/1.1", async (t) => {
  const { port, issuer } = await anEdge(t);
  const socket = connectTls({
    socket: await tunnel(port, `${ECR}:443`),
    servername: ECR,
    ca: issuer.caPem,
    ALPNProtocols: ["h2", "http/1.1"],
  });
  await once(socket, "secureConnect");
  assert.equal(socket.alpnProtocol, "http/1.1");
  socket.end("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  assert.match(await text(socket), /"url":"\/x"/);
});

test("the proxy itself may be spoken to through TLS, and a tunnel may carry plain HTTP", async (t) => {
  const edge = await anEdge(t);
  const throughTls = ["--proxy", `https://127.0.0.1:${edge.port}`, "--proxy-cacert", edge.caFile];
  const secured = await curlThrough(edge, ...throughTls, `https://${ECR}/a`);
  assert.match(secured.stdout, /"url":"\/a"/, secured.stderr);
  const plain = await curlThrough(edge, "--proxytunnel", "http://a.amazonaws.com/b");
  assert.match(plain.stdout, /"url":"\/b".*"encrypted":false/, plain.stderr);
});

test("another host is tunnelled: its own certificate, its own answer, the bytes counted", async (t) => {
  const edge = await anEdge(t, { onRequest: () => assert.fail("answered here") });
  const { certificatePem, privateKeyPem } = await edge.issuer.leafFor("localhost");
  const server = createHttpsServer({ cert: certificatePem, key: privateKeyPem }, describeRequest);
  const port = await aServer(t, server);
  const outcome = await curlThrough(edge, "-d", "hi", `https://localhost:${port}/there`);
  assert.match(outcome.stdout, /"url":"\/there"/, outcome.stderr);
  const [record] = await reported(edge, 1);
  assert.deepEqual(
    [record!.decision, record!.host, record!.port, record!.reason],
    ["allow", "localhost", port, undefined],
  );
  assert.ok(record!.bytesUp > 300 && record!.bytesDown > 300, JSON.stringify(record));
});

test("big bodies pass intact both ways, to a local and to a tunnelled host", async (t) => {
  const edge = await anEdge(t, { onRequest: (req, res) => void pipeline(req, res) });
  const { certificatePem, privateKeyPem } = await edge.issuer.leafFor("localhost");
  const remote = createHttpsServer({ cert: certificatePem, key: privateKeyPem }, (req, res) => void pipeline(req, res));
  const remotePort = await aServer(t, remote);
  const content = randomBytes(BIG);
  const [sent, received] = [await aFile(t, content), join(await aFolder(t), "received")];
  for (const url of [`https://${ECR}/`, `http://${ECR}/`, `https://localhost:${remotePort}/`]) {
    const outcome = await curlThrough(edge, "--upload-file", sent, "--output", received, url);
    assert.ok(outcome.ok, outcome.stderr);
    assert.equal(sha256(await readFile(received)), sha256(content), url);
  }
  const records = await reported(edge, 3);
  assert.deepEqual(
    records.map(({ bytesUp, bytesDown }) => bytesUp >= BIG && bytesDown >= BIG),
    [true, true, true],
  );
});

test("a hundred tunnels at once, half of them local", async (t) => {
  const edge = await anEdge(t);
  const echo = await aServer(
    t,
    createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)),
  );
  const exchanges = Array.from({ length: 100 }, async (_, index) => {
    if (index % 2 === 0) {
      const socket = await tunnel(edge.port, `127.0.0.1:${echo}`);
      const content = randomBytes(100_000);
      socket.end(content);
      assert.equal(sha256(await buffer(socket)), sha256(content));
    } else {
      const servername = `host${index}.amazonaws.com`;
      const inner = await tunnel(edge.port, `${servername}:443`);
      const socket = connectTls({ socket: inner, servername, ca: edge.issuer.caPem });
      socket.write(`GET /${index} HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
      assert.match(await text(socket), new RegExp(`"url":"/${index}","headers":{"host":"${servername}"`));
    }
  });
  await Promise.all(exchanges);
  assert.equal((await reported(edge, 100)).length, 100);
});

test("each direction of a tunnel ends on its own", async (t) => {
  const { port } = await anEdge(t);
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    const received = await text(socket); // the client's end must come through before the answer
    socket.end(`got ${received}`);
  });
  const socket = await tunnel(port, `127.0.0.1:${await aServer(t, server)}`);
  socket.end("all");
  assert.equal(await text(socket), "got all");
});

test("when one side of a tunnel aborts, the other is closed", async (t) => {
  const { port } = await anEdge(t);
  const server = createServer();
  const serverPort = await aServer(t, server);
  for (const aborter of ["client", "server"] as const) {
    const accepted = once(server, "connection");
    const client = await tunnel(port, `127.0.0.1:${serverPort}`);
    const [remote] = (await accepted) as [Socket];
    const sides = { client, server: remote };
    const other = sides[aborter === "client" ? "server" : "client"];
    other.on("error", () => undefined).resume();
    const closed = once(other, "close");
    sides[aborter].resetAndDestroy();
    await closed;
  }
});

test("a client that aborts while the policy decides harms nobody, through TLS too", async (t) => {
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const decide = Promise.withResolvers<"allow">();
  let count = 0;
  const policy = () => {
    asked[count++]!.resolve();
    return decide.promise;
  };
  const edge = await anEdge(t, { egressOptions: { policy } });
  const line = "CONNECT example.invalid:443 HTTP/1.1\r\nHost: a\r\n\r\n";
  const plain = connect(edge.port, "127.0.0.1");
  plain.write(line);
  await asked[0].promise;
  const raw = connect(edge.port, "127.0.0.1");
  connectTls({ socket: raw, ca: edge.issuer.caPem, servername: "localhost" }).write(line);
  await asked[1].promise;
  for (const socket of [plain, raw]) {
    const closed = once(socket, "close");
    socket.resetAndDestroy();
    await closed;
  }
  assert.match((await curlThrough(edge, `https://${ECR}/alive`)).stdout, /"url":"\/alive"/);
  decide.resolve("allow");
  assert.equal((await reported(edge, 3)).length, 3);
});

test("a slow reader slows the sender instead of filling memory", async (t) => {
  const { port } = await anEdge(t);
  const sender = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    const chunk = Buffer.alloc(64 * 1024);
    const fill = () => {
      while (socket.writableLength < BIG && socket.write(chunk));
    };
    socket.on("drain", fill).on("error", () => undefined);
    fill();
    sender.resolve(socket);
  });
  const client = await tunnel(port, `127.0.0.1:${await aServer(t, server)}`);
  client.pause();
  const remote = await sender.promise;
  let last = -1;
  while (remote.bytesWritten !== last) {
    last = remote.bytesWritten;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.ok(last < BIG, `${last} bytes were taken from the sender`);
  client.destroy();
});

test("an idle tunnel is closed", async (t) => {
  const { port } = await anEdge(t, { egressOptions: { idleTimeoutMs: 100 } });
  const client = await tunnel(port, `127.0.0.1:${await aServer(t, createServer())}`);
  assert.equal(await text(client), "");
});

test("what the policy denies gets 403 with a sentence, and is reported", async (t) => {
  const edge = await anEdge(t, {
    egressOptions: {
      policy: async (hostname, port, client) => (`${hostname}:${port} ${client}` === "" ? "allow" : "deny"),
    },
  });
  await assert.rejects(tunnel(edge.port, "example.com:443"), /^Error: 403 The egress policy does not allow/);
  const plain = await curlThrough(edge, "--write-out", "%{http_code}", "http://example.com:81/");
  assert.equal(plain.stdout, "The egress policy does not allow connections to example.com:81.\n403");
  const records = await reported(edge, 2);
  assert.deepEqual(
    records.map(({ host, port, decision }) => [host, port, decision]),
    [
      ["example.com", 443, "deny"],
      ["example.com", 81, "deny"],
    ],
  );
});

test("a policy that fails denies", async (t) => {
  const edge = await anEdge(t, { egressOptions: { policy: () => Promise.reject(new Error("no such policy")) } });
  await assert.rejects(tunnel(edge.port, "example.com:443"), /^Error: 403 .*no such policy/);
});

test("no name or notation leads to this machine, unless local claims it", async (t) => {
  const edge = await anEdge(t, { egressOptions: { reachable: isReachable } });
  const server = await aServer(
    t,
    createHttpServer((_req, res) => res.end("secret")),
  );
  const hosts = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "127.1",
    "2130706433",
  ];
  for (const host of [...hosts, "169.254.169.254"]) {
    await assert.rejects(tunnel(edge.port, `${host}:${server}`), /^Error: 403 .*this machine's own/, host);
    const plain = await exchange(
      edge.port,
      `GET http://${host}:${server}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    assert.match(plain, /^HTTP\/1\.1 403 /, host);
  }
});

test("the address that was checked is the address connected to", async (t) => {
  // DNS rebinding: the second answer for a name must never be used.
  const answers = ["127.0.0.1", "127.0.0.2"];
  const { port } = await anEdge(t, {
    egressOptions: {
      resolve: async () => [{ address: answers.shift() ?? "127.0.0.3", family: 4 }],
      reachable: (address) => address === "127.0.0.1",
    },
  });
  const echo = await aServer(
    t,
    createServer((socket) => socket.end(String(socket.localAddress))),
  );
  assert.equal(await text(await tunnel(port, `rebinding.example:${echo}`)), "127.0.0.1");
  await assert.rejects(tunnel(port, `rebinding.example:${echo}`), /^Error: 403 /);
});

test("of several addresses one that answers is used, and only those that may be", async (t) => {
  const { port } = await anEdge(t, {
    egressOptions: {
      resolve: async () =>
        ["::1", "127.0.0.9", "127.0.0.1"].map((address) => ({ address, family: address === "::1" ? 6 : 4 })),
      reachable: (address) => address !== "127.0.0.9",
    },
  });
  const echo = await aServer(
    t,
    createServer((socket) => socket.end(String(socket.localAddress))),
  );
  assert.equal(await text(await tunnel(port, `several.example:${echo}`)), "127.0.0.1");
});

test("what cannot be reached gets 502 with a sentence", async (t) => {
  const edge = await anEdge(t);
  const closed = await aClosedPort();
  await assert.rejects(
    tunnel(edge.port, `127.0.0.1:${closed}`),
    /^Error: 502 The egress proxy could not reach .*ECONNREFUSED/,
  );
  await assert.rejects(tunnel(edge.port, "no-such-host.invalid:443"), /^Error: 502 .*no-such-host\.invalid/);
  const plain = await curlThrough(edge, "--write-out", "%{http_code}", `http://127.0.0.1:${closed}/`);
  assert.match(plain.stdout, /^The egress proxy could not reach .*ECONNREFUSED.*\n502$/);
  assert.ok((await reported(edge, 3)).every(({ reason }) => reason?.startsWith("The egress proxy could not reach")));
});

test("a malformed target gets 400", async (t) => {
  const { port } = await anEdge(t);
  await assert.rejects(tunnel(port, "example.com:0"), /^Error: 400 CONNECT needs a host and a port/);
  const https = await exchange(port, "GET https://a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  assert.match(https, /^HTTP\/1\.1 400 [\s\S]*must be asked with CONNECT/);
});
