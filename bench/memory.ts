/** Resident memory of a Slipway that does nothing: right after it became ready, and half a minute later. */
import { setTimeout } from "node:timers/promises";
import { run } from "#setup/command.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import type { Conditions, Figure, Measurement } from "./measurement.ts";

const IDLE_MS = 30_000;
const GOAL = { atMost: 150 };

export const memory: Measurement = { name: "memory", runs: 3, containers: false, measure };

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

async function residentMegabytes(pid: number): Promise<number> {
  const kibibytes = Number(await run("ps", ["-o", "rss=", "-p", String(pid)]));
  if (!(kibibytes > 0)) throw new Error(`ps knows no memory of process ${pid}`);
  return kibibytes / 1024;
}
