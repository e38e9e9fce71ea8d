/**
 * Every scenario of `tests/scenarios/aws-cli`, with whatever `aws` is on the PATH, against one Slipway. Each scenario
 * has an account of its own (the access key id is the account), so they do not see each other and run side by side.
 * Those about credentials themselves have a second Slipway, which checks them.
 */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { RunningFile } from "#cli/options.ts";
import { fromBase32, stepAt, totpCode } from "#services/iam/totp.ts";
import { ensureTools } from "#setup/apt.ts";
import type { Ran } from "#tests/helpers/ran.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import { AwsCli, withoutAws } from "./aws-cli.ts";
import { type Json, mismatches, valueAt } from "./matching.ts";
import { filledIn, readScenario, type Scenario, type Step, type Variables } from "./scenario.ts";

const FOLDER = fileURLToPath(new URL("../scenarios/aws-cli/", import.meta.url));
const REGION = "eu-central-1";
const SERVICE_ERROR = /An error occurred \((\S+)\) when calling the \w+ operation: ?(.*)/s;
/** Some versions say it of a single attempt too. */
const RETRIES = / \(reached max retries: \d+\)/;

const files = globSync("*.json", { cwd: FOLDER }).sort();
/** Each with an account of its own. */
const scenarios = files.map((file, index) => ({
  file,
  scenario: readScenario(join(FOLDER, file)),
  account: String(100_000_000_001 + index),
}));

describe("the aws CLI", { concurrency: 3 }, () => {
  let open: SlipwayProcess;
  let strict: SlipwayProcess;
  let cli: AwsCli;

  before(async () => {
    await ensureTools(["aws"], (line) => console.log(line));
    cli = await AwsCli.start();
    open = await SlipwayProcess.start({ arguments: ["--accept-any-credentials"] });
    strict = await SlipwayProcess.start();
    await writeFile(join(open.dataDir, "delegation-partners.json"), JSON.stringify(partners()));
  });
  after(() => Promise.all([cli, open, strict].map((each) => each?.[Symbol.asyncDispose]())));

  assert.ok(scenarios.length > 0, `no scenarios in ${FOLDER}`);
  for (const { file, scenario, account } of scenarios) {
    it(`${basename(file, ".json")}: ${scenario.name}`, async (test) => {
      const { requires } = scenario;
      if (requires?.version !== undefined && cli.majorVersion < requires.version) {
        return test.skip(`this CLI is version ${cli.majorVersion}: ${requires.because}`);
      }
      if (requires?.operation && !(await cli.knows(requires.operation))) {
        return test.skip(`this CLI has no ${requires.operation.join(" ")}: ${requires.because}`);
      }
      if (scenario.strict) return play(cli, scenario, strict.running, administrator(strict.running));
      await play(cli, scenario, open.running, { account, accessKeyId: account, secretAccessKey: "any" });
    });
  }
});

function partners(): Json {
  return scenarios.flatMap(({ scenario: { name, policyTemplates }, account }) =>
    policyTemplates === undefined ? [] : [{ name, accounts: [account], templates: policyTemplates }],
  );
}

interface Caller {
  readonly account: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function administrator({ account, accessKeyId, secretAccessKey }: RunningFile): Caller {
  return { account, accessKeyId, secretAccessKey };
}

/** Stops at the first step that is not as expected: those after it stand on it. */
async function play(cli: AwsCli, scenario: Scenario, { url, port }: RunningFile, caller: Caller): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-cli-"));
  const known = { account: caller.account, region: REGION, url, port: String(port), now: String(Date.now()) };
  const variables: Variables = new Map(Object.entries(known));
  try {
    for (const [index, written] of scenario.steps.entries()) {
      const step = filledIn(written, variables);
      const args = ["--endpoint-url", url, ...step.aws.map(asArgument)];
      await putFiles(folder, step.files ?? {});
      const ran = await cli.run({ args, cwd: folder, env: environment(caller, folder, step), stdin: step.stdin });
      const wrong = [...differences(step, ran), ...(await fileDifferences(folder, step))];
      if (wrong.length > 0) assert.fail(report(index, args, ran, wrong));
      for (const [name, path] of Object.entries(step.save ?? {})) {
        const value = path === "$" ? ran.stdout.trim() : valueAt(JSON.parse(ran.stdout) as Json, path);
        if (value === undefined) assert.fail(report(index, args, ran, [`nothing to save at ${path}`]));
        variables.set(name, typeof value === "string" ? value : JSON.stringify(value));
      }
      if (step.authenticator !== undefined) {
        const seed = fromBase32(await readFile(join(folder, step.authenticator), "utf8"));
        const step0 = stepAt(new Date()) - 2;
        for (let code = 1; code <= 6; code++) variables.set(`code${code}`, totpCode(seed, step0 + code));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function differences(step: Step, { status, stdout, stderr }: Ran): readonly string[] {
  const wrong: string[] = [];
  const complaint = stderr.replace(RETRIES, "");
  const refused = step.error !== undefined || step.stderr !== undefined;
  const expected = step.status ?? (refused ? "anything but 0" : 0);
  if (typeof expected === "number" ? status !== expected : status === 0) {
    wrong.push(`exit status: expected ${expected}, got ${status}`);
  }
  if (step.error) {
    const [, code, message] = SERVICE_ERROR.exec(complaint) ?? [];
    wrong.push(...mismatches({ ...step.error }, { code: code ?? null, message: message?.trim() ?? null }, "error"));
  }
  if (step.stderr !== undefined) wrong.push(...mismatches({ $match: step.stderr }, complaint, "stderr"));
  if (step.text !== undefined) wrong.push(...mismatches({ $match: step.text }, stdout, "stdout"));
  if (step.output !== undefined) wrong.push(...mismatches(step.output, json(stdout), "output"));
  return wrong;
}

async function fileDifferences(folder: string, step: Step): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [name, content] of Object.entries(step.writes ?? {})) {
    const written = await readFile(join(folder, name), "utf8").catch(() => undefined);
    wrong.push(...mismatches(content, written, name));
  }
  return wrong;
}

/** What was typed can be pasted into a shell. */
function report(
  index: number,
  args: readonly string[],
  { status, stdout, stderr }: Ran,
  wrong: readonly string[],
): string {
  const line = ["aws", ...args].map((arg) =>
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`,
  );
  return [
    `step ${index + 1}: ${line.join(" ")}`,
    ...wrong.map((sentence) => `  ${sentence}`),
    `exit status ${status}`,
    `stdout: ${stdout.trim() || "nothing"}`,
    `stderr: ${stderr.trim() || "nothing"}`,
  ].join("\n");
}

/** The client must not find a person's own profiles, and must not look for an instance's credentials. */
function environment(caller: Caller, folder: string, step: Step): NodeJS.ProcessEnv {
  return {
    ...withoutAws(),
    AWS_ACCESS_KEY_ID: caller.accessKeyId,
    AWS_SECRET_ACCESS_KEY: caller.secretAccessKey,
    AWS_DEFAULT_REGION: REGION,
    AWS_CONFIG_FILE: join(folder, ".aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, ".aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "1",
    AWS_PAGER: "",
    ...step.environment,
  };
}

async function putFiles(folder: string, files: Readonly<Record<string, Json>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    const base64 = valueAt(content, "$base64");
    await writeFile(join(folder, name), base64 ? Buffer.from(String(base64), "base64") : asArgument(content));
  }
}

function asArgument(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** null where it is not JSON, as when nothing was printed. */
function json(printed: string): Json {
  try {
    return JSON.parse(printed) as Json;
  } catch {
    return null;
  }
}
