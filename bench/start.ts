/**
 * From starting the process of `slipway up` until it answers `GET /health`, on a data folder that was used before (its
 * database, keys and certificates are there, and the code is in Node's compile cache).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROGRAM } from "#cli/program.ts";
import { freePort } from "#tests/helpers/slipway-process.ts";
import type { Conditions, Figure, Measurement } from "./measurement.ts";

const GIVE_UP_AFTER_MS = 30_000;
/** Between two attempts to connect: what a figure may be too high by. */
const PAUSE_MS = 2;

export const start: Measurement = { name: "start", runs: 9, containers: false, measure };

async function measure({ runs, log }: Conditions): Promise<readonly Figure[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  try {
    const first = await startOnce(dataDir);
    const healthy: number[] = [];
    const banner: number[] = [];
    for (let run = 0; run < runs; run++) {
      const times = await startOnce(dataDir);
      log(`ready after ${times.healthy.toFixed(0)} ms`);
      healthy.push(times.healthy);
      banner.push(times.banner);
    }
    return [
      { name: "start to ready", unit: "ms", values: healthy, goal: { atMost: 500 } },
      { name: "  as the process itself says", unit: "ms", values: banner },
      { name: "  first start on an empty data folder", unit: "ms", values: [first.healthy] },
    ];
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function startOnce(dataDir: string): Promise<{ healthy: number; banner: number }> {
  const port = await freePort();
  const started = performance.now();
  const child = spawn(PROGRAM, ["up", "--data", dataDir, "--port", String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await answersHealth(port, child);
    const healthy = performance.now() - started;
    while (!output.includes("\n")) await once(child.stdout, "data");
    return { healthy, banner: Number(/ in (\d+) ms/.exec(output)?.[1]) };
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

async function answersHealth(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`slipway up ended with ${child.exitCode}`);
    if (await isHealthy(port)) return;
    if (Date.now() > deadline) throw new Error(`Slipway was not ready after ${GIVE_UP_AFTER_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** False while nothing listens. */
function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: "127.0.0.1", port, path: "/health", agent: false, timeout: GIVE_UP_AFTER_MS },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode === 200));
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${GIVE_UP_AFTER_MS} ms`)));
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve(false);
      else reject(error);
    });
  });
}
