/**
 * Resident memory of a Slipway that does nothing: right after it became ready, half a minute later, and half a minute after
 * a delivery, which uses the container engine and every service.
 */
import { setTimeout } from "node:timers/promises";
import { run } from "#setup/command.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import type { Conditions, Figure, Measurement } from "./measurement.ts";
import { delivery, preparedStory } from "./story-time.ts";

const IDLE_MS = 30_000;
const GOAL = { atMost: 150 };

export const memory: Measurement = { name: "memory", runs: 3, containers: false, measure };

export const memoryAfterUse: Measurement = {
  name: "memory-after-use",
  runs: 1,
  containers: true,
  measure: measureAfterUse,
};

async function measure({ runs, log }: Conditions): Promise<readonly Figure[]> {
  const started: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < runs; round++) {
    await using slipway = await SlipwayProcess.start();
    // A second start: the first one on a data folder has a database and keys to make, which loads more code.
    await slipway.kill();
    await slipway.start();
    started.push(await residentMegabytes(slipway.running.pid));
    await setTimeout(IDLE_MS);
    idle.push(await residentMegabytes(slipway.running.pid));
    log(`${started.at(-1)!.toFixed(1)} MB after the start, ${idle.at(-1)!.toFixed(1)} MB when idle`);
  }
  return [
    { name: "resident memory after the start", unit: "MB", values: started, goal: GOAL },
    { name: `resident memory after ${IDLE_MS / 1000} s idle`, unit: "MB", values: idle, goal: GOAL },
  ];
}

async function measureAfterUse({ runs, log }: Conditions): Promise<readonly Figure[]> {
  const values: number[] = [];
  for (let round = 0; round < runs; round++) {
    await using stack = new AsyncDisposableStack();
    const { slipway, story } = await preparedStory(stack);
    await delivery(story, "2");
    await setTimeout(IDLE_MS);
    values.push(await residentMegabytes(slipway.running.pid));
    log(`${values.at(-1)!.toFixed(1)} MB`);
  }
  return [{ name: `resident memory ${IDLE_MS / 1000} s after a delivery`, unit: "MB", values, goal: GOAL }];
}

async function residentMegabytes(pid: number): Promise<number> {
  const kibibytes = Number(await run("ps", ["-o", "rss=", "-p", String(pid)]));
  if (!(kibibytes > 0)) throw new Error(`ps knows no memory of process ${pid}`);
  return kibibytes / 1024;
}
