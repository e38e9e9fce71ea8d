/**
 * Starts a detached Slipway again when it was killed, without a refused connection in between. A shell of a megabyte inherits
 * the listening sockets and waits at a pipe. When Slipway ends in order, it says so through the pipe and the shell goes; when
 * it is killed, the pipe just closes and the shell becomes the next Slipway, with the same arguments, the same sockets and
 * a number of restarts. Who connects meanwhile waits in the kernel's queue.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:net";
import type { Writable } from "node:stream";
import { PROGRAM } from "./program.ts";

/** A Slipway that was started again and dies within this time is not started once more. */
const SETTLED_AFTER_S = 5;

/** $1: the time from which on a restart is due, in seconds since 1970; the rest is the command. */
const SCRIPT = `read -r _ && exit 0
if [ "$(date +%s)" -lt "$1" ]; then
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) error Slipway was started again and died within ${SETTLED_AFTER_S} s; it is not started once more" >&2
  exit 1
fi
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) warn Slipway was killed; it is started again" >&2
shift
exec "$@"`;

const VARIABLE = "SLIPWAY_HELD_SOCKETS";
/** Descriptors below are stdin, stdout and stderr. */
const FIRST_DESCRIPTOR = 3;

interface Inheritance {
  readonly restarts: number;
  /** Addresses in the order of their descriptors. */
  readonly addresses: readonly string[];
}

/** What makes the process that is given it keep a holder. */
export function heldEnvironment(inheritance: Inheritance = { restarts: 0, addresses: [] }): Record<string, string> {
  return { [VARIABLE]: JSON.stringify(inheritance) };
}

/** The gateway's HeldSockets. */
export class SocketHolder {
  readonly restarts: number;
  readonly inherited: readonly string[];
  /** By address: what was inherited and is not listened on yet, then what is. */
  readonly #descriptors = new Map<string, number>();
  readonly #onChange: (holderPid: number) => void;
  #holder: ChildProcess | undefined;
  /** The first start keeps no holder before it succeeded: one that fails is not to be tried again. */
  #isHolding: boolean;

  private constructor({ restarts, addresses }: Inheritance, onChange: (holderPid: number) => void) {
    this.restarts = restarts;
    this.inherited = addresses;
    this.#onChange = onChange;
    this.#isHolding = restarts > 0;
    addresses.forEach((address, index) => {
      this.#descriptors.set(address, FIRST_DESCRIPTOR + index);
    });
  }

  /** undefined where this process is not to be held. `onChange` is told every new holder. */
  static ofThisProcess(onChange: (holderPid: number) => void): SocketHolder | undefined {
    const inheritance = process.env[VARIABLE];
    delete process.env[VARIABLE];
    return inheritance === undefined ? undefined : new SocketHolder(JSON.parse(inheritance), onChange);
  }

  /** The holder, if there is one yet. */
  get pid(): number | undefined {
    return this.#holder?.pid;
  }

  take(address: string): number | undefined {
    return this.#descriptors.get(address);
  }

  hold(address: string, server: Server): void {
    // Not in Node's types: child processes can be given a descriptor, but not a server.
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    this.#descriptors.set(address, fd);
    if (this.#isHolding) this.#replace();
  }

  /** From now on a killed Slipway is started again. */
  start(): void {
    this.#isHolding = true;
    if (this.#holder === undefined) this.#replace();
  }

  /** Resolves when the holder has gone; a kill after that is final. */
  async release(): Promise<void> {
    this.#isHolding = false;
    const holder = this.#holder;
    dismiss(holder);
    if (holder && holder.exitCode === null && holder.signalCode === null) await once(holder, "exit");
  }

  /** The old one goes first: two of them would start two Slipways. */
  #replace(): void {
    dismiss(this.#holder);
    const addresses = [...this.#descriptors.keys()];
    const startedAt = Date.now() - performance.now();
    const restartFrom = this.restarts === 0 ? 0 : Math.ceil(startedAt / 1000) + SETTLED_AFTER_S;
    const command = [PROGRAM, ...process.argv.slice(2)];
    const holder = spawn("sh", ["-c", SCRIPT, "sh", String(restartFrom), ...command], {
      stdio: ["pipe", "inherit", "inherit", ...this.#descriptors.values()],
      env: { ...process.env, ...heldEnvironment({ restarts: this.restarts + 1, addresses }) },
      detached: true,
    });
    holder.on("error", () => undefined); // no shell, or no room for one: then a kill is final
    holder.stdin?.on("error", () => undefined);
    holder.unref();
    (holder.stdin as (Writable & { unref?(): void }) | null)?.unref?.();
    this.#holder = holder;
    if (holder.pid !== undefined) this.#onChange(holder.pid);
  }
}

function dismiss(holder: ChildProcess | undefined): void {
  holder?.stdin?.end("\n");
}
