/**
 * Wake-ups: "something about this key changed, look". A message carries no state, so a lost one costs time, never
 * correctness; polling is the safety net. Across processes it travels by the store's notifications.
 */
import { AsyncResource } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { type Notifications, outsideTransaction } from "./database.ts";

export class Bus {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #notifications: Notifications | undefined;
  /** Tells the database's echo of this process's own messages from the others'. */
  readonly #sender = randomUUID();

  constructor(notifications?: Notifications) {
    this.#notifications = notifications;
  }

  async start(): Promise<void> {
    await this.#notifications?.listen((payload) => {
      const [topic, key, sender] = JSON.parse(payload) as [string, string, string];
      if (sender !== this.#sender) this.#emitter.emit(topic, key);
    });
  }

  /** Call it after the transaction that changed something: a listener that looks at once must see the change. */
  publish(topic: string, key = ""): void {
    this.#emitter.emit(topic, key);
    if (!this.#notifications) return;
    // A failed notification is what polling is for.
    outsideTransaction(() => this.#notifications!.notify(JSON.stringify([topic, key, this.#sender])).catch(() => {}));
  }

  /** The listener runs in the subscriber's own async context, not in the publisher's transaction. */
  subscribe(topic: string, listener: (key: string) => void): () => void {
    const bound = AsyncResource.bind(listener);
    this.#emitter.on(topic, bound);
    return () => this.#emitter.off(topic, bound);
  }
}
