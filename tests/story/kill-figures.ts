/**
 * How many builds survive a kill -9 of a detached Slipway at a random moment: `node tests/story/kill-figures.ts [N]`, with
 * DOCKER_HOST naming the engine's socket. Not a test: what docker and the aws CLI do not retry may fail.
 */
import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { BatchGetBuildsCommand, type Build, StartBuildCommand } from "@aws-sdk/client-codebuild";
import { PROJECT } from "#demo/names.ts";
import { LONG, until } from "#demo/until.ts";
import { DetachedSlipway } from "#tests/helpers/detached-slipway.ts";
import { runSteps, storyOn } from "#tests/helpers/story.ts";

const count = Number(process.argv[2] ?? 10);
await using slipway = await DetachedSlipway.start();
const story = storyOn(slipway);
try {
  await runSteps(story.setUp());
  const typical = await aBuild();
  const duration = typical.build.endTime!.getTime() - typical.build.startTime!.getTime();
  console.log(`undisturbed: ${typical.build.buildStatus} in ${duration} ms, ${typical.log.length} lines`);
  let survived = 0;
  for (let round = 0; round < count; round++) {
    const killAfter = Math.round(Math.random() * duration);
    const { build, log } = await aBuild(killAfter);
    if (build.buildStatus === "SUCCEEDED") survived++;
    console.log(`killed after ${killAfter} ms: ${build.buildStatus}, ${log.length} lines`);
    if (build.buildStatus !== "SUCCEEDED") console.log(log.slice(-12).join(""));
  }
  console.log(`${survived} of ${count} survived, ${slipway.running.restarts} restarts`);
} finally {
  await story.caller?.stop();
  await story.cleanUp();
}

async function aBuild(killAfter?: number): Promise<{ build: Build; log: string[] }> {
  const { codebuild, logs } = story.clients;
  const { build } = await codebuild.send(new StartBuildCommand({ projectName: PROJECT }));
  if (killAfter !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, killAfter));
    slipway.kill();
  }
  const ended = await until(
    async () => {
      const { builds } = await codebuild.send(new BatchGetBuildsCommand({ ids: [build!.id!] }));
      return builds?.[0]?.buildComplete ? builds[0] : undefined;
    },
    Boolean,
    LONG,
  );
  const { groupName: logGroupName, streamName: logStreamName } = ended.logs ?? {};
  const page = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }));
  return { build: ended, log: (page.events ?? []).map(({ message = "" }) => message) };
}
