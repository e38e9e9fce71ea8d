/**
 * `npm test`: everything; `npm run test:unit`: what needs neither containers nor AWS clients.
 * Files named `*.docker.test.ts` need a container engine; what stands in `tests/` drives a whole Slipway.
 * The last line says `N passed, M failed`.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { dataFolder } from "#cli/options.ts";

interface Counts {
  passed: number;
  failed: number;
}

/** Nothing in these touches what belongs to the process, and loading Slipway for each file takes longer than its tests. */
const TOGETHER =
  /^src\/(gateway\/(auth|authz|federation|protocols)|services\/(ecr|iam|kms|logs|organizations|s3|sts))\//;

/** Every other file is a process of its own that loads much of Slipway. */
const COMPILE_CACHE = new URL("../src/cli/compile-cache.cjs", import.meta.url).pathname;

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

/** Each file in a process of its own, or all of them in this one. */
async function testFiles(files: readonly string[], concurrency: number | "together"): Promise<void> {
  if (files.length === 0) throw new Error("There are no test files; the patterns in tools/test.ts are wrong");
  const execArgv = ["--disable-warning=ExperimentalWarning", `--require=${COMPILE_CACHE}`];
  const events = run(
    concurrency === "together"
      ? { files: [...files], isolation: "none" }
      : { files: [...files], concurrency, execArgv },
  );
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
  await testFiles(only, 1);
} else {
  if (!unitOnly) {
    check("types", "tsc", ["-p", "."]);
    check("lint, import rules and format", "biome", ["ci", "--diagnostic-level=error", "."]);
  }
  const units = beside.filter((file) => !isDocker(file));
  await testFiles(
    units.filter((file) => TOGETHER.test(file)),
    "together",
  );
  await testFiles(
    units.filter((file) => !TOGETHER.test(file)),
    3, // one more than the cores of a small machine: some of the files mostly wait
  );
  if (!unitOnly) {
    await prepareEngine();
    await testFiles(beside.filter(isDocker), 1);
    // Each of these has a Slipway of its own and measures itself against the clock of real containers: one at a time.
    await testFiles(whole, 1);
  }
}

process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
