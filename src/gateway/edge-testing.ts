/** A listener with its authority and egress proxy on loopback, and the clients that tests drive it with. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { Egress, type EgressOptions, type EgressRecord } from "./egress.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import { TlsIssuer } from "./tls.ts";

export interface Edge {
  readonly listener: Listener;
  readonly port: number;
  readonly issuer: TlsIssuer;
  /** A file with our authority alone: a client that trusts it accepts nothing else. */
  readonly caFile: string;
  readonly records: EgressRecord[];
  readonly tlsErrors: Error[];
}

/** Local are the names under amazonaws.com; the policy allows all, the guard loopback too, unless the test says otherwise. */
export async function anEdge(
  test: TestContext,
  options: Partial<ListenerOptions> & {
    egress?: never;
    egressOptions?: Partial<EgressOptions>;
    allowPlain?: boolean;
  } = {},
): Promise<Edge> {
  const { egressOptions, allowPlain, ...listenerOptions } = options;
  const dir = await aFolder(test);
  const issuer = await TlsIssuer.open(dir);
  const caFile = join(dir, "ca.pem");
  const records: EgressRecord[] = [];
  const tlsErrors: Error[] = [];
  const egress = new Egress({
    local: (hostname) => hostname.endsWith(".amazonaws.com"),
    policy: () => "allow",
    reachable: () => true,
    onConnect: (record) => records.push(record),
    ...egressOptions,
  });
  const listener = new Listener({
    onRequest: describeRequest,
    onTlsError: (error) => tlsErrors.push(error),
    ...listenerOptions,
    tls: issuer,
    egress,
  });
  const { port } = await listener.listen("127.0.0.1", 0, allowPlain === undefined ? {} : { allowPlain });
  test.after(() => listener.close(0));
  return { listener, port, issuer, caFile, records, tlsErrors };
}

/** Answers with what arrived, as JSON; the body as text. */
export function describeRequest(req: IncomingMessage, res: ServerResponse): void {
  text(req).then(
    (body) => {
      const encrypted = "encrypted" in req.socket;
      res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, encrypted, body }));
    },
    (error: Error) => res.destroy(error),
  );
}

export async function aFolder(test: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "slipway-edge-"));
  test.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A server on a free port of loopback, closed with its connections when the test ends. */
export async function aServer<S extends Server>(test: TestContext, server: S): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  return (server.address() as AddressInfo).port;
}

/** A port of loopback that nobody listens on. */
export async function aClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a program without this machine's own proxy settings; `ok` is whether it exited with 0. */
export async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ ok: boolean; stdout: string; stderr: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !/_proxy$|^(AWS|SSL|CURL|REQUESTS)_/i.test(name));
  const options = { env: { ...Object.fromEntries(inherited), ...env }, maxBuffer: 2 ** 28, encoding: "utf8" } as const;
  try {
    return { ok: true, ...(await promisify(execFile)(program, args, options)) };
  } catch (error) {
    const { stdout = "", stderr = String(error) } = error as { stdout?: string; stderr?: string };
    return { ok: false, stdout, stderr };
  }
}

/** Sends text on a new connection and collects what comes until the server closes. */
export async function exchange(port: number, sent: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(sent);
  return text(socket);
}

export async function aFile(test: TestContext, content: Buffer): Promise<string> {
  const path = join(await aFolder(test), "file");
  await writeFile(path, content);
  return path;
}

/** curl as a build runs it: proxy and authority from the environment. */
export function curlThrough({ port, caFile }: Edge, ...args: string[]) {
  const proxy = `http://127.0.0.1:${port}`;
  const env = { https_proxy: proxy, http_proxy: proxy, no_proxy: "", SSL_CERT_FILE: caFile, CURL_CA_BUNDLE: caFile };
  return run("curl", ["-sS", "--max-time", "60", ...args], env);
}

/** Resolves when the proxy has reported `count` connections. */
export async function reported(edge: Edge, count: number): Promise<Edge["records"]> {
  while (edge.records.length < count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return edge.records;
}
