/** Why a build must end before its time: somebody stopped it, or its time is up. Looked at while the runner waits. */
import type { System } from "#gateway/context.ts";
import { findBuildByUuid } from "../store/builds.ts";
import { BUILD_TOPIC } from "../submit-build.ts";

export type InterruptionStatus = "STOPPED" | "TIMED_OUT";

/** setTimeout counts milliseconds in 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Interruption implements Disposable {
  readonly #system: System;
  readonly #uuid: string;
  readonly #deadline: Date;
  readonly #abort = new AbortController();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | undefined;
  #status: InterruptionStatus | undefined;

  private constructor(system: System, uuid: string, deadline: Date) {
    this.#system = system;
    this.#uuid = uuid;
    this.#deadline = deadline;
    this.#unsubscribe = system.bus.subscribe(BUILD_TOPIC, (key) => {
      if (key === uuid) this.#look();
    });
    this.#armTimer();
  }

  /** Knows at once whether the build is interrupted already. */
  static async watch(system: System, uuid: string, deadline: Date): Promise<Interruption> {
    const interruption = new Interruption(system, uuid, deadline);
    await interruption.#check();
    return interruption;
  }

  /** Aborts when the build is interrupted. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get status(): InterruptionStatus | undefined {
    return this.#status;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#check().catch((error: unknown) =>
      this.#system.log("warn", "a build's stop request could not be read", { build: this.#uuid, error: String(error) }),
    );
  }

  async #check(): Promise<void> {
    if (this.#status !== undefined) return;
    const record = await findBuildByUuid(this.#system.db, this.#uuid);
    if (record?.stopRequested) this.#interrupt("STOPPED");
    else if (this.#system.clock.now() >= this.#deadline) this.#interrupt("TIMED_OUT");
  }

  #interrupt(status: InterruptionStatus): void {
    this.#status ??= status;
    this.#abort.abort(new Error(`The build was interrupted: ${status}`));
  }

  #armTimer(): void {
    const left = this.#deadline.getTime() - this.#system.clock.now().getTime();
    this.#timer = setTimeout(
      () => (left > MAX_TIMER_MS ? this.#armTimer() : this.#look()),
      Math.min(Math.max(left, 0), MAX_TIMER_MS),
    );
  }
}
