/** What must be true after a merge, asked of the public APIs. Every function throws with what it found instead. */
import { GetLogEventsCommand, type OutputLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import { BatchGetBuildsCommand, type Build, ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import {
  type ActionExecutionDetail,
  ListActionExecutionsCommand,
  ListPipelineExecutionsCommand,
} from "@aws-sdk/client-codepipeline";
import { PIPELINE, PROJECT } from "./names.ts";
import type { Story } from "./story.ts";
import { LONG, until } from "./until.ts";

export async function executionCount({ clients }: Story): Promise<number> {
  const listed = await clients.codepipeline.send(new ListPipelineExecutionsCommand({ pipelineName: PIPELINE }));
  return listed.pipelineExecutionSummaries?.length ?? 0;
}

/** The execution since the merge; there must be exactly one. */
async function newExecution(story: Story) {
  const listed = await story.clients.codepipeline.send(new ListPipelineExecutionsCommand({ pipelineName: PIPELINE }));
  const fresh = (listed.pipelineExecutionSummaries ?? []).slice(0, -story.executions || undefined);
  if (fresh.length > 1) throw new Error(`The merge started ${fresh.length} executions`);
  return fresh[0];
}

/** Waits for the first executions of a new pipeline. */
export async function executionSucceeded(story: Story, count: number): Promise<void> {
  await until(
    async () => {
      const listed = await story.clients.codepipeline.send(
        new ListPipelineExecutionsCommand({ pipelineName: PIPELINE }),
      );
      const newest = listed.pipelineExecutionSummaries ?? [];
      if (newest.length < count) return false;
      const status = newest[0]?.status;
      if (status === "Succeeded" || status === "InProgress") return status === "Succeeded";
      throw new Error(await failureOf(story, newest[0]?.pipelineExecutionId));
    },
    Boolean,
    LONG,
  );
}

export async function stageSucceeded(story: Story, stageName: string): Promise<void> {
  await until(
    async () => {
      const execution = await newExecution(story);
      if (!execution) return false;
      const actions = await actionsOf(story, execution.pipelineExecutionId);
      const inStage = actions.filter((action) => action.stageName === stageName);
      if (actions.some(({ status }) => status === "Failed" || status === "Abandoned")) {
        throw new Error(await failureOf(story, execution.pipelineExecutionId));
      }
      return inStage.length > 0 && inStage.every(({ status }) => status === "Succeeded");
    },
    Boolean,
    LONG,
  );
}

async function actionsOf(story: Story, pipelineExecutionId: string | undefined): Promise<ActionExecutionDetail[]> {
  const { actionExecutionDetails } = await story.clients.codepipeline.send(
    new ListActionExecutionsCommand({ pipelineName: PIPELINE, filter: { pipelineExecutionId } }),
  );
  return actionExecutionDetails ?? [];
}

/** Which action failed and why; with the end of the build's log where it was a build. */
async function failureOf(story: Story, executionId: string | undefined): Promise<string> {
  const actions = await actionsOf(story, executionId);
  const failed = actions.find(({ status }) => status === "Failed");
  const result = failed?.output?.executionResult;
  const sentence = `Action ${failed?.stageName}/${failed?.actionName} failed: ${result?.errorDetails?.message ?? result?.externalExecutionSummary}`;
  const builds = await buildsOf(story);
  const build = builds.find(({ id }) => id === result?.externalExecutionId);
  if (!build) return sentence;
  const tail = (await logOf(story, build)).slice(-25).map(({ message }) => message);
  return `${sentence}\n${tail.join("\n")}`;
}

async function buildsOf({ clients }: Story): Promise<Build[]> {
  const { ids } = await clients.codebuild.send(new ListBuildsForProjectCommand({ projectName: PROJECT }));
  if (!ids?.length) return [];
  return (await clients.codebuild.send(new BatchGetBuildsCommand({ ids }))).builds ?? [];
}

/** The webhook's build may end after the pipeline's. */
export async function buildsSucceeded(story: Story): Promise<void> {
  const builds = await until(
    () => buildsOf(story),
    (found) => found.length > 0 && found.every(({ buildComplete }) => buildComplete),
    LONG,
  );
  const other = builds.find(({ buildStatus }) => buildStatus !== "SUCCEEDED");
  if (other) {
    const tail = (await logOf(story, other)).slice(-25).map(({ message }) => message);
    throw new Error(`Build ${other.id} is ${other.buildStatus}\n${JSON.stringify(other.phases)}\n${tail.join("\n")}`);
  }
  if (!builds.some(({ initiator }) => initiator?.startsWith("GitHub-Hookshot"))) {
    throw new Error(
      `No build was started by the webhook, but by ${builds.map(({ initiator }) => initiator).join(", ")}`,
    );
  }
}

async function logOf({ clients }: Story, build: Build): Promise<OutputLogEvent[]> {
  const { groupName, streamName } = build.logs ?? {};
  const events: OutputLogEvent[] = [];
  let nextToken: string | undefined;
  for (;;) {
    const page = await clients.logs.send(
      new GetLogEventsCommand({ logGroupName: groupName, logStreamName: streamName, startFromHead: true, nextToken }),
    );
    events.push(...(page.events ?? []));
    if (page.nextForwardToken === nextToken) return events;
    nextToken = page.nextForwardToken;
  }
}

const MILESTONES = [
  "Entering phase INSTALL",
  "Login Succeeded",
  "Phase complete: INSTALL State: SUCCEEDED",
  "Entering phase BUILD",
  "Building the Docker image...",
  "Phase complete: BUILD State: SUCCEEDED",
  "Entering phase POST_BUILD",
  "Pushing the Docker image..",
  "Phase complete: POST_BUILD State: SUCCEEDED",
  "Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED",
];

/** In the log of every build that passed each milestone is there once, in order, and the times never go back. */
export async function logsComplete(story: Story): Promise<void> {
  for (const build of await buildsOf(story)) {
    if (build.buildStatus !== "SUCCEEDED") continue;
    const events = await logOf(story, build);
    const messages = events.map(({ message = "" }) => message.trimEnd());
    let from = 0;
    for (const milestone of MILESTONES) {
      // A command's line repeats what it will print: only the line's end counts.
      const lines = messages.flatMap((message, index) =>
        message.endsWith(milestone) && !message.includes("Running command") ? [index] : [],
      );
      if (lines.length !== 1 || lines[0]! < from) {
        throw new Error(
          `The log of ${build.id} has "${milestone}" at lines [${lines.join(", ")}], expected once after ${from}:\n${messages.join("\n")}`,
        );
      }
      from = lines[0]!;
    }
    const times = events.map(({ timestamp = 0 }) => timestamp);
    if (times.some((time, index) => index > 0 && time < times[index - 1]!)) {
      throw new Error(`The log of ${build.id} is not in the order of time`);
    }
  }
}

export async function badgePasses({ badgeUrl }: Story): Promise<void> {
  const response = await fetch(badgeUrl!);
  const svg = await response.text();
  if (!response.ok || !svg.includes("passing")) throw new Error(`The badge at ${badgeUrl} says: ${svg.slice(0, 300)}`);
}
