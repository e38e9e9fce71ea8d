import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parse } from "yaml";
import { buildVariables, compile } from "./compile.ts";
import { type ControlEvent, parseControlLine } from "./control-events.ts";
import { parseBuildspec } from "./parse-buildspec.ts";

interface Scenario {
  about: string;
  /** env/shell of the buildspec; the program itself runs under every shell of `interpreters`. */
  shells: ("sh" | "bash")[];
  variables?: Record<string, string>;
  sourceDirectory?: string;
  buildspec: string;
  /** Changing users takes root, which a build container's main process is. */
  needsRoot?: boolean;
  expected: {
    exit: number;
    phases: string[];
    uploadArtifacts: boolean;
    exported?: Record<string, string>;
    expanded?: Record<string, string>;
    log?: string;
    logHas?: string[];
    logLacks?: string[];
  };
}

const nonce = "n0nce0123456789abcdef";
const scenarioFolder = new URL("./scenarios/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "slipway-buildspec-"));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

/** `busybox sh` and the others where the machine has them: an image's /bin/sh may be any of these. */
const interpreters = [["/bin/dash"], ["/bin/bash", "--posix"], ["/bin/bash"], ["/bin/busybox", "sh"]].filter(([path]) =>
  existsSync(path!),
);

let runs = 0;
function prepared(
  text: string,
  options: { variables?: Record<string, string>; sourceDirectory?: string; privileged?: boolean } = {},
) {
  runs += 1;
  const place = join(folder, String(runs));
  const source = options.sourceDirectory ?? join(place, "source");
  mkdirSync(join(place, "source"), { recursive: true });
  const nonceFile = join(place, "nonce");
  writeFileSync(nonceFile, `${nonce}\n`);
  const variables = Object.entries(options.variables ?? {}).map(([name, value]) => [
    name,
    value.replace("@source", source),
  ]);
  const { script } = compile(parseBuildspec(text), {
    sourceDirectory: source,
    nonceFile,
    variables: Object.fromEntries(variables),
    privileged: options.privileged ?? false,
    agentDirectory: join(place, "agent"),
  });
  const program = join(place, "program.sh");
  writeFileSync(program, script);
  return { program, nonceFile, place };
}

async function run(
  interpreter: readonly string[],
  program: string,
  onEvent?: (event: ControlEvent, pid: number) => void,
  env: NodeJS.ProcessEnv = process.env,
) {
  const [command, ...args] = interpreter;
  const child = spawn(command!, [...args, program], { stdio: ["ignore", "pipe", "pipe"], env });
  let log = "";
  let errors = "";
  let pending = "";
  const events: ControlEvent[] = [];
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    log += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    const lines = (pending + chunk).split("\n");
    pending = lines.pop()!;
    for (const line of lines) {
      const event = parseControlLine(line, nonce);
      if (event === undefined) {
        errors += `${line}\n`;
      } else {
        events.push(event);
        onEvent?.(event, child.pid!);
      }
    }
  });
  const [exit] = await once(child, "close");
  return {
    exit,
    events,
    errors,
    log: log.replace(/^(\[Container\]) \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} /gm, "$1 "),
  };
}

function phasesOf(events: readonly ControlEvent[]): string[] {
  return events
    .filter((event) => event.event === "phase-ended")
    .map((event) =>
      [event.phase, event.status, ...(event.status === "FAILED" ? [event.exitStatus, event.command] : [])].join(" "),
    );
}

