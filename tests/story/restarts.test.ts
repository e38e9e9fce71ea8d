/**
 * The story on a detached Slipway that is killed right before the build's login, pull and push, which nobody starts again by
 * hand. What each of them asks meanwhile waits in the kernel's queue.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { BatchGetBuildsCommand, BatchGetProjectsCommand, UpdateProjectCommand } from "@aws-sdk/client-codebuild";
import {
  GetPipelineExecutionCommand,
  ListActionExecutionsCommand,
  StartPipelineExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { PIPELINE, PROJECT } from "#demo/names.ts";
import type { Story } from "#demo/story.ts";
import { LONG, until } from "#demo/until.ts";
import { DetachedSlipway } from "#tests/helpers/detached-slipway.ts";
import { runSteps, storyOn } from "#tests/helpers/story.ts";

/** Longer than the five seconds in which a second kill would be final. */
const PAUSE_S = 8;
const KILL_AFTER_MS = 7_700;
/** What stands before the commands that talk to the registry. */
const COMMANDS = [/^( +- )(?=aws ecr get-login-password)/m, /^( +- )(?=docker build)/m, /^( +- )(?=docker push)/m];

describe("a detached Slipway that is killed during a build", () => {
  let slipway: DetachedSlipway;
  let story: Story;

  before(async () => {
    slipway = await DetachedSlipway.start();
    story = storyOn(slipway);
    await runSteps(story.setUp());
  });
  after(async () => {
    await slipway?.[Symbol.asyncDispose]();
    await story?.cleanUp();
  });

  it("comes back each time; build and pipeline succeed, and the log has every line once", async () => {
    const { codepipeline, codebuild } = story.clients;
    await usePausingBuildspec();
    const { pipelineExecutionId } = await codepipeline.send(new StartPipelineExecutionCommand({ name: PIPELINE }));
    const buildId = await until(
      async () => {
        const listed = await codepipeline.send(
          new ListActionExecutionsCommand({ pipelineName: PIPELINE, filter: { pipelineExecutionId } }),
        );
        const action = listed.actionExecutionDetails?.find(({ stageName }) => stageName === "Build");
        return action?.output?.executionResult?.externalExecutionId;
      },
      Boolean,
      LONG,
    );
    for (const number of COMMANDS.keys()) {
      await until(
        () => logOf(buildId),
        (log) => log.includes(`pause ${number}\n`),
        LONG,
      );
      await new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS));
      slipway.kill();
    }
    const status = await until(
      async () => {
        const { pipelineExecution } = await codepipeline.send(
          new GetPipelineExecutionCommand({ pipelineName: PIPELINE, pipelineExecutionId }),
        );
        return pipelineExecution?.status === "InProgress" ? undefined : pipelineExecution?.status;
      },
      Boolean,
      LONG,
    );
    const log = await logOf(buildId);
    assert.equal(status, "Succeeded", log.slice(-15).join(""));
    const { builds } = await codebuild.send(new BatchGetBuildsCommand({ ids: [buildId] }));
    assert.equal(builds?.[0]?.buildStatus, "SUCCEEDED");
    assert.equal(slipway.running.restarts, COMMANDS.length);
    for (const line of [
      "pause 0",
      "pause 1",
      "pause 2",
      "Building the Docker image...",
      "Pushing the Docker image..",
    ]) {
      assert.equal(log.filter((text) => text === `${line}\n`).length, 1, line);
    }
  });

  async function logOf(buildId: string): Promise<string[]> {
    const { builds } = await story.clients.codebuild.send(new BatchGetBuildsCommand({ ids: [buildId] }));
    const { groupName: logGroupName, streamName: logStreamName } = builds?.[0]?.logs ?? {};
    if (!logStreamName) return [];
    const page = await story.clients.logs
      .send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }))
      .catch((error: Error) => {
        if (error.name === "ResourceNotFoundException") return { events: [] };
        throw error;
      });
    return (page.events ?? []).map(({ message = "" }) => message);
  }

  /** The story's buildspec, with a pause before each of the commands. */
  async function usePausingBuildspec(): Promise<void> {
    const file = new URL("../../examples/cruddur/backend-flask/buildspec.yml", import.meta.url);
    const pausing = COMMANDS.reduce(
      (text, command, number) => text.replace(command, `$1echo pause ${number}; sleep ${PAUSE_S}\n$1`),
      await readFile(file, "utf8"),
    );
    const buildspec = pausing.replace(/^env:\n(?:[ \t].*\n)*/m, (section) =>
      section.replaceAll("$ACCOUNT_ID", story.options.account).replaceAll("$AWS_DEFAULT_REGION", story.options.region),
    );
    const { projects } = await story.clients.codebuild.send(new BatchGetProjectsCommand({ names: [PROJECT] }));
    const source = { ...projects![0]!.source!, buildspec };
    await story.clients.codebuild.send(new UpdateProjectCommand({ name: PROJECT, source }));
  }
});
