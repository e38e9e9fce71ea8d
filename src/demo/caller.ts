/** A client that calls the application through the load balancer all along and remembers every answer that was not a 200. */
import { Agent, request } from "node:http";

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The load balancer's name, which it recognises in the Host header. */
  readonly name: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 5_000;
const PAUSE_MS = 50;

export function get(target: Target, path: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: target.host,
        port: target.port,
        path,
        headers: { host: target.name },
        timeout: TIMEOUT_MS,
        ...(agent && { agent }),
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        response.on("error", reject);
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    call.on("error", reject);
    call.end();
  });
}

/** The version that `/` says; undefined while nothing answers with one. */
export async function servedVersion(target: Target): Promise<string | undefined> {
  try {
    const { status, body } = await get(target, "/");
    return status === 200 ? (JSON.parse(body) as { version?: string }).version : undefined;
  } catch {
    return undefined; // nothing listens yet, or it is no JSON: asked again by the caller
  }
}

export class Caller {
  readonly #target: Target;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #loop: Promise<void>;
  #stopped = false;
  calls = 0;
  readonly failures: string[] = [];

  constructor(target: Target) {
    this.#target = target;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.calls++;
      try {
        const { status, body } = await get(this.#target, "/api/health-check", this.#agent);
        if (status !== 200) this.failures.push(`${new Date().toISOString()} ${status} ${body.slice(0, 200)}`);
      } catch (error) {
        this.failures.push(`${new Date().toISOString()} ${(error as Error).message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
