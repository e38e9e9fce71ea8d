/** A build in the hands of its runner: the record as it was last written, and the one way to write it. */
import type { Build } from "@aws-sdk/client-codebuild";
import type { System } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { agentLine } from "../buildspec/agent-log.ts";
import type { BuildRecord, BuildRun, LogPosition } from "../model.ts";
import { type BuildEvent, toNextState } from "../states.ts";
import { updateBuild } from "../store/builds.ts";
import { BUILD_TOPIC } from "../submit-build.ts";
import type { LogDelivery } from "./log-delivery.ts";

export interface LogText {
  readonly time: Date;
  readonly text: string;
}

/** What happened since the last write; all of it is written together or not at all. */
export interface Change {
  readonly events?: readonly BuildEvent[];
  readonly build?: Partial<Build>;
  readonly run?: Partial<Omit<BuildRun, "logs">>;
  /** For the build's log. */
  readonly log?: readonly LogText[];
  /** The agent's own lines, of now. */
  readonly agent?: readonly string[];
  /** How many of the container's lines have been dealt with, these included. */
  readonly cursor?: number;
  readonly also?: (trx: Database) => Promise<void>;
}

export class RunningBuild {
  readonly system: System;
  #record: BuildRecord;
  #delivery: LogDelivery | undefined;

  constructor(system: System, record: BuildRecord) {
    this.system = system;
    this.#record = record;
  }

  get record(): BuildRecord {
    return this.#record;
  }

  get build(): Build {
    return this.#record.build;
  }

  get run(): BuildRun {
    return this.#record.run;
  }

  get now(): Date {
    return this.system.clock.now();
  }

  /** The name of the container's group: one for a build, however often its runner starts. */
  get groupId(): string {
    return `build-${this.#record.uuid}`;
  }

  /** From here on log lines are delivered; before, they are dropped, since there is no log to put them into. */
  deliverTo(delivery: LogDelivery | undefined): void {
    this.#delivery = delivery;
  }

  async commit(change: Change): Promise<void> {
    await this.commitIf(async () => true, change);
  }

  /** Writes the change if the condition holds in the same transaction; returns whether it did. */
  async commitIf(condition: (trx: Database) => Promise<boolean>, change: Change): Promise<boolean> {
    const build = (change.events ?? []).reduce(toNextState, { ...this.build, ...change.build });
    const agent = (change.agent ?? []).map((text) => ({ time: this.now, text: agentLine(this.now, text) }));
    const written = await inTransaction(this.system.db, async (trx) => {
      if (!(await condition(trx))) return undefined;
      const delivered = await this.#deliver(trx, [...(change.log ?? []), ...agent]);
      const logs = { ...delivered, cursor: change.cursor ?? delivered.cursor };
      const record = await updateBuild(trx, this.#record, { build, run: { ...this.run, ...change.run, logs } });
      // Rolls the log lines back too: they are the other runner's now.
      if (!record) throw new Error(`Build ${build.id} has been taken over by another process`);
      await change.also?.(trx);
      return record;
    });
    if (!written) return false;
    this.#record = written;
    if (change.events || change.build) this.system.bus.publish(BUILD_TOPIC, written.uuid);
    return true;
  }

  async #deliver(trx: Database, texts: readonly LogText[]): Promise<LogPosition> {
    const { logs } = this.run;
    if (texts.length === 0 || !this.#delivery || logs.failure !== undefined) return logs;
    let lastTimestamp = logs.lastTimestamp;
    const events = texts.map(({ time, text }) => {
      lastTimestamp = Math.max(lastTimestamp, time.getTime());
      // CodeBuild's events end with the newline of their line, which also lets an empty line be an event.
      return { timestamp: lastTimestamp, message: `${text}\n` };
    });
    const failure = await this.#delivery.put(trx, events);
    return failure === undefined ? { ...logs, lastTimestamp } : { ...logs, failure };
  }
}
