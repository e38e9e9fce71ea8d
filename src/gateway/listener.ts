/**
 * The network edge: TCP connections in, node:http requests out. One port speaks everything, and a connection's first byte
 * decides what it is: 0x16 opens a TLS handshake (RFC 8446 §5.1: content type handshake), anything else is HTTP. `CONNECT`
 * and absolute-form requests inside either are for the egress proxy.
 *
 * Only the first chunk of a connection is looked at here; afterwards the socket belongs to one node:http server, as if that
 * had accepted it, so a request costs nothing more.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Egress } from "./egress.ts";
import { endWithSentence } from "./raw-response.ts";
import type { TlsIssuer } from "./tls.ts";
import { TlsTerminator } from "./tls-terminator.ts";

const TLS_HANDSHAKE = 0x16;
const SLASH = 0x2f;
const ASTERISK = 0x2a;

/** A client must say something, and then its whole header, within this time. */
const HEADERS_TIMEOUT_MS = 30_000;

/** AWS's SDKs keep idle connections for at most 60 s (Java); the server must not be the one to close first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** A connection in the middle of a request that moves no byte for so long is dead. Uploads as such have no limit. */
const STALLED_TIMEOUT_MS = 10 * 60_000;

/** Session tokens, presigned URLs that carry one, and S3's 2 KB of user metadata together: more than node's 16 KB. */
const MAX_HEADER_BYTES = 64 * 1024;

/** How often connections that became idle are looked for while closing. */
const CLOSING_SWEEP_MS = 50;

/** Keeps listening sockets open while the process that accepts from them is started again. */
export interface HeldSockets {
  /** The addresses whose sockets this process was given by the one before it. */
  readonly inherited: readonly string[];
  /** The descriptor of the socket that listens on this address already; undefined where it must be bound. */
  take(address: string): number | undefined;
  /** One more address is listened on. */
  hold(address: string, server: NetServer): void;
}

export interface ListenerOptions {
  /**
   * Every request for this process: direct, through TLS, or through the egress proxy. `req.socket.encrypted` tells the
   * scheme, `req.headers.host` the host, and `req.url` is in origin form. It must not throw.
   */
  readonly onRequest: (req: IncomingMessage, res: ServerResponse) => void;
  /** A WebSocket handshake; without it such requests go to `onRequest`, as does every other Upgrade (h2c: Java asks for it). */
  readonly onUpgrade?: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly tls: TlsIssuer;
  readonly egress: Egress;
  /** A failed TLS handshake: most often a client that does not trust our authority. The connection is closed already. */
  readonly onTlsError?: (error: Error, clientAddress: string) => void;
  readonly headersTimeoutMs?: number;
  readonly heldSockets?: HeldSockets | undefined;
}

export class Listener {
  readonly #http: Server;
  readonly #tls: TlsTerminator;
  readonly #egress: Egress;
  readonly #onRequest: ListenerOptions["onRequest"];
  readonly #headersTimeoutMs: number;
  readonly #heldSockets: HeldSockets | undefined;
  readonly #servers = new Set<NetServer>();
  /** Every accepted TCP connection, whatever it has become. */
  readonly #connections = new Set<Socket>();
  /** Those that have not sent anything yet. */
  readonly #silent = new Set<Socket>();
  #closing = false;

