/**
 * The clients of the measurement of requests, as a process of its own: reads a Load as JSON from its input, keeps every
 * connection busy with one request at a time for so many seconds, and writes a LoadResult as JSON.
 *
 * It works on bare sockets, because an HTTP client would cost as much as the server that it measures.
 */
import { connect, type Socket } from "node:net";
import { json } from "node:stream/consumers";

export interface Load {
  /** On 127.0.0.1, always. */
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Whether the clients have a core of their own. */
  readonly pinned: boolean;
  /** Whole requests as text, sent in turn. */
  readonly requests: readonly string[];
}

export interface LoadResult {
  readonly answered: number;
  /** With those of the warm-up. */
  readonly total: number;
  readonly seconds: number;
  /** The first answer that was not a 200. */
  readonly refusal?: string;
}

/** Not counted: connections are made, and V8 compiles what runs often, on the same core. */
const WARM_UP_SECONDS = 3;
const END_OF_HEAD = Buffer.from("\r\n\r\n");

class Client {
  answered = 0;
  refusal: string | undefined;
  readonly #socket: Socket;
  readonly #requests: readonly Buffer[];
  #next: number;
  #pending: Buffer = Buffer.alloc(0);

  constructor(port: number, requests: readonly Buffer[], first: number) {
    this.#requests = requests;
    this.#next = first;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => this.#send());
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => {
      this.refusal ??= String(error);
    });
    this.#socket.on("end", () => {
      this.refusal ??= "the connection was closed";
    });
  }

  stop(): void {
    this.#socket.destroy();
  }

  #send(): void {
    this.#socket.write(this.#requests[this.#next++ % this.#requests.length]!);
  }

  #receive(chunk: Buffer): void {
    const answer = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const headEnd = answer.indexOf(END_OF_HEAD);
    const head = headEnd < 0 ? "" : answer.toString("latin1", 0, headEnd);
    const length = headEnd < 0 ? Number.POSITIVE_INFINITY : Number(/\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (answer.length < headEnd + END_OF_HEAD.length + length) {
      this.#pending = answer;
      return;
    }
    this.#pending = Buffer.alloc(0);
    if (!head.startsWith("HTTP/1.1 200 ")) this.refusal ??= answer.toString();
    this.answered++;
    this.#send();
  }
}

const load = (await json(process.stdin)) as Load;
const requests = load.requests.map((request) => Buffer.from(request));
const clients = Array.from({ length: load.connections }, (_, index) => new Client(load.port, requests, index));
const answered = () => clients.reduce((sum, client) => sum + client.answered, 0);

// Never asleep on a core of their own: to wake another core is work of the one that answers, on a virtual machine through its
// host and then up to a sixth of all that Slipway does here. Clients elsewhere in a network ask no such thing of it.
let over = false;
(function poll() {
  if (load.pinned && !over) setImmediate(poll);
})();

await passed(WARM_UP_SECONDS);
const before = { answered: answered(), time: performance.now() };
await passed(load.seconds);
const seconds = (performance.now() - before.time) / 1000;
over = true;
const result: LoadResult = {
  answered: answered() - before.answered,
  total: answered(),
  seconds,
  ...refusal(),
};
for (const client of clients) client.stop();
process.stdout.write(JSON.stringify(result));

function refusal(): Pick<LoadResult, "refusal"> {
  const found = clients.find((client) => client.refusal !== undefined)?.refusal;
  return found === undefined ? {} : { refusal: found };
}

function passed(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
