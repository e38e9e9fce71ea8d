/** The story once more, by the shell script of `examples/cruddur` alone: the real aws CLI, docker, git, curl and openssl. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureTools } from "#setup/apt.ts";
import { imageReference } from "#setup/image-recipe.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import { OWNER, storyOn } from "#tests/helpers/story.ts";

const SCRIPT = fileURLToPath(new URL("../../examples/cruddur/deliver.sh", import.meta.url));

it("deliver.sh delivers", async () => {
  await ensureTools(["git", "aws", "curl", "openssl"], (line) => console.log(line));
  await using stack = new AsyncDisposableStack();
  const slipway = await SlipwayProcess.start();
  const story = storyOn(slipway);
  const { account, region } = story.options;
  // What is deferred first is done last: images go when no container uses them any more.
  stack.defer(() => story.images.remove(`${account}.dkr.ecr.${region}.amazonaws.com/backend-flask:latest`));
  stack.defer(() => story.cleanUp());
  stack.use(slipway);
  await mkdir(join(slipway.repositories, OWNER), { recursive: true });
  const dockerConfig = await mkdtemp(join(tmpdir(), "slipway-docker-config-"));
  const environment = {
    ...slipway.environment,
    OWNER,
    REPOSITORIES: slipway.repositories,
    BASE_IMAGE: imageReference("cruddur-python"),
    // What AWS would resolve by DNS goes through Slipway's proxy, as it does in builds.
    http_proxy: slipway.running.url,
    no_proxy: "127.0.0.1,localhost",
    DOCKER_CONFIG: dockerConfig,
  };
  try {
    const { status, output } = await runScript(environment);
    assert.equal(status, 0, `${output}\n--- Slipway:\n${slipway.output.slice(-3000)}`);
    assert.match(output, /Delivered: /);
  } finally {
    await rm(dockerConfig, { recursive: true, force: true });
  }
});

function runScript(env: NodeJS.ProcessEnv): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    execFile("bash", [SCRIPT], { env, timeout: 600_000 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, output: `${stdout}${stderr}` });
    });
  });
}
