/**
 * The story, driven by the JS SDK over the wire: set up once, then delivered, denied, and interrupted by kill -9. The tests
 * stand in the order in which they happen to one pipeline.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  BatchGetBuildsCommand,
  BatchGetProjectsCommand,
  type Build,
  StartBuildCommand,
  UpdateProjectCommand,
} from "@aws-sdk/client-codebuild";
import { GetPipelineStateCommand } from "@aws-sdk/client-codepipeline";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ListTasksCommand } from "@aws-sdk/client-ecs";
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { filledText } from "#demo/inputs.ts";
import { CLUSTER, PIPELINE, PROJECT, SERVICE } from "#demo/names.ts";
import type { Story } from "#demo/story.ts";
import { LONG, until } from "#demo/until.ts";
import { logsComplete, stageSucceeded } from "#demo/verification.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import { runSteps, storyOn } from "#tests/helpers/story.ts";

/** Fifteen seconds' worth: longer than a kill and a start take on a busy machine. */
const COUNTED_LINES = 300;
const BUILD_ROLE = `codebuild-${PROJECT}-service-role`;

describe("the Cruddur pipeline", () => {
  let slipway: SlipwayProcess;
  let story: Story;

  before(async () => {
    slipway = await SlipwayProcess.start();
    story = storyOn(slipway);
    await runSteps(story.setUp());
  });
  after(async () => {
    await story?.caller?.stop();
    await slipway?.[Symbol.asyncDispose]();
    await story?.cleanUp();
  });

  async function ended(id: string): Promise<Build> {
    return until(
      async () => {
        const { builds } = await story.clients.codebuild.send(new BatchGetBuildsCommand({ ids: [id] }));
        return builds?.[0]?.buildComplete ? builds[0] : undefined;
      },
      Boolean,
      LONG,
    );
  }

  async function logOf(build: Build): Promise<string[]> {
    const { groupName, streamName } = build.logs ?? {};
    const page = await story.clients.logs.send(
      new GetLogEventsCommand({ logGroupName: groupName, logStreamName: streamName, startFromHead: true }),
    );
    return (page.events ?? []).map(({ message = "" }) => message);
  }

  it("delivers a merged pull request without a failed request", () => runSteps(story.delivery("2")));

  it("has what the application says in the stream that awslogs names after its task", async () => {
    const { ecs, logs } = story.clients;
    const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster: CLUSTER, serviceName: SERVICE }));
    assert.ok(taskArns.length > 0);
    for (const arn of taskArns) {
      const logStreamName = `backend-flask/backend-flask/${arn.split("/").at(-1)}`;
      await until(async () => {
        const { events } = await logs.send(new GetLogEventsCommand({ logGroupName: "cruddur", logStreamName }));
        return events?.some(({ message }) => message?.includes('"GET /api/health-check HTTP/1.1" 200'));
      });
    }
  });

  it("keeps the build's numbers as AWS's console shows them", async () => {
    const { projects } = await story.clients.codebuild.send(new BatchGetProjectsCommand({ names: [PROJECT] }));
    assert.deepEqual(
      [projects?.[0]?.timeoutInMinutes, projects?.[0]?.queuedTimeoutInMinutes, projects?.[0]?.badge?.badgeEnabled],
      [20, 480, true],
    );
  });

  it("fails at the registry login without the role's ECR policy, and passes with it", async () => {
    const { iam, codebuild } = story.clients;
    await iam.send(new DeleteRolePolicyCommand({ RoleName: BUILD_ROLE, PolicyName: "ecr-policy" }));
    const denied = await codebuild.send(new StartBuildCommand({ projectName: PROJECT }));
    const failed = await ended(denied.build!.id!);
    assert.equal(failed.buildStatus, "FAILED");
    const install = failed.phases?.find(({ phaseType }) => phaseType === "INSTALL");
    assert.equal(install?.phaseStatus, "FAILED");
    assert.equal(install?.contexts?.[0]?.statusCode, "COMMAND_EXECUTION_ERROR");
    const log = (await logOf(failed)).join("");
    assert.match(
      log,
      /An error occurred \(AccessDeniedException\) when calling the GetAuthorizationToken operation: User: arn:aws:sts::\d{12}:assumed-role\/codebuild-cruddur-backend-flask-bake-image-service-role\/AWSCodeBuild-[0-9a-f-]+ is not authorized to perform: ecr:GetAuthorizationToken on resource: \* because no identity-based policy allows the ecr:GetAuthorizationToken action/,
    );

    const PolicyDocument = await filledText("ecr-policy", story.values);
    await iam.send(new PutRolePolicyCommand({ RoleName: BUILD_ROLE, PolicyName: "ecr-policy", PolicyDocument }));
    const allowed = await codebuild.send(new StartBuildCommand({ projectName: PROJECT }));
    assert.equal((await ended(allowed.build!.id!)).buildStatus, "SUCCEEDED");
  });

  it("goes on after kill -9 during the build; the log has every line once", async () => {
    // What talks to Slipway while it is away fails as in any outage, so the kill comes while the build counts.
    const original = await useBuildspec(await countingBuildspec());
    await story.release("3");
    await story.stopCaller(); // a killed load balancer fails requests; what is tested here is the work
    const id = await until(
      async () => {
        const running = await runningBuild();
        if (!running) return undefined;
        const { builds } = await story.clients.codebuild.send(new BatchGetBuildsCommand({ ids: [running] }));
        const build = builds?.[0];
        if (build?.currentPhase !== "PRE_BUILD") return undefined;
        return (await logOf(build)).some((line) => line.startsWith("line 5\n")) ? running : undefined;
      },
      Boolean,
      LONG,
    );
    await slipway.kill();
    await slipway.start();
    for (const stage of ["Build", "Deploy"]) await stageSucceeded(story, stage);
    await story.serves("3");
    await logsComplete(story);
    const counted = (await logOf(await ended(id))).filter((line) => /^line \d+\n$/.test(line));
    assert.deepEqual(
      counted,
      Array.from({ length: COUNTED_LINES }, (_, index) => `line ${index + 1}\n`),
    );
    await useBuildspec(original);
  });

  it("goes on after kill -9 during the deployment; one revision, one rollout", async () => {
    const before = await currentRevision();
    await story.release("4");
    await story.stopCaller();
    await until(
      () => stageStatus("Deploy"),
      (status) => status === "InProgress",
      LONG,
    );
    await until(currentRevision, (revision) => revision > before, LONG);
    await slipway.kill();
    await slipway.start();
    await stageSucceeded(story, "Deploy");
    await story.serves("4");
    assert.equal(await currentRevision(), before + 1);
    const { services } = await story.clients.ecs.send(
      new DescribeServicesCommand({ cluster: CLUSTER, services: [SERVICE] }),
    );
    assert.deepEqual([services?.[0]?.runningCount, services?.[0]?.deployments?.length], [1, 1]);
  });

  it("fails the deployment of an image definition that names an unknown container, and leaves the service alone", async () => {
    const before = await currentRevision();
    const buildspec = [
      "version: 0.2",
      "phases:",
      "  build:",
      "    commands:",
      `      - printf '[{"name":"frontend","imageUri":"nowhere"}]' > imagedefinitions.json`,
      "artifacts:",
      "  files: [imagedefinitions.json]",
    ].join("\n");
    await useBuildspec(buildspec);
    await story.release("5");
    await story.stopCaller();
    await assert.rejects(stageSucceeded(story, "Deploy"), /frontend/);
    assert.equal(await currentRevision(), before);
    await story.serves("4");
  });

  /** Gives the project another buildspec and returns the one it had. */
  async function useBuildspec(buildspec: string): Promise<string> {
    const { projects } = await story.clients.codebuild.send(new BatchGetProjectsCommand({ names: [PROJECT] }));
    const source = projects![0]!.source!;
    await story.clients.codebuild.send(new UpdateProjectCommand({ name: PROJECT, source: { ...source, buildspec } }));
    return source.buildspec!;
  }

  /** The story's buildspec with a slow count before the image is built. */
  async function countingBuildspec(): Promise<string> {
    const text = await readFile(new URL("../../examples/cruddur/backend-flask/buildspec.yml", import.meta.url), "utf8");
    const count = `for i in $(seq 1 ${COUNTED_LINES}); do echo line $i; sleep 0.05; done`;
    const counting = text.replace("  build:\n", `  pre_build:\n    commands:\n      - ${count}\n  build:\n`);
    return counting.replace(/^env:\n(?:[ \t].*\n)*/m, (section) =>
      section.replaceAll("$ACCOUNT_ID", story.options.account).replaceAll("$AWS_DEFAULT_REGION", story.options.region),
    );
  }

  async function runningBuild(): Promise<string | undefined> {
    const state = await story.clients.codepipeline.send(new GetPipelineStateCommand({ name: PIPELINE }));
    const action = state.stageStates?.find(({ stageName }) => stageName === "Build")?.actionStates?.[0]
      ?.latestExecution;
    return action?.status === "InProgress" ? action.externalExecutionId : undefined;
  }

  async function stageStatus(name: string): Promise<string | undefined> {
    const state = await story.clients.codepipeline.send(new GetPipelineStateCommand({ name: PIPELINE }));
    return state.stageStates?.find(({ stageName }) => stageName === name)?.latestExecution?.status;
  }

  async function currentRevision(): Promise<number> {
    const { taskDefinition } = await story.clients.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: "backend-flask" }),
    );
    return taskDefinition!.revision!;
  }
});