describe("the compiled program", { concurrency: 2 }, () => {
  for (const file of readdirSync(scenarioFolder).filter((name) => name.endsWith(".yml"))) {
    const scenario = parse(readFileSync(new URL(file, scenarioFolder), "utf8")) as Scenario;
    for (const interpreter of interpreters) {
      for (const shell of scenario.shells) {
        it(`${scenario.about} (${shell} under ${interpreter.join(" ")})`, {
          skip: scenario.needsRoot === true && process.getuid?.() !== 0,
        }, async () => {
          const { expected } = scenario;
          const text = scenario.buildspec.replace("@nonce", nonce);
          const withShell = /^env:/m.test(text)
            ? text.replace(/^env:/m, `env:\n  shell: ${shell}`)
            : `${text}env:\n  shell: ${shell}\n`;
          const { program, nonceFile } = prepared(withShell, scenario);
          const { exit, events, errors, log } = await run(interpreter, program);
          assert.deepEqual(phasesOf(events), expected.phases, log + errors);
          assert.equal(errors, "");
          assert.equal(exit, expected.exit);
          const end = events.at(-1);
          assert.ok(end?.event === "build-ended");
          assert.equal(end.status, expected.exit === 0 ? "SUCCEEDED" : "FAILED");
          assert.equal(end.uploadArtifacts, expected.uploadArtifacts);
          assert.equal(existsSync(nonceFile), false);
          if (expected.exported !== undefined) {
            const values = events.filter((event) => event.event === "exported-variable");
            assert.deepEqual(Object.fromEntries(values.map(({ name, value }) => [name, value])), expected.exported);
          }
          if (expected.expanded !== undefined) {
            const values = events.filter((event) => event.event === "expanded");
            assert.deepEqual(Object.fromEntries(values.map(({ text, value }) => [text, value])), expected.expanded);
          }
          if (expected.log !== undefined) {
            assert.equal(log.replace(/ +$/gm, ""), expected.log);
          }
          for (const line of expected.logHas ?? []) {
            assert.ok(log.split("\n").includes(line), `${line} is missing in\n${log}`);
          }
          for (const part of expected.logLacks ?? []) {
            const output = log.split("\n").filter((line) => !line.startsWith("[Container]"));
            assert.ok(!output.some((line) => line.includes(part)), `${part} is in\n${log}`);
          }
        });
      }
    }
  }

  for (const interpreter of interpreters) {
    it(`ends with its children on SIGTERM (${interpreter.join(" ")})`, async () => {
      const { program } = prepared(
        "version: 0.2\nphases:\n  build:\n    commands:\n      - sleep 1000 & echo started; wait; echo never\n",
      );
      const { exit, events, log } = await run(interpreter, program, (event, pid) => {
        if (event.event === "phase-started" && event.phase === "BUILD") {
          process.kill(pid, "SIGTERM");
        }
      });
      // The pipe closes only when no process of the build is left, so that getting here says that all have ended.
      assert.equal(exit, 143);
      assert.deepEqual(phasesOf(events).at(-1), "BUILD STOPPED");
      assert.ok(!log.split("\n").includes("never"));
    });
  }

  for (const [about, dockerd, state] of [
    [
      "waits for the image's dockerd, which has the container's environment, and stops it",
      "sleep 0.2; echo $HTTPS_PROXY >@place/proxy; exec sleep 1000",
      "ready",
    ],
    ["reports a dockerd that does not start, and goes on", "echo 'no cgroups'; exit 1", "failed"],
  ] as const) {
    it(about, async () => {
      const { program, place } = prepared("version: 0.2\nphases:\n  build:\n    commands: [echo built]\n", {
        privileged: true,
      });
      writeFileSync(join(place, "dockerd"), `#!/bin/sh\n${dockerd.replace("@place", place)}\n`, { mode: 0o755 });
      writeFileSync(join(place, "docker"), `#!/bin/sh\n[ -f ${place}/proxy ]\n`, { mode: 0o755 });
      const env = { PATH: `${place}:${process.env.PATH}`, HTTPS_PROXY: "http://proxy:1" };
      const { exit, events, log } = await run(["/bin/sh"], program, undefined, env);
      assert.deepEqual(
        events.slice(0, 2).map(({ event, ...rest }) => [event, "state" in rest && rest.state]),
        [
          ["docker", state],
          ["phase-started", false],
        ],
      );
      assert.equal(exit, 0, log);
      assert.equal(log.includes("\nno cgroups\n"), state === "failed");
      assert.equal(
        existsSync(join(place, "proxy")) && readFileSync(join(place, "proxy"), "utf8"),
        state === "ready" && "http://proxy:1\n",
      );
    });
  }

  it("does not start without its nonce", async () => {
    const { program, nonceFile } = prepared("version: 0.2\nphases:\n  build:\n    commands: [echo never]\n");
    rmSync(nonceFile);
    const { exit, log } = await run(["/bin/sh"], program);
    assert.equal(exit, 70);
    assert.equal(log, "");
  });
});

describe("buildVariables", () => {
  it("lets StartBuild override the project, the project the buildspec, and nobody the reserved prefix", () => {
    assert.deepEqual(
      buildVariables({
        builtin: { CODEBUILD_BUILD_ID: "real", AWS_REGION: "builtin" },
        buildspec: { A: "spec", B: "spec", C: "spec", AWS_REGION: "spec", CODEBUILD_BUILD_ID: "forged" },
        project: { B: "project", C: "project" },
        startBuild: { C: "start" },
      }),
      { CODEBUILD_BUILD_ID: "real", AWS_REGION: "spec", A: "spec", B: "project", C: "start" },
    );
  });
});