  constructor(options: ListenerOptions) {
    this.#onRequest = options.onRequest;
    this.#egress = options.egress;
    this.#heldSockets = options.heldSockets;
    this.#headersTimeoutMs = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
    this.#tls = new TlsTerminator(options.tls, {
      onSecure: (socket) => {
        tolerateErrors(socket);
        this.#serve(socket);
      },
      onError: options.onTlsError ?? (() => undefined),
    });
    this.#http = this.#httpServer(options.onUpgrade);
  }

  /**
   * Accepts connections on one more address; port 0 takes a free one. Rejects where the address cannot be bound.
   * Without `allowPlain`, which is for loopback and the container bridge, a connection without TLS is answered 426.
   */
  listen(host: string, port: number, { allowPlain = true }: { allowPlain?: boolean } = {}): Promise<AddressInfo> {
    // As node:http's own: half-open, because a client may end its side after the request (an HTTP server ends the other).
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
      this.#dispatch(socket, allowPlain);
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const fd = this.#heldSockets?.take(host);
      server.listen(fd === undefined ? { port, host } : { fd }, () => {
        server.off("error", reject);
        if (this.#closing) {
          // Closed while the address was being bound: a server left open would keep the process alive.
          server.close();
          reject(new Error("The listener is closed"));
          return;
        }
        this.#servers.add(server);
        this.#heldSockets?.hold(host, server);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /**
   * Stops accepting at once, lets what is under way finish for `graceMs`, then cuts what is left. Resolves when every
   * connection is closed. The listener cannot be used again.
   */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const closed = [...this.#servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    this.#http.closeIdleConnections();
    const sweep = setInterval(() => this.#http.closeIdleConnections(), CLOSING_SWEEP_MS);
    destroyAll(this.#silent);
    const deadline = setTimeout(() => destroyAll(this.#connections), graceMs);
    await Promise.all(closed);
    clearInterval(sweep);
    clearTimeout(deadline);
    // Stops the watch over headersTimeout. The server itself never listened, which is all that the callback would say.
    this.#http.close(() => undefined);
  }

  #httpServer(onUpgrade: ListenerOptions["onUpgrade"]): Server {
    const server = createHttpServer(
      {
        headersTimeout: this.#headersTimeoutMs,
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: Math.min(this.#headersTimeoutMs, 5_000),
        maxHeaderSize: MAX_HEADER_BYTES,
        shouldUpgradeCallback: (req) => onUpgrade !== undefined && req.headers.upgrade?.toLowerCase() === "websocket",
      },
      (req, res) => this.#route(req, res),
    );
    server.timeout = STALLED_TIMEOUT_MS;
    server.on("connect", (req: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.setTimeout(0);
      void this.#egress.connect(req, socket, head, (client) => this.#dispatch(client, true));
    });
    if (onUpgrade !== undefined) {
      server.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
        socket.setTimeout(0);
        if (req.url!.charCodeAt(0) === SLASH || this.#egress.originForm(req)) {
          onUpgrade(req, socket, head);
        } else {
          endWithSentence(
            socket,
            501,
            "The proxy does not forward upgrades; it must be asked for a tunnel with CONNECT.",
          );
        }
      });
    }
    // node:http starts to watch over headersTimeout on this event; this server gets its connections by hand instead.
    server.emit("listening");
    return server;
  }

  /** Looks at the first byte of a connection, or of what a tunnel carries, and passes the socket on unread. */
  #dispatch(socket: Socket, allowPlain: boolean): void {
    const onTimeout = () => socket.destroy();
    const onEnd = () => socket.end();
    const onClose = () => this.#silent.delete(socket);
    this.#silent.add(socket);
    tolerateErrors(socket);
    socket.setTimeout(this.#headersTimeoutMs, onTimeout);
    socket.once("end", onEnd);
    socket.once("close", onClose);
    socket.once("data", (chunk: Buffer) => {
      this.#silent.delete(socket);
      socket.setTimeout(0);
      socket.off("timeout", onTimeout);
      socket.off("end", onEnd);
      socket.off("close", onClose);
      socket.pause();
      socket.unshift(chunk);
      if (chunk[0] === TLS_HANDSHAKE) {
        void this.#tls.accept(socket);
      } else if (allowPlain) {
        this.#serve(socket);
      } else {
        // RFC 9110 §15.5.22: a 426 must say in Upgrade what it wants.
        endWithSentence(socket, 426, "This address is served with TLS only: use https.", {
          Upgrade: "TLS/1.2",
          Connection: "Upgrade, close",
        });
      }
    });
  }

  #serve(socket: Socket): void {
    this.#http.emit("connection", socket);
    socket.resume();
  }

  #route(req: IncomingMessage, res: ServerResponse): void {
    if (this.#closing) {
      res.shouldKeepAlive = false;
    }
    const first = req.url!.charCodeAt(0);
    if (first === SLASH || first === ASTERISK) {
      this.#onRequest(req, res);
    } else {
      void this.#egress.forward(req, res, this.#onRequest);
    }
  }
}

/**
 * Peers vanish: "close" follows and says all there is to know. node:http listens for errors while it has the socket, but not
 * once a tunnel or an upgrade took it over, and an "error" without a listener would end the process.
 */
function tolerateErrors(socket: Socket): void {
  socket.on("error", () => undefined);
}

function destroyAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) {
    socket.destroy();
  }
}
