/**
 * The egress proxy: how builds and tasks reach anything outside themselves.
 *
 * AWS's names (`local`) are answered by this process as if the client had connected to it directly; everything else goes out
 * if the policy allows, to addresses that the guard allows (egress-guard.ts), and each host is reported.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { forwarded } from "./egress-forward.ts";
import { isReachable, pinnedLookup, type ResolvedAddress, systemAddresses } from "./egress-guard.ts";
import { type AbsoluteTarget, absoluteTarget, connectTarget, displayName, type EgressTarget } from "./egress-target.ts";
import { joinSockets } from "./egress-tunnel.ts";
import { endWithSentence } from "./raw-response.ts";

const CONNECT_TIMEOUT_MS = 15_000;

/** Longer than AWS's NAT gateway keeps a silent connection (350 s), shorter than forever. */
const IDLE_TIMEOUT_MS = 15 * 60_000;

/** A host's next address is tried while the previous is still being connected to (RFC 8305 §5 recommends 250 ms). */
const NEXT_ADDRESS_MS = 250;

export type EgressDecision = "local" | "allow" | "deny";

/** One tunnel or forwarded request, reported when it is over. */
export interface EgressRecord {
  readonly host: string;
  readonly port: number;
  readonly clientAddress: string;
  readonly decision: EgressDecision;
  /** Why nothing was exchanged, or not all of it: a sentence. undefined when all went well. */
  readonly reason: string | undefined;
  /** From the client, and to it; as they crossed the network. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** When it began, milliseconds since the epoch. */
  readonly at: number;
}

export interface EgressOptions {
  /** Whether this process answers for the host itself. */
  readonly local: (hostname: string, port: number) => boolean;
  /** Asked for every other host; `client` is the client's address. A policy that throws or rejects denies. */
  readonly policy: (hostname: string, port: number, client: string) => "allow" | "deny" | Promise<"allow" | "deny">;
  readonly onConnect?: (record: EgressRecord) => void;
  /** Default: the system's resolver. */
  readonly resolve?: (hostname: string) => Promise<readonly ResolvedAddress[]>;
  /** Whether the proxy may connect to an address. Default: neither this machine nor its link. */
  readonly reachable?: (address: string) => boolean;
  readonly connectTimeoutMs?: number;
  /** A tunnel that carries nothing for so long is closed. */
  readonly idleTimeoutMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** What the client is told instead of what it asked for. */
class EgressRefusal extends Error {
  readonly status: 400 | 403 | 502;
  readonly decision: EgressDecision;

  constructor(status: 400 | 403 | 502, decision: EgressDecision, sentence: string) {
    super(sentence);
    this.status = status;
    this.decision = decision;
  }
}

type Report = (outcome: Pick<EgressRecord, "decision" | "reason" | "bytesUp" | "bytesDown">) => void;

export class Egress {
  readonly #options: Required<EgressOptions>;

  constructor(options: EgressOptions) {
    this.#options = {
      onConnect: () => undefined,
      resolve: systemAddresses,
      reachable: isReachable,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      now: Date.now,
      ...options,
    };
  }

  /**
   * Answers `CONNECT host:port`. The arguments are those of node:http's "connect" event. For a local host, `client` is given
   * to `reenter` once it was told 200, and what it sends next is a new connection's first byte.
   * Resolves when the tunnel stands or was refused; never rejects.
   */
  async connect(req: IncomingMessage, client: Socket, head: Buffer, reenter: (client: Socket) => void): Promise<void> {
    const target = connectTarget(req.url ?? "");
    if (target === undefined) {
      endWithSentence(
        client,
        400,
        `CONNECT needs a host and a port, as in "example.com:443"; this is ${JSON.stringify(req.url)}.`,
      );
      return;
    }
    const report = this.#reporter(target, client);
    try {
      const upstream = this.#isLocal(target) ? undefined : await this.#connected(target, client);
      if (client.destroyed) {
        upstream?.destroy();
        throw new EgressRefusal(502, "allow", "The client closed the connection before the tunnel stood.");
      }
      if (head.length > 0) {
        client.unshift(head);
      }
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      reportWhenClosed(client, upstream === undefined ? "local" : "allow", report);
      if (upstream === undefined) {
        reenter(client);
      } else {
        joinSockets(client, upstream, this.#options.idleTimeoutMs);
      }
    } catch (error) {
      const { status, decision, message } = toRefusal(error);
      report({ decision, reason: message, bytesUp: 0, bytesDown: 0 });
      endWithSentence(client, status, message);
    }
  }

  /**
   * Answers a request in absolute form (`GET http://host/path`). A local host's goes to `handle` in origin form, with the
   * target's authority as its Host header, the proxy's own headers removed; any other is forwarded. Never rejects.
   */
  async forward(
    req: IncomingMessage,
    res: ServerResponse,
    handle: (req: IncomingMessage, res: ServerResponse) => void,
  ): Promise<void> {
    const target = absoluteTarget(req.url ?? "");
    if (target === undefined) {
      answer(res, 400, "The proxy forwards http:// URLs; for https:// it must be asked with CONNECT.");
      return;
    }
    const report = this.#reporter(target, req.socket);
    try {
      if (!this.#isLocal(target)) {
        await this.#forwardOut(req, res, target, report);
        return;
      }
    } catch (error) {
      const { status, decision, message } = toRefusal(error);
      report({ decision, reason: message, bytesUp: 0, bytesDown: 0 });
      answer(res, status, message);
      return;
    }
    this.originForm(req);
    const [readBefore, writtenBefore] = [req.socket.bytesRead, req.socket.bytesWritten];
    res.once("close", () => {
      const bytesUp = req.socket.bytesRead - readBefore;
      const bytesDown = req.socket.bytesWritten - writtenBefore;
      report({ decision: "local", reason: undefined, bytesUp, bytesDown });
    });
    handle(req, res);
  }

  /**
   * Rewrites a request in absolute form for a local host as the host's own server gets it (RFC 9112 §3.2.2). false, and
   * nothing changed, where it is not such a request.
   */
  originForm(req: IncomingMessage): boolean {
    const target = absoluteTarget(req.url ?? "");
    if (target === undefined || !this.#isLocal(target)) {
      return false;
    }
    req.url = target.path;
    req.headers.host = target.authority;
    delete req.headers["proxy-connection"];
    delete req.headers["proxy-authorization"];
    return true;
  }

  async #forwardOut(req: IncomingMessage, res: ServerResponse, target: AbsoluteTarget, report: Report): Promise<void> {
    const { bytesUp, bytesDown, error } = await forwarded(req, res, target, {
      lookup: await this.#lookupFor(target, req.socket),
      connectTimeoutMs: this.#options.connectTimeoutMs,
      idleMs: this.#options.idleTimeoutMs,
    });
    if (error !== undefined && !res.headersSent) {
      throw unreachable(target, error);
    }
    const reason = error && `The exchange with ${displayName(target)} broke off: ${errorDetail(error)}.`;
    report({ decision: "allow", reason, bytesUp, bytesDown });
  }

