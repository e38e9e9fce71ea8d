/** The connection to one Docker Engine: loads `dockerode` at first use and turns its failures into the engine's own. */
import type Docker from "dockerode";
import { EngineUnavailableError } from "#engines/engine.ts";

/** The daemon answered, with an error. `message` is its own sentence. */
export class DockerApiError extends Error {
  override readonly name = "DockerApiError";
  readonly statusCode: number;

  constructor(statusCode: number, message: string, cause: unknown) {
    super(message, { cause });
    this.statusCode = statusCode;
  }
}

/** The HTTP status with which the daemon refused, or undefined where the failure is of another kind. */
export function refusalStatus(error: unknown): number | undefined {
  return error instanceof DockerApiError ? error.statusCode : undefined;
}

/** A Unix socket, or what finds one: asked at the first request, and again as long as it rejects. */
export type SocketPath = string | (() => Promise<string>);

export class DockerClient {
  readonly #socketPath: SocketPath | undefined;
  #docker: Promise<Docker> | undefined;

  /** `socketPath` undefined: what DOCKER_HOST says, else the platform's default socket. */
  constructor(socketPath: SocketPath | undefined) {
    this.#socketPath = socketPath;
  }

  /** Whether the daemon shares this process's kernel, as far as its address tells. */
  get isLocal(): boolean {
    const host = process.env.DOCKER_HOST;
    return this.#socketPath !== undefined || host === undefined || host === "" || host.startsWith("unix://");
  }

  /** Runs one request. Throws EngineUnavailableError, DockerApiError, or the abort signal's error. */
  async call<Result>(request: (docker: Docker) => Promise<Result>): Promise<Result> {
    const docker = await this.#connected();
    try {
      return await request(docker);
    } catch (error) {
      throw toEngineError(error);
    }
  }

  #connected(): Promise<Docker> {
    this.#docker ??= connection(this.#socketPath).catch((error: unknown) => {
      this.#docker = undefined;
      throw new EngineUnavailableError(error instanceof Error ? error.message : String(error), { cause: error });
    });
    return this.#docker;
  }
}

/** Loading dockerode takes a quarter of a second, which `slipway up` does not wait for. */
async function connection(given: SocketPath | undefined): Promise<Docker> {
  const { default: DockerConstructor } = await import("dockerode");
  const socketPath = typeof given === "function" ? await given() : given;
  // An explicit `host: undefined` keeps DOCKER_HOST from overruling the socket that was asked for.
  return socketPath === undefined
    ? new DockerConstructor()
    : new DockerConstructor({ socketPath, host: undefined, protocol: "http" });
}

interface RequestFailure {
  readonly statusCode?: number;
  readonly json?: unknown;
  readonly code?: string;
  readonly syscall?: string;
  readonly message?: string;
}

const connectionFailures: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/** What a failure of a request or of its response stream means; anything unknown is returned as it is. */
export function toEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DockerApiError) return error;
  const failure: RequestFailure = error;
  if (failure.statusCode !== undefined) {
    return new DockerApiError(failure.statusCode, refusalMessage(failure), error);
  }
  const unreachable = failure.code !== undefined && connectionFailures.has(failure.code);
  // ENOENT and EACCES also come from files; only a failed connect speaks of the daemon.
  if (unreachable || failure.syscall === "connect") {
    return new EngineUnavailableError(`The Docker daemon does not answer: ${error.message}`, { cause: error });
  }
  return error;
}

/** docker-modem wraps the daemon's sentence as `(HTTP code 404) no such container - SENTENCE `. */
function refusalMessage(failure: RequestFailure): string {
  const body = failure.json;
  if (typeof body === "object" && body !== null && "message" in body && typeof body.message === "string") {
    return body.message;
  }
  return (failure.message ?? "").replace(/^\(HTTP code \d+\) .*? - /, "").trim();
}

/** The objects of a response that is one JSON document a line, as image progress and events are. */
export async function* jsonLines(response: NodeJS.ReadableStream): AsyncGenerator<Record<string, unknown>> {
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
    }
  } catch (error) {
    throw toEngineError(error);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}
