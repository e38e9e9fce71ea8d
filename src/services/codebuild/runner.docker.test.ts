import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DockerEngine } from "#engines/docker/docker-engine.ts";
import {
  codebuildSystem,
  completed,
  logLines,
  makeProject,
  makeRole,
  phasesOf,
  start,
} from "#tests/helpers/codebuild-system.ts";

describe("builds on a Docker Engine", () => {
  test("privileged", async () => {
    await using system = await codebuildSystem({ engine: new DockerEngine({ instance: "codebuild-test" }) });
    await makeRole(system);
    await makeProject(system, {
      environment: {
        type: "LINUX_CONTAINER",
        image: "aws/codebuild/standard:7.0",
        computeType: "BUILD_GENERAL1_SMALL",
        privilegedMode: true,
      },
      source: {
        type: "NO_SOURCE",
        buildspec: `version: 0.2
phases:
  build:
    commands:
      - docker info 2>&1 | grep -i "storage\\|cgroup"
      - cat /proc/self/cgroup | grep memory
      - tar -chf - /bin/sh /bin/sleep $(ldd /bin/sh /bin/sleep | grep -o '/lib[^ ]*' | sort -u) | docker import - base
      - docker run -d --name inner base /bin/sleep 20 && cat /proc/$(docker inspect -f '{{.State.Pid}}' inner)/cgroup | grep memory
`,
      },
    });
    const t = performance.now();
    const build = await completed(system, await start(system));
    console.log(performance.now() - t);
    console.log((await logLines(system, build)).join("\n"));
    console.log(system.workErrors, phasesOf(build));
  });
});