  #isLocal({ hostname, port }: EgressTarget): boolean {
    return this.#options.local(hostname, port);
  }

  /** A connection to the target. Rejects with an EgressRefusal. */
  async #connected(target: EgressTarget, client: Socket): Promise<Socket> {
    const lookup = await this.#lookupFor(target, client);
    return new Promise((resolve, reject) => {
      const upstream = connect({
        host: target.hostname,
        port: target.port,
        lookup,
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
      });
      const fail = (error: Error) => {
        client.off("close", abandon);
        upstream.destroy();
        reject(unreachable(target, error));
      };
      const abandon = () => fail(new Error("the client closed the connection"));
      upstream.setTimeout(this.#options.connectTimeoutMs, () => fail(new Error("it did not answer in time")));
      upstream.once("error", fail);
      client.once("close", abandon);
      upstream.once("connect", () => {
        client.off("close", abandon);
        upstream.off("error", fail);
        upstream.setTimeout(0).removeAllListeners("timeout");
        resolve(upstream);
      });
    });
  }

  /** What resolves the target to the addresses that were checked. Rejects with an EgressRefusal when it must not be reached. */
  async #lookupFor(target: EgressTarget, client: Socket): Promise<LookupFunction> {
    const { hostname, port } = target;
    const decision = await this.#options.policy(hostname, port, client.remoteAddress ?? "");
    if (decision !== "allow") {
      throw new EgressRefusal(403, "deny", `The egress policy does not allow connections to ${displayName(target)}.`);
    }
    const addresses = (await this.#resolved(target)).filter(({ address }) => this.#options.reachable(address));
    if (addresses.length === 0) {
      throw new EgressRefusal(
        403,
        "deny",
        `The egress proxy does not connect to ${displayName(target)}: its address is this machine's own, or of the local link only.`,
      );
    }
    return pinnedLookup(addresses);
  }

  async #resolved(target: EgressTarget): Promise<readonly ResolvedAddress[]> {
    const family = isIP(target.hostname);
    if (family === 4 || family === 6) {
      return [{ address: target.hostname, family }];
    }
    try {
      return await this.#options.resolve(target.hostname);
    } catch (error) {
      throw unreachable(target, error);
    }
  }

  #reporter({ hostname, port }: EgressTarget, client: Socket): Report {
    const at = this.#options.now();
    const clientAddress = client.remoteAddress ?? ""; // gone once the socket is closed
    return (outcome) => this.#options.onConnect({ host: hostname, port, clientAddress, at, ...outcome });
  }
}

/** Reports a tunnel that stands, with the bytes that crossed it, when the client's connection closes. */
function reportWhenClosed(client: Socket, decision: EgressDecision, report: Report): void {
  const [readBefore, writtenBefore] = [client.bytesRead, client.bytesWritten];
  client.once("close", () => {
    const bytesUp = client.bytesRead - readBefore;
    const bytesDown = client.bytesWritten - writtenBefore;
    report({ decision, reason: undefined, bytesUp, bytesDown });
  });
}

function unreachable(target: EgressTarget, error: unknown): EgressRefusal {
  const detail = error instanceof Error ? errorDetail(error) : String(error);
  return new EgressRefusal(502, "allow", `The egress proxy could not reach ${displayName(target)}: ${detail}.`);
}

/** With several addresses tried, node:net reports an AggregateError without a message of its own. */
function errorDetail(error: Error): string {
  const causes = error instanceof AggregateError ? error.errors : [error];
  return causes.map((cause: unknown) => (cause instanceof Error ? cause.message : String(cause))).join("; ");
}

/** A fault of the policy or of ours denies: what cannot be decided is not let through. */
function toRefusal(error: unknown): EgressRefusal {
  if (error instanceof EgressRefusal) {
    return error;
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new EgressRefusal(
    403,
    "deny",
    `The egress policy could not be evaluated, so the connection is denied: ${detail}.`,
  );
}

function answer(res: ServerResponse, status: number, sentence: string): void {
  const body = `${sentence}\n`;
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": Buffer.byteLength(body) });
  res.end(body);
}
