/** Following a group through the daemon's events. */
import { setTimeout as delay } from "node:timers/promises";
import { EngineUnavailableError } from "#engines/engine.ts";
import { type DockerClient, jsonLines } from "./docker-client.ts";

/** What changes a container's state; the `exec_…` events that every health check makes are left out. */
const actions = ["start", "die", "oom", "health_status", "destroy"] as const;

const reconnectDelayMs = 250;

export interface Subject<State> {
  readonly client: DockerClient;
  /** The `label` filter that selects the containers. */
  readonly labels: readonly string[];
  /** The state now; undefined where there is nothing to follow any more. */
  read(): Promise<State | undefined>;
  /** Whether nothing more can change. */
  isOver(state: State): boolean;
}

/**
 * The state now and after every change, each once, until it is over, gone, or the signal aborts. The events are only
 * the occasion to read the state again, so none can be missed by a broken connection: after it, the state is read anew.
 */
export async function* followedStates<State>(subject: Subject<State>, signal: AbortSignal): AsyncGenerator<State> {
  let known: string | undefined;
  while (!signal.aborted) {
    try {
      const events = await openEvents(subject, signal);
      for await (const _ of occasions(events)) {
        const state = await subject.read();
        if (state === undefined || signal.aborted) return;
        const text = JSON.stringify(state);
        if (text !== known) yield state;
        known = text;
        if (subject.isOver(state)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      const isInterruption = error instanceof EngineUnavailableError && known !== undefined;
      if (!isInterruption) throw error;
    }
    await delay(reconnectDelayMs, undefined, { signal }).catch(() => signal.throwIfAborted === undefined);
  }
}

/** Resolves once the daemon has subscribed: what happens from then on is in the stream. */
async function openEvents(
  { client, labels }: Subject<unknown>,
  signal: AbortSignal,
): Promise<AsyncIterable<Record<string, unknown>>> {
  const filters = { type: ["container"], label: [...labels], event: [...actions] };
  return jsonLines(await client.call((docker) => docker.getEvents({ filters, abortSignal: signal })));
}

/** Once at the beginning, then once an event. */
async function* occasions(events: AsyncIterable<unknown>): AsyncGenerator<void> {
  yield;
  for await (const _ of events) yield;
}
