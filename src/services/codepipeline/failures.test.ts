import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GetPipelineStateCommand } from "@aws-sdk/client-codepipeline";
import { until } from "#demo/until.ts";
import { aPipeline, aPipelineSystem, created, DEFINITIONS, failureOf, pipelineName, started } from "./testing.ts";

describe("a pipeline's role", () => {
  const denied: [
    missing: string,
    left: ("connection" | "artifacts" | "build" | "deploy")[],
    action: string,
    message: RegExp,
  ][] = [
    [
      "UseConnection",
      ["artifacts"],
      "Source",
      /^Unable to use Connection: arn:.*\. The provided role does not have sufficient permissions\.$/,
    ],
    [
      "the bucket",
      ["connection"],
      "Source",
      /^The service role or action role doesn’t have the permissions required to access the Amazon S3 bucket named codepipeline-artifacts\./,
    ],
    [
      "StartBuild",
      ["connection", "artifacts"],
      "Build",
      /^Error calling startBuild: User: .*assumed-role\/pipeline\/.* is not authorized to perform: codebuild:StartBuild/,
    ],
    [
      "ECS",
      ["connection", "artifacts", "build"],
      "Deploy",
      /^The provided role does not have sufficient permissions to access ECS\./,
    ],
  ];
  for (const [missing, left, action, message] of denied) {
    it(`without ${missing} fails the action`, async () => {
      await using made = await aPipelineSystem();
      await made.allow(...left);
      await made.commit("prod", "one");
      const id = await created(made);
      if (action === "Deploy") {
        await started(made);
        await made.builds.finish(made.system, { buildStatus: "SUCCEEDED" }, DEFINITIONS);
      }
      const error = await failureOf(made.system, id, action);
      assert.equal(error?.code, "PermissionError");
      assert.match(error?.message ?? "", message);
    });
  }
});

describe("an action that fails", () => {
  const sources: [what: string, configuration: Record<string, string>, message: RegExp][] = [
    [
      "branch",
      { BranchName: "none" },
      /^\[GitHub\] No Branch \[none\] found for FullRepositoryName \[omenking\/cruddur\]$/,
    ],
    ["repository", { FullRepositoryId: "omenking/none" }, /^Could not read the repository omenking\/none: /],
  ];
  for (const [what, configuration, message] of sources) {
    it(`says that the ${what} is missing`, async () => {
      await using made = await aPipelineSystem();
      await made.commit("prod", "one");
      const { stages = [] } = aPipeline(made.connectionArn);
      Object.assign(stages[0]!.actions![0]!.configuration!, configuration);
      const error = await failureOf(made.system, await created(made, { stages }), "Source");
      assert.deepEqual([error?.code, message.test(error?.message ?? "")], ["ConfigurationError", true], error?.message);
    });
  }

  it("shows how the build ended", async () => {
    await using made = await aPipelineSystem();
    await made.commit("prod", "one");
    const id = await created(made);
    await started(made);
    const contexts = [{ statusCode: "COMMAND_EXECUTION_ERROR", message: "exit status 1" }];
    await made.builds.finish(made.system, {
      buildStatus: "FAILED",
      phases: [
        { phaseType: "INSTALL", phaseStatus: "SUCCEEDED" },
        { phaseType: "BUILD", phaseStatus: "FAILED", contexts },
      ],
    });
    assert.deepEqual(await failureOf(made.system, id, "Build"), {
      code: "JobFailed",
      message:
        "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: exit status 1",
    });
    const { stageStates } = await made.system.root.send(new GetPipelineStateCommand({ name: pipelineName }));
    assert.deepEqual(
      stageStates?.map(({ latestExecution }) => latestExecution?.status),
      ["Succeeded", "Failed", undefined],
    );
  });

  const definitions: [what: string, files: Record<string, string>, message: RegExp][] = [
    [
      "is missing",
      { "other.json": "[]" },
      /^Did not find the image definition file imagedefinitions\.json in the input artifacts ZIP file\. Verify the file is stored in your pipeline's Amazon S3 artifact bucket: codepipeline-artifacts key: /,
    ],
    [
      "is not JSON",
      { "imagedefinitions.json": "[{" },
      /^The image definition file imagedefinitions\.json contents invalid JSON format/,
    ],
    ["has another shape", { "imagedefinitions.json": '[{"name":"x"}]' }, /contents invalid JSON format/],
    ["is too large", { "imagedefinitions.json": " ".repeat(200_000) }, /is larger than 102400 bytes$/],
    [
      "names an unknown container",
      { "imagedefinitions.json": '[{"name":"web","imageUri":"x"}]' },
      /^The AWS ECS container web does not exist$/,
    ],
  ];
  for (const [what, files, message] of definitions) {
    it(`says that the image definition file ${what}, and registers nothing`, async () => {
      await using made = await aPipelineSystem();
      await made.commit("prod", "one");
      const id = await created(made);
      await started(made);
      await made.builds.finish(made.system, { buildStatus: "SUCCEEDED" }, files);
      const error = await failureOf(made.system, id, "Deploy");
      assert.deepEqual([error?.code, message.test(error?.message ?? "")], ["ConfigurationError", true], error?.message);
      assert.equal(made.ecs.registered.length, 0);
    });
  }

  it("gives ECS's reason for a failed deployment", async () => {
    await using made = await aPipelineSystem();
    await made.commit("prod", "one");
    const id = await created(made);
    await started(made);
    await made.builds.finish(made.system, { buildStatus: "SUCCEEDED" }, DEFINITIONS);
    await until(
      async () => made.ecs.registered.length,
      (length) => length > 0,
    );
    made.ecs.fail("ECS deployment circuit breaker: tasks failed to start.");
    const error = await failureOf(made.system, id, "Deploy");
    assert.equal(error?.message, "Deployment failed. ECS deployment circuit breaker: tasks failed to start.");
  });

  const missing: [stage: number, action: string, configuration: Record<string, string>, message: string][] = [
    [
      1,
      "Build",
      { ProjectName: "missing" },
      "Error calling startBuild: Project cannot be found: missing (Service: AWSCodeBuild; Status Code: 400; Error Code: ResourceNotFoundException)",
    ],
    [2, "Deploy", { ServiceName: "web" }, "The Amazon ECS service 'web' does not exist."],
    [2, "Deploy", { ClusterName: "none" }, "The Amazon ECS cluster 'none' does not exist."],
    [
      1,
      "Build",
      { ProjectName: "#{SourceVariables.Nothing}" },
      "The variable #{SourceVariables.Nothing} in the action's configuration could not be resolved: there is no such output variable of an action that has run",
    ],
  ];
  for (const [stage, action, configuration, message] of missing) {
    it(`names what does not exist: ${JSON.stringify(configuration)}`, async () => {
      await using made = await aPipelineSystem();
      await made.commit("prod", "one");
      const { stages = [] } = aPipeline(made.connectionArn);
      Object.assign(stages[stage]!.actions![0]!.configuration!, configuration);
      const id = await created(made, { stages });
      if (action === "Deploy") {
        await started(made);
        await made.builds.finish(made.system, { buildStatus: "SUCCEEDED" }, DEFINITIONS);
      }
      assert.equal((await failureOf(made.system, id, action))?.message, message);
    });
  }
});
