/** Builds in real containers of the standard image, which the engine at DOCKER_HOST must hold (`npm run setup`). */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { StopBuildCommand } from "@aws-sdk/client-codebuild";
import { CreateBucketCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import { fromBufferPromise } from "yauzl";
import { DockerEngine } from "#engines/docker/docker-engine.ts";
import {
  aProject,
  codebuildSystem,
  completed,
  contextOf,
  logLines,
  makeProject,
  makeRole,
  phasesOf,
  reached,
  start,
} from "#tests/helpers/codebuild-system.ts";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { BUILD_TOPIC } from "./submit-build.ts";

const spec = (commands: readonly string[], rest = "") =>
  `version: 0.2\nphases:\n  build:\n    commands:\n${commands.map((line) => `      - ${JSON.stringify(line)}\n`).join("")}${rest}`;

suite("builds on a Docker Engine", () => {
  const engine = new DockerEngine({ instance: `codebuild-${randomUUID().slice(0, 8)}` });
  let system: TestSystem;

  before(async () => {
    system = await codebuildSystem({ engine });
    await makeRole(system);
    await makeProject(system);
    await system.root.send(new CreateBucketCommand({ Bucket: "out" }));
  });
  after(async () => {
    // The handler that clears a container away ends with the work loop.
    await system[Symbol.asyncDispose]();
    assert.deepEqual(await engine.recover({}), []);
  });

  test("runs to its end, with every line of its log once and in order", async () => {
    const buildspecOverride = spec(
      ["for n in $(seq 500); do echo line $n; done", "export VERSION=$CODEBUILD_BUILD_NUMBER.0"],
      "env:\n  exported-variables: [VERSION]\n",
    );
    const build = await completed(system, await start(system, { buildspecOverride }));
    assert.equal(build.buildStatus, "SUCCEEDED", JSON.stringify(build.phases));
    assert.deepEqual(build.exportedEnvironmentVariables, [{ name: "VERSION", value: `${build.buildNumber}.0` }]);
    const lines = (await logLines(system, build)).filter((line) => line.startsWith("line "));
    assert.deepEqual(
      lines,
      Array.from({ length: 500 }, (_, index) => `line ${index + 1}`),
    );
  });

  test("goes on when its runner is interrupted: the log has no gap and no repeat", async () => {
    const commands = ["for n in $(seq 30); do echo line $n; sleep 0.05; done"];
    const started = await start(system, { buildspecOverride: spec(commands) });
    await reached(system, started, ({ currentPhase }) => currentPhase === "BUILD");
    await system.work.pause(async () => {
      assert.equal((await engine.recover({ service: "codebuild" })).length, 1);
    });
    const build = await completed(system, started);
    assert.equal(build.buildStatus, "SUCCEEDED");
    const lines = (await logLines(system, build)).filter((line) => line.startsWith("line "));
    assert.deepEqual(
      lines,
      Array.from({ length: 30 }, (_, index) => `line ${index + 1}`),
    );
  });

  test("privileged, has a Docker daemon of its own whose containers stay within the build's limits", async () => {
    const environment = { ...aProject().environment!, privilegedMode: true };
    await makeProject(system, { name: "privileged", environment });
    const commands = [
      "tar -chf - /bin/sh /bin/sleep $(ldd /bin/sh /bin/sleep | grep -o '/lib[^ ]*' | sort -u) 2>/dev/null | docker import - base",
      "docker run -d --name inner base /bin/sleep 60",
      "own=$(grep -E '^0::|:memory:' /proc/self/cgroup | tail -n 1)",
      "inner=$(grep -E '^0::|:memory:' /proc/$(docker inspect -f '{{.State.Pid}}' inner)/cgroup | tail -n 1)",
      'case "$inner" in "$own"/*) echo inside ;; esac',
      "docker rm -f inner",
    ];
    const started = await start(system, { projectName: "privileged", buildspecOverride: spec(commands) });
    const build = await completed(system, started);
    const lines = await logLines(system, build);
    assert.equal(build.buildStatus, "SUCCEEDED", lines.join("\n"));
    assert.ok(lines.includes("inside"), lines.join("\n"));
  });

  test("uploads its artifact as a zip", async () => {
    const buildspecOverride = spec(
      ["mkdir -p dist/deep && echo one > dist/a.txt && echo two > dist/deep/b.txt"],
      "artifacts:\n  base-directory: dist\n  files: ['**/*']\n",
    );
    const artifactsOverride = { type: "S3", location: "out", name: "dist.zip", packaging: "ZIP" } as const;
    const build = await completed(system, await start(system, { buildspecOverride, artifactsOverride }));
    assert.equal(build.buildStatus, "SUCCEEDED", JSON.stringify(build.phases));
    const { Body } = await system.root.send(new GetObjectCommand({ Bucket: "out", Key: "dist.zip" }));
    const zip = await fromBufferPromise(await buffer(Body as Readable), { lazyEntries: true });
    const names: string[] = [];
    for await (const entry of zip.eachEntry()) names.push(entry.fileName);
    assert.deepEqual(names.sort(), ["a.txt", "deep/b.txt"]);
  });

  test("is stopped, or runs out of time, in the midst of a command", async () => {
    for (const status of ["STOPPED", "TIMED_OUT"]) {
      const started = await start(system, {
        buildspecOverride: spec(["sleep 600"]),
        timeoutInMinutesOverride: 5,
      });
      await reached(system, started, ({ currentPhase }) => currentPhase === "BUILD");
      if (status === "STOPPED") {
        await system.root.send(new StopBuildCommand({ id: started.id! }));
      } else {
        system.setNow(new Date(Date.now() + 6 * 60_000));
        system.bus.publish(BUILD_TOPIC, started.id!.split(":")[1]!);
      }
      const build = await completed(system, started);
      assert.equal(build.buildStatus, status);
      assert.deepEqual(phasesOf(build).slice(-3), [`BUILD ${status}`, "FINALIZING SUCCEEDED", "COMPLETED"]);
    }
  });

  test("does not begin with an image that cannot be read", async () => {
    // Nothing listens on port 1.
    const build = await completed(system, await start(system, { imageOverride: "127.0.0.1:1/private/app:1" }));
    assert.deepEqual(phasesOf(build).slice(2), ["PROVISIONING FAILED", "COMPLETED"]);
    const { statusCode, message } = contextOf(build, "PROVISIONING")!;
    assert.equal(statusCode, "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE");
    assert.match(
      message!,
      /^Unable to pull customer's container image\. CannotPullContainerError: Error response from daemon: /,
    );
  });
});
