import type { ContainerInspectInfo } from "#docker/types.ts";
import { EngineUnavailableError, type LogLine } from "#engines/engine.ts";
import { pause } from "./changes.ts";
import { type DockerClient, refusalStatus, toEngineError } from "./docker-client.ts";
import { frames, LineAssembler } from "./log-lines.ts";

const reconnectDelayMs = 250;

export interface LogSource {
  readonly client: DockerClient;
  /** The container's name on the daemon. */
  readonly container: string;
  /** undefined where it does not exist. */
  inspect(): Promise<ContainerInspectInfo | undefined>;
  /** Resolves when it has been started or removed, or the signal aborts. */
  untilStarted(signal: AbortSignal | undefined): Promise<void>;
}

/**
 * One reading of the log as it stands, and of what is added while the container runs. The numbering starts with the
 * log's first line, so every reading numbers alike. An unfinished last line belongs to the log only once it is `final`.
 */
async function* reading(source: LogSource, final: boolean, signal: AbortSignal | undefined): AsyncGenerator<LogLine> {
  const response = await source.client.call((docker) =>
    docker.open("GET", `/containers/${source.container}/logs`, {
      query: { follow: true, stdout: true, stderr: true, timestamps: true },
      signal,
    }),
  );
  const lines = new LineAssembler();
  try {
    for await (const { stream, payload } of frames(response)) {
      yield* lines.add(stream, payload);
    }
  } catch (error) {
    throw toEngineError(error);
  }
  if (final) yield* lines.end();
}

/**
 * Every line from `skip` on until the container has exited or is gone. A reading that began while the container ran
 * can end for other reasons than its exit (the daemon restarts), so only one that began afterwards counts as the last.
 */
export async function* followedLines(
  source: LogSource,
  skip: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  let next = skip;
  let connectedOnce = false;
  let interrupted = false;
  while (!signal?.aborted) {
    try {
      const container = await source.inspect();
      connectedOnce = true;
      if (container === undefined) return;
      const { Status: status, Running: running, Error: startError } = container.State;
      if (status === "created" && startError === "") {
        await source.untilStarted(signal);
        continue;
      }
      if (running && interrupted) await pause(reconnectDelayMs, signal);
      interrupted = running;
      for await (const line of reading(source, !running, signal)) {
        if (line.index < next) continue;
        next = line.index + 1;
        yield line;
      }
      if (!running) return;
    } catch (error) {
      if (signal?.aborted) return;
      // Removed while its log was opened.
      if (refusalStatus(error) === 404) return;
      if (!(error instanceof EngineUnavailableError) || !connectedOnce) throw error;
      await pause(reconnectDelayMs, signal);
    }
  }
}
