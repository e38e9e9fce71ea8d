/**
 * `npm test`: everything; `npm run test:unit`: what needs neither containers nor AWS clients.
 * Files named `*.docker.test.ts` need a container engine; what stands in `tests/` drives a whole Slipway.
 * The last line says `N passed, M failed`.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { dataFolder } from "#cli/options.ts";

interface Counts {
  passed: number;
  failed: number;
}

/** One more than the cores of a small machine, because some tests mostly wait. Their tests touch nothing of the process's own. */
const UNIT_PROCESSES = 3;
const GROUP = fileURLToPath(new URL("test-group.ts", import.meta.url));

/** Every process loads much of Slipway. */
const COMPILE_CACHE = fileURLToPath(new URL("../src/cli/compile-cache.cjs", import.meta.url));
const EXEC_ARGV = ["--disable-warning=ExperimentalWarning", `--require=${COMPILE_CACHE}`];

const unitOnly = process.argv[2] === "unit";
const only = process.argv[2] !== undefined && !unitOnly ? process.argv.slice(2) : undefined;
const counts: Counts = { passed: 0, failed: 0 };

/** A command that must succeed counts as one test. */
function check(name: string, command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(`node_modules/.bin/${command}`, args, {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const passed = status === 0;
  process.stdout.write(`${passed ? "✔" : "✖"} ${name}${error ? `: ${error.message}` : ""}\n`);
  counts[passed ? "passed" : "failed"]++;
}

/** One file after the other, each in a process of its own. */
async function testFiles(files: readonly string[]): Promise<void> {
  if (files.length === 0) throw new Error("There are no test files; the patterns in tools/test.ts are wrong");
  await reported(run({ files: [...files], concurrency: 1, execArgv: EXEC_ARGV }));
}

/** All of the files in a few processes. */
async function testTogether(files: readonly string[]): Promise<void> {
  const groups = Array.from({ length: UNIT_PROCESSES }, (_, group) =>
    files.filter((_, index) => index % UNIT_PROCESSES === group),
  );
  await Promise.all(groups.map((argv) => reported(run({ files: [GROUP], argv, execArgv: EXEC_ARGV }))));
}

async function reported(events: ReturnType<typeof run>): Promise<void> {
  events.on("test:pass", ({ details, skip }) => {
    if (details.type !== "suite" && !skip) counts.passed++;
  });
  events.on("test:fail", ({ details }) => {
    // A suite fails with its tests, which are counted, or by itself: a hook that throws.
    const { failureType } = details.error as { failureType?: string };
    if (details.type !== "suite" || failureType !== "subtestsFailed") counts.failed++;
  });
  const report = events.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await new Promise((resolve) => report.once("end", resolve));
}

async function prepareEngine(): Promise<void> {
  const { ensureContainerEngine } = await import("#setup/container-engine.ts");
  const { ensureImages } = await import("#setup/images.ts");
  const log = (line: string) => void process.stdout.write(`${line}\n`);
  const dataDir = dataFolder(undefined);
  const { socketPath } = await ensureContainerEngine({ dataDir, log });
  process.env.DOCKER_HOST = `unix://${socketPath}`;
  await ensureImages({ socketPath, dataDir, names: ["standard", "cruddur-python"], log });
}

const isDocker = (file: string) => file.endsWith(".docker.test.ts");
const beside = globSync("src/**/*.test.ts").sort();
const whole = globSync("tests/**/*.test.ts").sort();

if (only) {
  if (only.some((file) => isDocker(file) || file.startsWith("tests/"))) await prepareEngine();
  await testFiles(only);
} else {
  if (!unitOnly) {
    check("types", "tsc", ["-p", "."]);
    check("lint, import rules and format", "biome", ["ci", "--diagnostic-level=error", "."]);
  }
  await testTogether(beside.filter((file) => !isDocker(file)));
  if (!unitOnly) {
    await prepareEngine();
    await testFiles(beside.filter(isDocker));
    // Each of these has a Slipway of its own and measures itself against the clock of real containers: one at a time.
    await testFiles(whole);
  }
}

process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
