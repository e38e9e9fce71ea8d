/** Turns a connection that opens with a TLS ClientHello into the plain stream inside it. */
import { isIPv4, type Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Leaf, TlsIssuer } from "./tls.ts";

/** A handshake is two round trips and, for a name's first client, the making of a certificate. */
const HANDSHAKE_TIMEOUT_MS = 20_000;

/** HTTP/1.1 is all that node:http speaks; a client that offers only h2 is told so in the handshake (RFC 7301 §3.2). */
const ALPN_PROTOCOLS = ["http/1.1"];

export interface TlsTerminatorEvents {
  readonly onSecure: (socket: TLSSocket) => void;
  readonly onError: (error: Error, clientAddress: string) => void;
}

export class TlsTerminator {
  readonly #issuer: TlsIssuer;
  readonly #events: TlsTerminatorEvents;
  /**
   * node:tls binds the certificate for clients that name no server to a `Server`, so there is one for each such
   * certificate; it goes with the certificate when that is renewed. None of them listens.
   */
  readonly #servers = new WeakMap<Leaf, Server>();

  constructor(issuer: TlsIssuer, events: TlsTerminatorEvents) {
    this.#issuer = issuer;
    this.#events = events;
  }

  /**
   * Performs the handshake on `socket`, which must be paused with the ClientHello unread, and hands the secured socket to
   * `onSecure`. The certificate is for the name in the ClientHello (SNI), else for the address that the client connected to:
   * clients send no name for `https://127.0.0.1:4566/`. A failed handshake destroys the socket and is reported.
   * Never rejects.
   */
  async accept(socket: Socket): Promise<void> {
    const clientAddress = socket.remoteAddress ?? "";
    try {
      const leaf = await this.#issuer.leafFor(plainAddress(socket.localAddress));
      if (!socket.destroyed) {
        this.#serverFor(leaf).emit("connection", socket);
      }
    } catch (error) {
      socket.destroy();
      this.#events.onError(error instanceof Error ? error : new Error(String(error)), clientAddress);
    }
  }

  #serverFor(leaf: Leaf): Server {
    const known = this.#servers.get(leaf);
    if (known !== undefined) {
      return known;
    }
    const server = createServer(
      {
        cert: leaf.certificatePem,
        key: leaf.privateKeyPem,
        ca: this.#issuer.caPem,
        ALPNProtocols: ALPN_PROTOCOLS,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        SNICallback: (serverName, done) => {
          this.#issuer.contextFor(serverName).then((context) => done(null, context), done);
        },
      },
      this.#events.onSecure,
    );
    server.on("tlsClientError", (error, socket) => {
      const clientAddress = socket.remoteAddress ?? "";
      socket.destroy();
      this.#events.onError(error, clientAddress);
    });
    this.#servers.set(leaf, server);
    return server;
  }
}

/** An IPv4 address as such where a dual-stack socket reports it as `::ffff:a.b.c.d`; localhost for a connection gone already. */
function plainAddress(address: string | undefined): string {
  const mapped = address?.replace(/^::ffff:/i, "");
  return mapped !== undefined && isIPv4(mapped) ? mapped : (address ?? "localhost");
}
