/** Builds that do not run straight to their end: stopped, late, in a queue, on engines and runners that fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StopBuildCommand } from "@aws-sdk/client-codebuild";
import { anEngine, aSystem, groupOf, Program } from "#tests/helpers/build-program.ts";
import {
  completed,
  contextOf,
  current,
  logLines,
  makeProject,
  phasesOf,
  reached,
  start,
} from "#tests/helpers/codebuild-system.ts";
import { CONTAINER } from "../runner/build-container.ts";
import { BUILD_TOPIC, CONCURRENT_BUILDS } from "../submit-build.ts";

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
