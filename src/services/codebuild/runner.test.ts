/** The runner against a scripted engine and the real logs, S3, IAM and STS. */
import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { StopBuildCommand } from "@aws-sdk/client-codebuild";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { ZipFile } from "yazl";
import type { FakeContainer } from "#engines/fake/fake-container.ts";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { imageReference } from "#setup/image-recipe.ts";
import {
  aProject,
  BUILDSPEC,
  codebuildSystem,
  completed,
  contextOf,
  current,
  logLines,
  makeProject,
  makeRole,
  phasesOf,
  ROLE_ARN,
  reached,
  start,
} from "#tests/helpers/codebuild-system.ts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { CONTAINER, NONCE_FILE, PROGRAM_FILE } from "./runner/build-container.ts";
import { BUILD_TOPIC, CONCURRENT_BUILDS } from "./submit-build.ts";

/** What the compiled program would report. */
class Program {
  readonly container: FakeContainer;
  readonly #nonce: string;

  constructor(container: FakeContainer) {
    this.container = container;
    this.#nonce = container.files.get(NONCE_FILE)!.toString().trim();
  }

  get script(): string {
    return this.container.files.get(PROGRAM_FILE)!.toString();
  }

  emit(event: string, fields: object = {}): void {
    const time = new Date().toISOString().replaceAll("-", "/").replace("T", " ").replace("Z", "000");
    this.container.log(`${this.#nonce} ${JSON.stringify({ event, time, ...fields })}`, "stderr");
  }

  phase(phase: string, status = "SUCCEEDED"): void {
    this.emit("phase-started", { phase });
    const command = Buffer.from("false").toString("hex");
    this.emit("phase-ended", { phase, status, exitStatus: status === "FAILED" ? 1 : 0, command });
  }

  end(status = "SUCCEEDED", uploadArtifacts = true): void {
    this.emit("build-ended", { status, uploadArtifacts });
    this.container.exit(status === "SUCCEEDED" ? 0 : 1);
  }

  run(): void {
    for (const phase of ["INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"]) this.phase(phase);
    this.end();
  }
}

const SUCCEEDED = ["INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"].map(
  (phase) => `${phase} SUCCEEDED`,
);
const BEFORE = ["SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE"].map((phase) => `${phase} SUCCEEDED`);

function anEngine(behaviour?: (program: Program) => void): FakeEngine {
  const engine = new FakeEngine();
  const { id } = engine.addImage(imageReference("standard"));
  if (behaviour) engine.behave(id, (container) => behaviour(new Program(container)));
  return engine;
}

async function aSystem(engine: FakeEngine, actions?: string[]): Promise<TestSystem> {
  const system = await codebuildSystem({ engine });
  await makeRole(system, actions);
  return system;
}

const groupOf = (id: string) => `build-${id.split(":")[1]}`;

test("a build runs to its end, with its log in order and nothing left behind", async () => {
  const engine = anEngine((program) => {
    program.emit("phase-started", { phase: "INSTALL" });
    program.container.log("one");
    program.container.log("");
    program.container.log("written by hand", "stderr");
    program.emit("phase-ended", { phase: "INSTALL", status: "SUCCEEDED", exitStatus: 0 });
    for (const phase of ["PRE_BUILD", "BUILD", "POST_BUILD"]) program.phase(phase);
    program.emit("exported-variable", { name: "VERSION", value: Buffer.from("1.2").toString("hex") });
    program.container.log("two");
    program.end();
  });
  await using system = await aSystem(engine);
  await makeProject(system);
  const build = await completed(system, await start(system));
  assert.deepEqual(phasesOf(build), [...BEFORE, ...SUCCEEDED, "COMPLETED"]);
  assert.equal(build.buildStatus, "SUCCEEDED");
  assert.deepEqual(build.exportedEnvironmentVariables, [{ name: "VERSION", value: "1.2" }]);
  const uuid = build.id!.split(":")[1]!;
  assert.deepEqual([build.logs!.groupName, build.logs!.streamName], ["/aws/codebuild/demo", uuid]);
  assert.match(build.logs!.cloudWatchLogsArn!, new RegExp(`log-group:/aws/codebuild/demo:log-stream:${uuid}$`));
  const lines = await logLines(system, build);
  assert.deepEqual(lines.slice(0, 3), [
    "[Container] Running on CodeBuild On-demand",
    "[Container] Waiting for agent ping",
    "[Container] Waiting for DOWNLOAD_SOURCE",
  ]);
  assert.deepEqual(lines.slice(lines.indexOf("one")), [
    "one",
    "",
    "written by hand",
    "two",
    "[Container] Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED",
    "[Container] Phase context status code:  Message: ",
  ]);
  await engine.removed(groupOf(build.id!));
  engine.assertNoMisuse();
  assert.deepEqual(system.workErrors, []);
});

