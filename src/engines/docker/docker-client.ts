/** The connection to one Docker Engine: finds its socket at first use and turns its failures into the engine's own. */
import type { Readable } from "node:stream";
import { DockerApi, DockerApiError, jsonLines as lines } from "#docker/docker-api.ts";
import { EngineUnavailableError } from "#engines/engine.ts";

/** The HTTP status with which the daemon refused, or undefined where the failure is of another kind. */
export function refusalStatus(error: unknown): number | undefined {
  return error instanceof DockerApiError ? error.statusCode : undefined;
}

/** A Unix socket, or what finds one: asked at the first request, and again as long as it rejects. */
export type SocketPath = string | (() => Promise<string>);

export class DockerClient {
  readonly #socketPath: SocketPath;
  #docker: Promise<DockerApi> | undefined;

  /** `socketPath` undefined: what DOCKER_HOST says, else the platform's default socket. */
  constructor(socketPath: SocketPath | undefined) {
    this.#socketPath = socketPath ?? socketOf(process.env.DOCKER_HOST);
  }

  /** Runs one request. Throws EngineUnavailableError, DockerApiError, or the abort signal's error. */
  async call<Result>(request: (docker: DockerApi) => Promise<Result>): Promise<Result> {
    const docker = await this.#connected();
    try {
      return await request(docker);
    } catch (error) {
      throw toEngineError(error);
    }
  }

  #connected(): Promise<DockerApi> {
    this.#docker ??= connection(this.#socketPath).catch((error: unknown) => {
      this.#docker = undefined;
      throw new EngineUnavailableError(error instanceof Error ? error.message : String(error), { cause: error });
    });
    return this.#docker;
  }
}

async function connection(socketPath: SocketPath): Promise<DockerApi> {
  return new DockerApi(typeof socketPath === "function" ? await socketPath() : socketPath);
}

function socketOf(dockerHost: string | undefined): string {
  if (!dockerHost) return "/var/run/docker.sock";
  if (!dockerHost.startsWith("unix://")) throw new Error(`DOCKER_HOST is ${dockerHost}; only unix:// is supported`);
  return dockerHost.slice("unix://".length);
}

const connectionFailures: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/** What a failure of a request or of its response stream means; anything unknown is returned as it is. */
export function toEngineError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DockerApiError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  // ENOENT and EACCES also come from files; only a failed connect speaks of the daemon.
  if ((code !== undefined && connectionFailures.has(code)) || syscall === "connect") {
    return new EngineUnavailableError(`The Docker daemon does not answer: ${error.message}`, { cause: error });
  }
  return error;
}

/** The objects of a response that is one JSON document a line, as image progress and events are. */
export async function* jsonLines(response: Readable): AsyncGenerator<Record<string, unknown>> {
  try {
    yield* lines(response);
  } catch (error) {
    throw toEngineError(error);
  }
}
