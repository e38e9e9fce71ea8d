/** One container of the fake engine: its state, log and files, with no process behind them. */
import type { ContainerSpec, ContainerState, ExecResult, LogLine } from "#engines/engine.ts";

/** What a program does when its container starts. It goes on through the container's methods for as long as it likes. */
export type Behaviour = (container: FakeContainer) => void;

export class FakeContainer {
  readonly spec: ContainerSpec;
  readonly lines: LogLine[] = [];
  /** By absolute path: what `copyIn` put here and what the program wrote. */
  readonly files = new Map<string, Buffer>();
  /** Answers `exec`; absent, a call of it is a fault of the test. */
  onExec: ((command: readonly string[]) => ExecResult) | undefined;
  /** Called for SIGTERM; absent, the program exits with 143 at once, as one without a handler does. */
  onTerminate: (() => void) | undefined;
  readonly #changed: () => void;
  #state: ContainerState;

  constructor(spec: ContainerSpec, changed: () => void) {
    this.spec = spec;
    this.#changed = changed;
    this.#state = {
      name: spec.name,
      status: "created",
      exitCode: null,
      outOfMemory: false,
      health: "none",
      startedAt: null,
      finishedAt: null,
      error: undefined,
    };
  }

  get state(): ContainerState {
    return this.#state;
  }

  start(behaviour: Behaviour): void {
    const health = this.#hasHealthCheck ? "starting" : "none";
    this.#become({ status: "running", startedAt: new Date(), health });
    behaviour(this);
  }

  failToStart(error: string): void {
    this.#become({ status: "exited", exitCode: 127, error });
  }

  log(text: string, stream: LogLine["stream"] = "stdout"): void {
    this.#assertRunning("log");
    this.lines.push({ stream, text, timestamp: new Date(), index: this.lines.length });
    this.#changed();
  }

  writeFile(path: string, content: string | Buffer): void {
    this.files.set(path, Buffer.from(content));
  }

  health(health: "starting" | "healthy" | "unhealthy"): void {
    this.#assertRunning("change health");
    if (!this.#hasHealthCheck) throw new Error(`FakeEngine: ${this.spec.name} has no health check`);
    this.#become({ health });
  }

  exit(exitCode: number, options: { outOfMemory?: boolean } = {}): void {
    this.#assertRunning("exit");
    this.#become({
      status: "exited",
      exitCode,
      outOfMemory: options.outOfMemory ?? false,
      finishedAt: new Date(),
    });
  }

  get #hasHealthCheck(): boolean {
    const command = this.spec.healthCheck?.command;
    return command !== undefined && command[0] !== "NONE";
  }

  #assertRunning(what: string): void {
    if (this.#state.status === "running") return;
    throw new Error(`FakeEngine: ${this.spec.name} cannot ${what}: it is ${this.#state.status}`);
  }

  #become(change: Partial<ContainerState>): void {
    this.#state = { ...this.#state, ...change };
    this.#changed();
  }
}
