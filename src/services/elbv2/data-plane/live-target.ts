/** A registered target as traffic sees it: its connections, and what is under way to it. */
import { createHash } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Target, TargetGroup } from "../model.ts";

/** Below the 60 s or more for which servers commonly keep idle connections. */
const IDLE_CONNECTION_MS = 4_000;

export class LiveTarget {
  /** What stickiness cookies carry: opaque, and the same in every process. */
  readonly token: string;
  readonly id: string;
  readonly port: number;
  readonly protocol: TargetGroup["protocol"];
  readonly #pooled: HttpAgent | HttpsAgent;
  readonly #aborts = new Set<() => void>();
  #target: Target;

  constructor(target: Target, protocol: TargetGroup["protocol"]) {
    this.#target = target;
    this.id = target.id;
    this.port = target.port;
    this.protocol = protocol;
    this.token = tokenOf(target.targetGroupArn, target.id, String(target.port));
    const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
    // ALB does not validate its targets' certificates either.
    this.#pooled =
      protocol === "HTTPS" ? new HttpsAgent({ ...options, rejectUnauthorized: false }) : new HttpAgent(options);
  }

  get target(): Target {
    return this.#target;
  }

  get outstanding(): number {
    return this.#aborts.size;
  }

  get draining(): boolean {
    return this.#target.drainingUntil !== undefined;
  }

  /** Connections that are kept for the next request. */
  get agent(): HttpAgent | HttpsAgent {
    return this.#pooled;
  }

  update(target: Target): void {
    this.#target = target;
    if (this.draining) this.#closeIdle();
  }

  /** Counts a request until the returned function is called; `abort` is called if the target goes away before. */
  begin(abort: () => void): () => void {
    this.#aborts.add(abort);
    return () => {
      this.#aborts.delete(abort);
      if (this.draining) this.#closeIdle();
    };
  }

  /** The target is gone: what is still under way ends now. */
  close(): void {
    for (const abort of this.#aborts) abort();
    this.#pooled.destroy();
  }

  /** So that a target which waits for its connections to close can stop. */
  #closeIdle(): void {
    for (const sockets of Object.values(this.#pooled.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

export function tokenOf(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("|")).digest("base64url");
}
