/** INSTALL to POST_BUILD: the program in the container runs by itself; here its output becomes the build's record and log. */
import { GroupNotFoundError, type LogLine } from "#engines/engine.ts";
import { type ControlEvent, parseControlLine, phaseContext } from "../buildspec/control-events.ts";
import { earlyEnd, type PhaseEnd } from "../states.ts";
import { NONCE_PURPOSE } from "../submit-build.ts";
import { CONTAINER } from "./build-container.ts";
import type { Interruption } from "./interruption.ts";
import { logBatches } from "./log-batches.ts";
import type { Change, LogText, RunningBuild } from "./running-build.ts";

/**
 * Returns when the container's log has ended, or the container is no more. The program's own word that it has ended is not
 * enough: it comes on another stream than the log, whose last lines may be behind. The container is stopped when the build
 * is interrupted.
 */
export async function followProgram(
  running: RunningBuild,
  interruption: Interruption,
  signal: AbortSignal,
): Promise<void> {
  const { engine } = running.system;
  const nonce = running.system.cipher.open(NONCE_PURPOSE, running.run.sealedNonce)!.toString();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping = engine.stop(running.groupId);
    // Looked at below, once the log has ended.
    stopping.catch(() => {});
  };
  if (interruption.signal.aborted) stop();
  else interruption.signal.addEventListener("abort", stop, { once: true });
  try {
    const lines = engine.logs(running.groupId, CONTAINER, { skip: running.run.logs.cursor, signal });
    const isEvent = (line: LogLine) => line.stream === "stderr";
    for await (const batch of logBatches(lines, isEvent)) {
      await running.commit(toChange(running, batch, nonce, interruption.status));
    }
    await stopping;
  } catch (error) {
    // The container is gone, with all that it could have said.
    if (!(error instanceof GroupNotFoundError)) throw error;
  } finally {
    interruption.signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
}

/** What a batch of the container's lines says about the build. */
export function toChange(
  running: Pick<RunningBuild, "build" | "run">,
  batch: readonly LogLine[],
  nonce: string,
  interrupted: PhaseEnd | undefined,
): Change {
  const log: LogText[] = [];
  const events: ControlEvent[] = [];
  for (const line of batch) {
    const event = line.stream === "stderr" ? parseControlLine(line.text, nonce) : undefined;
    if (event) events.push(event);
    else log.push({ time: line.timestamp, text: line.text });
  }
  const cursor = batch.at(-1)!.index + 1;
  if (events.length === 0) return { log, cursor };
  const exported = events.filter((event) => event.event === "exported-variable");
  const expanded = events.filter((event) => event.event === "expanded");
  const end = events.find((event) => event.event === "build-ended");
  const { exportedEnvironmentVariables = [] } = running.build;
  return {
    log,
    cursor,
    events: events.flatMap((event) => toBuildEvents(event, interrupted)),
    build: {
      ...(exported.length > 0 && {
        exportedEnvironmentVariables: [
          ...exportedEnvironmentVariables,
          ...exported.map(({ name, value }) => ({ name, value })),
        ],
      }),
    },
    run: {
      expansions: {
        ...running.run.expansions,
        ...Object.fromEntries(expanded.map(({ text, value }) => [text, value])),
      },
      ...(end && { outcome: { status: end.status, uploadArtifacts: end.uploadArtifacts } }),
    },
  };
}

function toBuildEvents(
  event: ControlEvent,
  interrupted: PhaseEnd | undefined,
): NonNullable<Change["events"]>[number][] {
  if (event.event === "phase-started") return [{ type: "entered", phase: event.phase, at: event.time }];
  if (event.event !== "phase-ended") return [];
  // The program knows that it was told to stop, not why.
  const status = event.status === "STOPPED" ? (interrupted ?? "STOPPED") : event.status;
  return [{ type: "ended", phase: event.phase, status, at: event.time, contexts: [phaseContext(event)] }];
}

/** For a program whose container ended without a word. */
export async function endAbruptly(running: RunningBuild, interrupted: PhaseEnd | undefined): Promise<void> {
  const outcome = { status: interrupted ? "STOPPED" : "FAILED", uploadArtifacts: false } as const;
  if (interrupted) {
    await running.commit({ events: earlyEnd(running.build, interrupted, running.now), run: { outcome } });
    return;
  }
  const group = await running.system.engine.state(running.groupId);
  const [container] = group?.containers ?? [];
  const reason = container?.outOfMemory
    ? "it was out of memory"
    : "it was out of memory, or the Docker image is not supported";
  const context = {
    statusCode: "INTERNAL_SERVICE_ERROR",
    message: `Build container found dead before completing the build. Build container died because ${reason}.`,
  };
  await running.commit({ events: earlyEnd(running.build, "FAULT", running.now, [context]), run: { outcome } });
}
