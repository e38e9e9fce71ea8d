/**
 * `npm run bench [-- --only NAME[,NAME…]] [--runs N]`: measures what the project promises, prints the medians as a table and
 * writes all values as JSON. Everything stays on this machine and stops by itself. Exit status 1: a measurement failed;
 * a goal that is not reached is a finding, not a failure.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { dataFolder } from "#cli/options.ts";
import { authz } from "./authz.ts";
import { buildOverhead } from "./build-overhead.ts";
import { type Measurement, type Summary, summary } from "./measurement.ts";
import { memory, memoryAfterUse } from "./memory.ts";
import { requests } from "./requests.ts";
import { start } from "./start.ts";
import { storyTime } from "./story-time.ts";
import { table } from "./table.ts";

const MEASUREMENTS: readonly Measurement[] = [start, requests, authz, memory, memoryAfterUse, buildOverhead, storyTime];
const RESULTS = new URL("results/latest.json", import.meta.url);

interface Result {
  readonly measurement: string;
  /** Of the last minute, before and after: figures taken on a busy machine say little. */
  readonly loadAverage: readonly [before: number, after: number];
  readonly figures: readonly Summary[];
  readonly failure?: string;
}

const log = (line: string) => void process.stderr.write(`${line}\n`);

const { values } = parseArgs({ options: { only: { type: "string" }, runs: { type: "string" } } });
const chosen = chosenMeasurements(values.only);
const runs = values.runs === undefined ? undefined : Number(values.runs);
if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) throw new Error("--runs takes a number from 1 up");

if (chosen.some(({ containers }) => containers)) await prepareContainers();
const results: Result[] = [];
for (const measurement of chosen) results.push(await resultOf(measurement));

const machine = { node: process.version, cpu: cpus()[0]?.model, cpus: cpus().length, platform: process.platform };
mkdirSync(new URL(".", RESULTS), { recursive: true });
writeFileSync(RESULTS, `${JSON.stringify({ at: new Date().toISOString(), machine, results }, null, 2)}\n`);
process.stdout.write(
  `${table(results.flatMap(({ figures }) => figures))}\n${machine.cpus} x ${machine.cpu}, Node ${machine.node}\n`,
);
for (const { measurement, loadAverage } of results) {
  process.stdout.write(`load average at ${measurement}: ${loadAverage.map((load) => load.toFixed(2)).join(" to ")}\n`);
}
process.stdout.write(`All values: ${RESULTS.pathname}\n`);
if (results.some(({ failure }) => failure !== undefined)) process.exitCode = 1;

function chosenMeasurements(only: string | undefined): readonly Measurement[] {
  if (only === undefined) return MEASUREMENTS;
  return only.split(",").map((name) => {
    const found = MEASUREMENTS.find((measurement) => measurement.name === name);
    if (!found)
      throw new Error(`--only takes ${MEASUREMENTS.map((one) => one.name).join(", ")}; there is no "${name}"`);
    return found;
  });
}

async function resultOf({ name, runs: usual, measure }: Measurement): Promise<Result> {
  const before = loadavg()[0]!;
  log(`${name} …`);
  try {
    const figures = await measure({ runs: runs ?? usual, log: (line) => log(`  ${line}`) });
    return { measurement: name, loadAverage: [before, loadavg()[0]!], figures: figures.map(summary) };
  } catch (error) {
    const failure = String((error as Error).stack ?? error);
    log(`${name} failed: ${failure}`);
    return { measurement: name, loadAverage: [before, loadavg()[0]!], figures: [], failure };
  }
}

/** As `npm test` does: an engine that answers in DOCKER_HOST, and both base images in it. */
async function prepareContainers(): Promise<void> {
  const { ensureContainerEngine } = await import("#setup/container-engine.ts");
  const { ensureImages } = await import("#setup/images.ts");
  const dataDir = dataFolder(undefined);
  const { socketPath } = await ensureContainerEngine({ dataDir, log });
  process.env.DOCKER_HOST = `unix://${socketPath}`;
  await ensureImages({ socketPath, dataDir, names: ["standard", "cruddur-python"], log });
}
