/**
 * The Docker Engine API over its Unix socket (https://docs.docker.com/reference/api/engine/version/v1.41/), on node:http: a
 * client library would bring SSH and gRPC with it, and 20 MB that a Slipway never gives back. Paths have no version, so the
 * daemon takes its own.
 */
import { type IncomingMessage, request } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { json, text } from "node:stream/consumers";

/** The daemon answered, with an error. `message` is its own sentence. */
export class DockerApiError extends Error {
  override readonly name = "DockerApiError";
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

export interface DockerRequest {
  /** What is neither text, number nor boolean (`filters`) is sent as JSON; undefined is left out. */
  readonly query?: Readonly<Record<string, unknown>>;
  /** A stream is sent as a tar archive, anything else as JSON. */
  readonly body?: unknown;
  readonly auth?: RegistryAuth | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class DockerApi {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async get<Result>(path: string, options?: DockerRequest): Promise<Result> {
    return (await json(await this.open("GET", path, options))) as Result;
  }

  /** undefined where the answer is empty. */
  async post<Result = undefined>(path: string, options?: DockerRequest): Promise<Result> {
    const answer = await text(await this.open("POST", path, options));
    return (answer.trim() === "" ? undefined : JSON.parse(answer)) as Result;
  }

  async delete(path: string, options?: DockerRequest): Promise<void> {
    await text(await this.open("DELETE", path, options));
  }

  /**
   * Resolves with the response once its header is there. Throws DockerApiError for any status from 300 on, else what
   * node:http throws: a failed connection, an abort, or the error of the body's stream.
   */
  async open(method: string, path: string, { query = {}, body, auth, signal }: DockerRequest = {}) {
    const isStream = typeof body === "object" && body !== null && "pipe" in body;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request({
        socketPath: this.#socketPath,
        method,
        path: `${path}${queryString(query)}`,
        headers: {
          Host: "docker",
          ...(body !== undefined && { "Content-Type": isStream ? "application/x-tar" : "application/json" }),
          ...(auth && { "X-Registry-Auth": base64Url(JSON.stringify(auth)) }),
        },
        // A connection of its own: one that waits to be used again breaks when the daemon is started anew.
        agent: false,
        ...(signal && { signal }),
      });
      outgoing.once("response", resolve);
      outgoing.on("error", reject);
      if (isStream) pipeline(body as Readable, outgoing, (error) => error && reject(error));
      else outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
    const { statusCode = 0 } = response;
    if (statusCode >= 300) throw new DockerApiError(statusCode, await refusal(response));
    return response;
  }
}

async function refusal(response: IncomingMessage): Promise<string> {
  const answer = await text(response);
  try {
    return (JSON.parse(answer) as { message: string }).message.trim();
  } catch {
    // 304 and the answers to HEAD have no body.
    return answer.trim() || `${response.statusMessage}`;
  }
}

function queryString(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  const written = given.map(([key, value]): [string, string] => [
    key,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  return `?${new URLSearchParams(written)}`;
}

/** With padding, which the daemon's decoder wants. */
function base64Url(content: string): string {
  return Buffer.from(content).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** A line of the answer to a pull, a push, an import or a build. Errors come so too: the status was sent long before. */
export interface ProgressLine {
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly aux?: { readonly ID?: string };
}

/** The objects of a response that is one JSON document a line, as progress and events are. */
export async function* jsonLines<Line = Record<string, unknown>>(response: Readable): AsyncGenerator<Line> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line);
  }
  if (rest.trim() !== "") yield JSON.parse(rest);
}
