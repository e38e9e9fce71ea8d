import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type ActionAddress,
  currentStage,
  type Event,
  type ExecutionState,
  ImpossibleEventError,
  type PipelineState,
  transition,
  waitingAt,
} from "./states.ts";

interface Scenario {
  readonly title: string;
  readonly mode: PipelineState["mode"];
  readonly stages: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly steps: readonly {
    readonly do: string;
    readonly started?: readonly string[];
    readonly abandoned?: readonly string[];
    readonly executions?: Readonly<Record<string, string>>;
    readonly fails?: boolean;
  }[];
}

const folder = new URL("./scenarios/", import.meta.url);
const scenarios = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Scenario);

const NO_EVENT: Event = { type: "changed" };

class Player {
  #pipeline: PipelineState;
  readonly #stages: Scenario["stages"];

  constructor({ mode, stages }: Pick<Scenario, "mode" | "stages">) {
    this.#pipeline = { mode, closed: [], executions: [] };
    this.#stages = stages;
  }

  get executions(): readonly ExecutionState[] {
    return this.#pipeline.executions;
  }

  play(command: string) {
    const [verb = "", subject = "", place = ""] = command.split(" ");
    if (verb === "start") this.#add(subject);
    if (verb === "close") this.#pipeline = { ...this.#pipeline, closed: [subject] };
    if (verb === "open") this.#pipeline = { ...this.#pipeline, closed: [] };
    const outcome = transition(this.#pipeline, toEvent(verb, subject, place));
    this.#pipeline = { ...this.#pipeline, executions: outcome.executions };
    return outcome;
  }

  #add(id: string): void {
    const stages = Object.entries(this.#stages).map(([name, actions]) => ({
      name,
      status: "NotStarted" as const,
      actions: Object.entries(actions).map(([action, runOrder]) => ({
        name: action,
        runOrder,
        status: "NotStarted" as const,
      })),
    }));
    const execution: ExecutionState = { id, sequence: this.executions.length + 1, status: "InProgress", stages };
    this.#pipeline = { ...this.#pipeline, executions: [...this.executions, execution] };
  }
}

function toEvent(verb: string, execution: string, place: string): Event {
  const [stage = "", action = ""] = place.split("/");
  switch (verb) {
    case "succeed":
      return { type: "action-ended", execution, stage, action, outcome: "Succeeded" };
    case "fail":
      return { type: "action-ended", execution, stage, action, outcome: "Failed" };
    case "stop":
    case "abandon":
      return { type: "stop", execution, abandon: verb === "abandon" };
    case "retry":
    case "retry-all":
      return { type: "retry", execution, stage, failedActionsOnly: verb === "retry" };
    default:
      return NO_EVENT;
  }
}

function shown(execution: ExecutionState): string {
  const inside = currentStage(execution);
  const waiting = waitingAt(execution);
  if (inside) return `${execution.status} ${inside.name}`;
  return waiting ? `${execution.status} (${waiting.name})` : execution.status;
}

const address = ({ execution, stage, action }: ActionAddress) => `${execution} ${stage}/${action}`;

describe("pipeline states", () => {
  for (const { title, steps, ...pipeline } of scenarios) {
    it(title, () => {
      const player = new Player(pipeline);
      for (const [index, step] of steps.entries()) {
        const where = `step ${index + 1}: ${step.do}`;
        if (step.fails) {
          assert.throws(() => player.play(step.do), ImpossibleEventError, where);
          continue;
        }
        const { started, abandoned } = player.play(step.do);
        assert.deepEqual(started.map(address), step.started ?? [], where);
        assert.deepEqual(abandoned.map(address), step.abandoned ?? [], where);
        for (const [id, expected] of Object.entries(step.executions ?? {})) {
          assert.equal(shown(player.executions.find((execution) => execution.id === id)!), expected, `${where}, ${id}`);
        }
      }
    });
  }

  it("keeps one execution in a stage and starts no action twice, whatever happens", () => {
    const command = fc.record({
      verb: fc.constantFrom(
        "start",
        "succeed",
        "succeed",
        "succeed",
        "fail",
        "stop",
        "abandon",
        "retry",
        "close",
        "open",
      ),
      pick: fc.nat(),
    });
    const stages = { Source: { App: 1 }, Build: { Lint: 1, Image: 2 }, Deploy: { ECS: 1 } };
    fc.assert(
      fc.property(fc.constantFrom("SUPERSEDED", "QUEUED"), fc.array(command, { maxLength: 60 }), (mode, commands) => {
        const player = new Player({ mode: mode as PipelineState["mode"], stages });
        const running = new Set<string>();
        let count = 0;
        for (const { verb, pick } of commands) {
          const chosen = toCommand(verb, pick, player.executions, [...running], ++count);
          if (chosen === undefined) continue;
          if (verb === "succeed" || verb === "fail") running.delete(chosen.slice(chosen.indexOf(" ") + 1));
          const { started, abandoned } = player.play(chosen);
          for (const item of abandoned.map(address)) assert.ok(running.delete(item), `${item} did not run`);
          for (const item of started.map(address)) {
            assert.ok(!running.has(item), `${item} runs already`);
            running.add(item);
          }
          for (const stage of Object.keys(stages)) {
            const inside = player.executions.filter((execution) => currentStage(execution)?.name === stage);
            assert.ok(inside.length <= 1, `${inside.length} executions in ${stage} after ${chosen}`);
          }
        }
      }),
    );
  });
});

/** undefined where the state offers nothing for the verb. */
function toCommand(
  verb: string,
  pick: number,
  executions: readonly ExecutionState[],
  running: readonly string[],
  count: number,
): string | undefined {
  const chosen = <T>(from: readonly T[]) => from[pick % Math.max(from.length, 1)];
  if (verb === "start") return `start e${count}`;
  if (verb === "close" || verb === "open") return `${verb} Build`;
  if (verb === "succeed" || verb === "fail") {
    const item = chosen(running);
    return item && `${verb} ${item}`;
  }
  if (verb === "stop") {
    const execution = chosen(executions.filter(({ status }) => status === "InProgress"));
    return execution && `stop ${execution.id}`;
  }
  if (verb === "abandon") {
    const execution = chosen(executions.filter(({ status }) => status === "InProgress" || status === "Stopping"));
    return execution && `abandon ${execution.id}`;
  }
  // A retry is for the latest execution in a stage, while nobody is in it: the operation sees to that.
  const occupied = executions.map((execution) => currentStage(execution)?.name);
  const failed = executions.flatMap(({ id, stages }) =>
    stages
      .filter(({ name, status }) => (status === "Failed" || status === "Stopped") && !occupied.includes(name))
      .map(({ name }) => `retry ${id} ${name}`),
  );
  return chosen(failed);
}