test("the container gets the compute type's limits, the role's credentials and the build's variables", async () => {
  const engine = anEngine();
  await using system = await aSystem(engine);
  const environmentVariables = [
    { name: "PLAIN", value: "it's", type: "PLAINTEXT" as const },
    { name: "un.usual", value: "x", type: "PLAINTEXT" as const },
  ];
  const environment = { ...aProject().environment!, privilegedMode: true, environmentVariables };
  await makeProject(system, {
    environment,
    logsConfig: { cloudWatchLogs: { status: "ENABLED", groupName: "/g", streamName: "s" } },
  });
  const build = await start(system, { sourceVersion: "v" });
  const program = new Program(await engine.started(groupOf(build.id!), CONTAINER));
  const { spec } = program.container;
  assert.deepEqual([spec.cpus, spec.memoryMiB, spec.privileged, spec.user], [2, 3072, true, "0"]);
  assert.deepEqual([spec.entrypoint, spec.command], [["/bin/sh"], [PROGRAM_FILE]]);
  assert.match(spec.environment.AWS_CONTAINER_CREDENTIALS_FULL_URI!, /^http:.*\/_slipway\/credentials\//);
  assert.equal(spec.environment["un.usual"], "x");
  assert.equal(program.container.files.has("/etc/slipway/ca-bundle.pem"), true);
  for (const assignment of [
    "PLAIN='it'\\\\''s'",
    `CODEBUILD_BUILD_ID='${build.id}'`,
    `CODEBUILD_BUILD_ARN='${build.arn}'`,
    "CODEBUILD_BUILD_NUMBER='1'",
    "CODEBUILD_CI='true'",
    "CODEBUILD_INITIATOR='root'",
    "CODEBUILD_SOURCE_VERSION='v'",
    `CODEBUILD_LOG_PATH='s/${build.id!.split(":")[1]}'`,
    "AWS_REGION='us-east-1'",
    `CODEBUILD_START_TIME='${build.startTime!.getTime()}'`,
  ]) {
    // The program holds them inside a quoted text of its own.
    const quoted = assignment.replaceAll("'", "'\\''").replaceAll("\\\\", "\\");
    assert.ok(program.script.includes(`export ${quoted}`) || program.script.includes(assignment), assignment);
  }
  program.run();
  const done = await completed(system, build);
  assert.deepEqual([done.logs!.groupName, done.logs!.streamName], ["/g", `s/${build.id!.split(":")[1]}`]);
});

test("a command that fails", async () => {
  const engine = anEngine((program) => {
    for (const phase of ["INSTALL", "PRE_BUILD"]) program.phase(phase);
    program.phase("BUILD", "FAILED");
    program.phase("POST_BUILD");
    program.end("FAILED");
  });
  await using system = await aSystem(engine);
  await makeProject(system);
  const build = await completed(system, await start(system));
  assert.equal(build.buildStatus, "FAILED");
  assert.deepEqual(contextOf(build, "BUILD"), {
    statusCode: "COMMAND_EXECUTION_ERROR",
    message: "Error while executing command: false. Reason: exit status 1",
  });
});

test("images that cannot be had fail PROVISIONING in AWS's words", async () => {
  const engine = anEngine();
  engine.refuseImage("private/app:1", "pull access denied for private/app");
  await using system = await aSystem(engine);
  await makeProject(system);
  const cases: [string, RegExp][] = [
    ["private/app:1", /CannotPullContainerError: Error response from daemon: pull access denied for private\/app$/],
    ["aws/codebuild/windows-base:2019-3.0", /is not a managed image that runs here/],
  ];
  for (const [imageOverride, message] of cases) {
    const build = await completed(system, await start(system, { imageOverride }));
    assert.deepEqual(phasesOf(build).slice(2), ["PROVISIONING FAILED", "COMPLETED"]);
    assert.equal(contextOf(build, "PROVISIONING")!.statusCode, "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE");
    assert.match(contextOf(build, "PROVISIONING")!.message!, /^Unable to pull customer's container image\. /);
    assert.match(contextOf(build, "PROVISIONING")!.message!, message);
  }
  const bare = new FakeEngine();
  await using second = await aSystem(bare);
  await makeProject(second);
  const build = await completed(second, await start(second));
  assert.match(contextOf(build, "PROVISIONING")!.message!, /run "npm run setup" to build it$/);
  assert.deepEqual(engine.groupIds, []);
});

test("a real managed image goes before the one that stands in for it; other images are pulled if missing", async () => {
  const engine = anEngine();
  for (const reference of ["aws/codebuild/standard:7.0", "held:1"]) {
    const { id } = engine.addImage(reference);
    engine.behave(id, (container) => new Program(container).run());
  }
  const { id } = engine.addImage("remote:1", { remote: true });
  engine.behave(id, (container) => new Program(container).run());
  await using system = await aSystem(engine);
  await makeProject(system);
  for (const imageOverride of ["aws/codebuild/standard:7.0", "held:1", "remote:1"]) {
    assert.equal((await completed(system, await start(system, { imageOverride }))).buildStatus, "SUCCEEDED");
  }
  assert.deepEqual(
    engine.calls.filter(({ method }) => method === "pull").map(({ subject }) => subject),
    ["remote:1"],
  );
});

test("an image of ECR comes from this Slipway's registry, and gets AWS's name", async () => {
  const engine = anEngine();
  const name = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/builder:1`;
  const { id } = engine.addImage(`127.0.0.1:4566/${name}`, { remote: true });
  engine.behave(id, (container) => new Program(container).run());
  await using system = await aSystem(engine, ["logs:*", "ecr:GetAuthorizationToken"]);
  const environment = { ...aProject().environment!, image: name, imagePullCredentialsType: "SERVICE_ROLE" as const };
  await makeProject(system, { environment });
  assert.equal((await completed(system, await start(system))).buildStatus, "SUCCEEDED");
  assert.equal((await engine.image(name))?.id, id);
  const serviceRoleOverride = await makeRole(system, ["logs:*"], "no-ecr");
  const denied = await completed(system, await start(system, { serviceRoleOverride }));
  assert.match(contextOf(denied, "PROVISIONING")!.message!, /CannotPullContainerError: .*ecr:GetAuthorizationToken/);
});

test("buildspecs that cannot be read fail DOWNLOAD_SOURCE with the line and key", async () => {
  await using system = await aSystem(anEngine());
  await makeProject(system);
  const cases: [string, RegExp][] = [
    ["version: 0.2\nphases:\n  biuld:\n    commands: [a]\n", /Invalid buildspec phase name: BIULD.*at line 3/],
    ["version: 0.2\nphases: [\n", /line/],
    [
      "version: 0.2\nenv:\n  shell: cmd.exe\nphases:\n  build:\n    commands: [a]\n",
      /shell 'cmd.exe' is not supported/,
    ],
  ];
  for (const [buildspecOverride, message] of cases) {
    const build = await completed(system, await start(system, { buildspecOverride }));
    assert.deepEqual(phasesOf(build).slice(3), ["DOWNLOAD_SOURCE FAILED", "FINALIZING SUCCEEDED", "COMPLETED"]);
    assert.equal(contextOf(build, "DOWNLOAD_SOURCE")!.statusCode, "YAML_FILE_ERROR");
    assert.match(contextOf(build, "DOWNLOAD_SOURCE")!.message!, message);
    const lines = await logLines(system, build);
    assert.ok(
      lines.some((line) => line.startsWith("[Container] Phase context status code: YAML_FILE_ERROR Message: ")),
    );
  }
});

test("variables that are kept in services which are not there", async () => {
  await using system = await aSystem(anEngine());
  await makeProject(system);
  const parameter = { name: "SECRET", value: "/the/parameter", type: "PARAMETER_STORE" as const };
  const first = await completed(system, await start(system, { environmentVariablesOverride: [parameter] }));
  assert.deepEqual(contextOf(first, "DOWNLOAD_SOURCE"), {
    statusCode: "Decrypted Variables Error",
    message: "parameter does not exist: /the/parameter",
  });
  const spec = `env:\n  secrets-manager:\n    A: b\n${BUILDSPEC}`;
  const second = await completed(system, await start(system, { buildspecOverride: spec }));
  assert.equal(contextOf(second, "DOWNLOAD_SOURCE")!.statusCode, "Secrets Manager Error Message");
});

test("the source comes from S3 as the role, and the artifact goes there", async () => {
  const spec = "version: 0.2\nphases:\n  build:\n    commands: [a]\nartifacts:\n  files: ['out/**', '$NAME']\n";
  const engine = anEngine((program) => {
    const [source] = [...program.container.files.keys()].filter((name) => name.endsWith("/app.txt"));
    const folder = source!.slice(0, source!.lastIndexOf("/"));
    assert.match(folder, /^\/codebuild\/output\/src\d{9}\/src$/);
    program.container.writeFile(`${folder}/out/a.txt`, "artifact");
    program.container.writeFile(`${folder}/named.txt`, "named");
    const text = Buffer.from("$NAME").toString("hex");
    program.emit("expanded", { text, value: Buffer.from("named.txt\n").toString("hex") });
    program.run();
  });
  await using system = await aSystem(engine);
  await system.root.send(new CreateBucketCommand({ Bucket: "sources" }));
  await putZip(system, "source.zip", { "app.txt": "app", "ci/spec.yml": spec });
  await makeProject(system, { source: { type: "S3", location: "sources/source.zip", buildspec: "ci/spec.yml" } });
  const zipped = await completed(
    system,
    await start(system, {
      artifactsOverride: { type: "S3", location: "sources", path: "out", packaging: "ZIP", name: "x.zip" },
    }),
  );
  assert.equal(zipped.buildStatus, "SUCCEEDED", JSON.stringify(zipped.phases));
  assert.equal(zipped.artifacts!.location, "arn:aws:s3:::sources/out/x.zip");
  const zip = await object(system, "out/x.zip");
  assert.equal(zip.readUInt32BE(0), 0x504b0304);
  const { createHash } = await import("node:crypto");
  assert.equal(zipped.artifacts!.sha256sum, createHash("sha256").update(zip).digest("hex"));
  assert.equal(zipped.artifacts!.md5sum, createHash("md5").update(zip).digest("hex"));
  const lines = await logLines(system, zipped);
  assert.ok(lines.includes("[Container] Found 2 file(s)"), lines.join("\n"));

  const plain = await completed(
    system,
    await start(system, { artifactsOverride: { type: "S3", location: "sources", name: "/" } }),
  );
  assert.equal(plain.artifacts!.location, "arn:aws:s3:::sources");
  assert.equal((await object(system, "out/a.txt")).toString(), "artifact");
  assert.equal((await object(system, "named.txt")).toString(), "named");
});

test("an artifact that matches nothing, and one that nobody defined", async () => {
  const files = (pattern: string) =>
    `version: 0.2\nphases:\n  build:\n    commands: [a]\nartifacts:\n  files: ['${pattern}']\n`;
  const engine = anEngine((program) => {
    const [, folder = ""] = /CODEBUILD_SRC_DIR='(?:\\'')?([^']+?)(?:'\\'')?'/.exec(program.script) ?? [];
    program.container.writeFile(`${folder.replaceAll("\\", "")}/there.txt`, "x");
    program.run();
  });
  await using system = await aSystem(engine);
  await system.root.send(new CreateBucketCommand({ Bucket: "sources" }));
  await makeProject(system, { artifacts: { type: "S3", location: "sources", name: "x" } });
  const nothing = await completed(system, await start(system, { buildspecOverride: files("missing/*") }));
  assert.deepEqual(contextOf(nothing, "UPLOAD_ARTIFACTS"), {
    statusCode: "CLIENT_ERROR",
    message: "no matching artifact paths found",
  });
  assert.equal(nothing.buildStatus, "FAILED");
  assert.ok((await logLines(system, nothing)).includes("[Container] Expanding missing/*"));
  const undefinedOne = await completed(system, await start(system));
  assert.equal(contextOf(undefinedOne, "UPLOAD_ARTIFACTS")!.message, "no definition for base artifact in buildspec");
  const bucket = await completed(
    system,
    await start(system, {
      buildspecOverride: files("*"),
      artifactsOverride: { type: "S3", location: "no-such-bucket" },
    }),
  );
  assert.match(contextOf(bucket, "UPLOAD_ARTIFACTS")!.message!, /^NoSuchBucket: /);
});

test("sources that cannot be had", async () => {
  await using system = await aSystem(anEngine(), ["logs:*"]);
  await system.root.send(new CreateBucketCommand({ Bucket: "sources" }));
  await putZip(system, "empty.zip", { "README.md": "no buildspec" });
  await makeProject(system, { source: { type: "S3", location: "sources/empty.zip" } });
  const denied = await completed(system, await start(system));
  assert.deepEqual(phasesOf(denied).slice(3), ["DOWNLOAD_SOURCE FAILED", "FINALIZING SUCCEEDED", "COMPLETED"]);
  assert.match(
    contextOf(denied, "DOWNLOAD_SOURCE")!.message!,
    /^AccessDenied: .* for primary source and source version arn:aws:s3:::sources\/empty\.zip$/s,
  );
  const serviceRoleOverride = await makeRole(system, ["*"], "all-role");
  const missing = await completed(system, await start(system, { serviceRoleOverride }));
  assert.deepEqual(contextOf(missing, "DOWNLOAD_SOURCE"), {
    statusCode: "YAML_FILE_ERROR",
    message: "YAML file does not exist",
  });
  const named = await completed(system, await start(system, { serviceRoleOverride, buildspecOverride: "ci/spec.yml" }));
  assert.match(
    contextOf(named, "DOWNLOAD_SOURCE")!.message!,
    /^stat \/codebuild\/output\/src\d{9}\/src\/ci\/spec\.yml: no such file or directory$/,
  );
  const key = await completed(
    system,
    await start(system, { serviceRoleOverride, sourceLocationOverride: "sources/x.zip" }),
  );
  assert.match(contextOf(key, "DOWNLOAD_SOURCE")!.message!, /^NoSuchKey: /);
});

test("a role that may not make the log's stream fails the build, as on AWS; switched off, logs need no role", async () => {
  await using system = await aSystem(
    anEngine((program) => program.run()),
    ["s3:*"],
  );
  await makeProject(system);
  const denied = await completed(system, await start(system));
  assert.equal(contextOf(denied, "PROVISIONING")!.statusCode, "ACCESS_DENIED");
  assert.match(
    contextOf(denied, "PROVISIONING")!.message!,
    new RegExp(
      `^Service role ${ROLE_ARN} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build ${denied.arn}\\. Error message: User: .*logs:CreateLogStream`,
    ),
  );
  const silent = await completed(
    system,
    await start(system, { logsConfigOverride: { cloudWatchLogs: { status: "DISABLED" } } }),
  );
  assert.equal(silent.buildStatus, "SUCCEEDED");
  assert.equal(silent.logs!.groupName, undefined);
});

test("a role that may not write its log loses the log, not the build", async () => {
  await using system = await aSystem(
    anEngine((program) => program.run()),
    ["logs:CreateLogGroup", "logs:CreateLogStream"],
  );
  await makeProject(system);
  const build = await completed(system, await start(system));
  assert.equal(build.buildStatus, "SUCCEEDED");
  assert.match(contextOf(build, "FINALIZING")!.message!, /logs:PutLogEvents/);
  assert.deepEqual(await logLines(system, build), []);
});

test("StopBuild in the container, where the program says so or not", async () => {
  const engine = anEngine();
  await using system = await aSystem(engine);
  await makeProject(system);
  for (const isPolite of [true, false]) {
    const build = await start(system);
    const program = new Program(await engine.started(groupOf(build.id!), CONTAINER));
    program.phase("INSTALL");
    program.emit("phase-started", { phase: "PRE_BUILD" });
    if (isPolite) {
      program.container.onTerminate = () => {
        program.emit("phase-ended", { phase: "PRE_BUILD", status: "STOPPED", exitStatus: 143 });
        program.end("STOPPED", false);
      };
    }
    await reached(system, build, ({ currentPhase }) => currentPhase === "PRE_BUILD");
    await system.root.send(new StopBuildCommand({ id: build.id! }));
    const stopped = await completed(system, build);
    assert.equal(stopped.buildStatus, "STOPPED");
    assert.deepEqual(phasesOf(stopped).slice(4), [
      "INSTALL SUCCEEDED",
      "PRE_BUILD STOPPED",
      "FINALIZING SUCCEEDED",
      "COMPLETED",
    ]);
    await engine.removed(groupOf(build.id!));
  }
  const again = await completed(
    system,
    await start(system).then(async (build) => {
      const program = new Program(await engine.started(groupOf(build.id!), CONTAINER));
      program.container.onTerminate = () => program.end("STOPPED", false);
      await system.root.send(new StopBuildCommand({ id: build.id! }));
      return build;
    }),
  );
  assert.equal(again.buildStatus, "STOPPED", "even between two phases");
  assert.equal((await system.root.send(new StopBuildCommand({ id: again.id! }))).build!.buildStatus, "STOPPED");
});

test("a build's time runs out, in the container and in the queue", async () => {
  const engine = anEngine();
  await using system = await aSystem(engine);
  await makeProject(system, { timeoutInMinutes: 5, queuedTimeoutInMinutes: 5 });
  const running = [];
  for (let count = 0; count < CONCURRENT_BUILDS; count++) running.push(await start(system));
  for (const build of running) {
    const program = new Program(await engine.started(groupOf(build.id!), CONTAINER));
    program.emit("phase-started", { phase: "INSTALL" });
    await reached(system, build, ({ currentPhase }) => currentPhase === "INSTALL");
  }
  const waiting = await start(system);
  assert.equal((await current(system, waiting)).currentPhase, "QUEUED");
  system.setNow(new Date(Date.now() + 6 * 60_000));
  for (const build of running) system.bus.publish(BUILD_TOPIC, build.id!.split(":")[1]!);
  for (const build of running) {
    const timedOut = await completed(system, build);
    assert.equal(timedOut.buildStatus, "TIMED_OUT");
    assert.ok(phasesOf(timedOut).includes("INSTALL TIMED_OUT"));
  }
  const gaveUp = await completed(system, waiting);
  assert.deepEqual(phasesOf(gaveUp), ["SUBMITTED SUCCEEDED", "QUEUED TIMED_OUT", "COMPLETED"]);
});

test("builds take turns, and a queued one can be stopped", async () => {
  const engine = anEngine();
  await using system = await aSystem(engine);
  await makeProject(system);
  const builds = [];
  for (let count = 0; count < CONCURRENT_BUILDS + 2; count++) builds.push(await start(system));
  const programs = [];
  for (const build of builds.slice(0, CONCURRENT_BUILDS)) {
    programs.push(new Program(await engine.started(groupOf(build.id!), CONTAINER)));
  }
  const [next, last] = builds.slice(-2);
  assert.equal((await current(system, next!)).currentPhase, "QUEUED");
  await system.root.send(new StopBuildCommand({ id: last!.id! }));
  assert.deepEqual(phasesOf(await completed(system, last!)), ["SUBMITTED SUCCEEDED", "QUEUED STOPPED", "COMPLETED"]);
  programs[0]!.run();
  const program = new Program(await engine.started(groupOf(next!.id!), CONTAINER));
  program.run();
  for (const other of programs.slice(1)) other.run();
  assert.equal((await completed(system, next!)).buildStatus, "SUCCEEDED");
});

test("a container that dies without a word is a fault", async () => {
  const engine = anEngine((program) => {
    program.emit("phase-started", { phase: "INSTALL" });
    program.container.exit(137, { outOfMemory: true });
  });
  await using system = await aSystem(engine);
  await makeProject(system);
  const build = await completed(system, await start(system));
  assert.equal(build.buildStatus, "FAULT");
  assert.match(
    contextOf(build, "INSTALL")!.message!,
    /found dead before completing the build\. Build container died because it was out of memory\.$/,
  );
});

test("a container that dies between two phases, or is gone altogether, is a fault too", async () => {
  const engine = anEngine();
  await using system = await aSystem(engine);
  await makeProject(system);
  const dying = await start(system);
  const program = new Program(await engine.started(groupOf(dying.id!), CONTAINER));
  for (const phase of ["INSTALL", "PRE_BUILD", "BUILD"]) program.phase(phase);
  await reached(system, dying, ({ phases }) => phases!.at(-1)!.phaseType === "BUILD");
  program.container.exit(137);
  const died = await completed(system, dying);
  assert.equal(died.buildStatus, "FAULT");
  assert.deepEqual(phasesOf(died).slice(-3), ["BUILD SUCCEEDED", "FINALIZING FAULT", "COMPLETED"]);

  const losing = await start(system);
  await engine.started(groupOf(losing.id!), CONTAINER);
  await reached(system, losing, ({ phases }) => phases!.at(-1)!.phaseStatus === "SUCCEEDED" && phases!.length === 4);
  await system.work.pause(() => engine.remove(groupOf(losing.id!)));
  assert.equal((await completed(system, losing)).buildStatus, "FAULT");
  assert.deepEqual(system.workErrors, []);
});

test("a runner that is interrupted before the container's start prepares it again, and says so once", async () => {
  const engine = anEngine((program) => program.run());
  await using system = await aSystem(engine);
  await makeProject(system);
  const startContainer = engine.startContainer.bind(engine);
  let faults = 0;
  engine.startContainer = async (...call) => {
    faults += 1;
    if (faults === 1) throw new Error("killed");
    await startContainer(...call);
  };
  const build = await completed(system, await start(system));
  assert.equal(build.buildStatus, "SUCCEEDED");
  const lines = await logLines(system, build);
  assert.equal(lines.filter((line) => line === "[Container] Phase is DOWNLOAD_SOURCE").length, 1);
  assert.equal(system.workErrors.length, 1);
});

test("a build that Slipway cannot run is given up as a fault", async () => {
  const engine = anEngine();
  await using system = await aSystem(engine);
  await makeProject(system);
  engine.create = async () => {
    throw new Error("a fault of ours");
  };
  const build = await start(system);
  // Tries are further and further apart; whoever looks at the queue brings the next one forward.
  let isOver = false;
  const over = completed(system, build).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await system.work.schedule(system.db, "codebuild:build", build.id!.split(":")[1]!);
    system.work.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const given = await over;
  assert.deepEqual([given.buildStatus, phasesOf(given).at(-2)], ["FAULT", "PROVISIONING FAULT"]);
});

test("a container that cannot start", async () => {
  const engine = anEngine();
  engine.failStart(CONTAINER, "exec /bin/sh: no such file or directory");
  await using system = await aSystem(engine);
  await makeProject(system);
  const build = await completed(system, await start(system));
  assert.match(contextOf(build, "DOWNLOAD_SOURCE")!.message!, /could not be started: exec \/bin\/sh: no such file/);
});

test("a build waits for an engine that is away", async () => {
  const engine = anEngine((program) => program.run());
  await using system = await aSystem(engine);
  await makeProject(system);
  engine.unavailable = true;
  const build = await start(system);
  await reached(system, build, ({ currentPhase }) => currentPhase === "PROVISIONING");
  engine.unavailable = false;
  assert.equal((await completed(system, build)).buildStatus, "SUCCEEDED");
  assert.deepEqual(system.workErrors, []);
});

test("a runner that is restarted goes on: one container, every line once", async () => {
  const engine = anEngine();
  await using system = await aSystem(engine);
  await makeProject(system);
  const build = await start(system);
  const program = new Program(await engine.started(groupOf(build.id!), CONTAINER));
  program.emit("phase-started", { phase: "INSTALL" });
  program.container.log("before");
  await reached(system, build, ({ currentPhase }) => currentPhase === "INSTALL");
  await system.work.pause(async () => {
    program.container.log("meanwhile");
    program.emit("phase-ended", { phase: "INSTALL", status: "SUCCEEDED", exitStatus: 0 });
  });
  program.container.log("after");
  for (const phase of ["PRE_BUILD", "BUILD", "POST_BUILD"]) program.phase(phase);
  program.end();
  const done = await completed(system, build);
  assert.equal(done.buildStatus, "SUCCEEDED");
  const lines = await logLines(system, done);
  assert.deepEqual(lines.slice(lines.indexOf("before"), -2), ["before", "meanwhile", "after"]);
  assert.equal(lines.filter((line) => line.includes("Waiting for agent ping")).length, 1);
  assert.equal(engine.calls.filter(({ method }) => method === "create").length, 1);
});

async function putZip(system: TestSystem, key: string, files: Readonly<Record<string, string>>): Promise<void> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  const Body = await buffer(zip.outputStream);
  await system.root.send(new PutObjectCommand({ Bucket: "sources", Key: key, Body }));
}

async function object(system: TestSystem, key: string): Promise<Buffer> {
  const { Body } = await system.root.send(new GetObjectCommand({ Bucket: "sources", Key: key }));
  return buffer(Body as Readable);
}
