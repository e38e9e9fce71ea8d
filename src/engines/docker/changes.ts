/** Following a group through the daemon's events. */
import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { EngineUnavailableError } from "#engines/engine.ts";
import { type DockerClient, jsonLines } from "./docker-client.ts";

/** What changes a container's state; the `exec_…` events that every health check makes are left out. */
const actions = ["start", "die", "oom", "health_status", "destroy"] as const;

const reconnectDelayMs = 250;

/** Emits a group's id when a start of one of its containers failed, which is the one change docker has no event for. */
export type FailedStarts = EventEmitter<Record<string, []>>;

export interface Subject<State> {
  readonly client: DockerClient;
  readonly groupId: string;
  readonly failedStarts: FailedStarts;
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
    const renewal = new AbortController();
    const renew = () => renewal.abort();
    subject.failedStarts.once(subject.groupId, renew);
    let events: Readable | undefined;
    try {
      events = await subscription(subject, AbortSignal.any([signal, renewal.signal]));
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
      if (!isInterruption && !renewal.signal.aborted) throw error;
    } finally {
      subject.failedStarts.off(subject.groupId, renew);
      events?.destroy();
    }
    if (!renewal.signal.aborted) await pause(reconnectDelayMs, signal);
  }
}

/** Resolves early when the signal aborts. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** Resolves once the daemon has subscribed: what happens from then on is in the stream. */
async function subscription({ client, labels }: Subject<unknown>, signal: AbortSignal): Promise<Readable> {
  const query = { filters: { type: ["container"], label: labels, event: actions } };
  return await client.call((docker) => docker.open("GET", "/events", { query, signal }));
}

/** Once at the beginning, then once an event. */
async function* occasions(events: Readable): AsyncGenerator<void> {
  yield;
  for await (const _ of jsonLines(events)) yield;
}
