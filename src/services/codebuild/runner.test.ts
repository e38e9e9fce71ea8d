/** The runner against a scripted engine and the real logs, S3, IAM and STS: environments, logs, what fails by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { anEngine, aSystem, groupOf, Program } from "#tests/helpers/build-program.ts";
import {
  aProject,
  completed,
  contextOf,
  logLines,
  makeProject,
  makeRole,
  phasesOf,
  ROLE_ARN,
  start,
} from "#tests/helpers/codebuild-system.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { CONTAINER, PROGRAM_FILE } from "./runner/build-container.ts";

const SUCCEEDED = ["INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"].map(
  (phase) => `${phase} SUCCEEDED`,
);
const BEFORE = ["SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE"].map((phase) => `${phase} SUCCEEDED`);

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

test("an image of ECR comes from this Slipway's registry, and leaves with the build", async () => {
  const engine = anEngine();
  const name = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/builder:1`;
  const pulled = `127.0.0.1:4566/${name}`;
  const { id } = engine.addImage(pulled, { remote: true, digest: "sha256:abc" });
  engine.behave(id, (container) => new Program(container).run());
  await using system = await aSystem(engine, ["logs:*", "ecr:GetAuthorizationToken"]);
  const environment = { ...aProject().environment!, image: name, imagePullCredentialsType: "SERVICE_ROLE" as const };
  await makeProject(system, { environment });
  assert.equal((await completed(system, await start(system))).buildStatus, "SUCCEEDED");
  const untagged = await engine.untagged(2);
  assert.deepEqual(untagged, [pulled, pulled.replace(":1", "@sha256:abc")]);
  const serviceRoleOverride = await makeRole(system, ["logs:*"], "no-ecr");
  const denied = await completed(system, await start(system, { serviceRoleOverride }));
  assert.match(contextOf(denied, "PROVISIONING")!.message!, /CannotPullContainerError: .*ecr:GetAuthorizationToken/);
});

test("the role's policies can ask for the project and the build", async () => {
  await using system = await aSystem(
    anEngine((program) => program.run()),
    ["s3:*"],
  );
  await makeProject(system);
  const runsWith = async (condition: object) => {
    const statement = { Effect: "Allow", Action: "logs:*", Resource: "*", Condition: condition };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await system.root.send(new PutRolePolicyCommand({ RoleName: "build-role", PolicyName: "access", PolicyDocument }));
    return (await completed(system, await start(system))).buildStatus;
  };
  const arn = (resource: string) => `arn:aws:codebuild:us-east-1:${ACCOUNT}:${resource}`;
  assert.equal(await runsWith({ ArnEquals: { "codebuild:projectArn": arn("project/demo") } }), "SUCCEEDED");
  assert.equal(await runsWith({ ArnLike: { "codebuild:buildArn": arn("build/demo:*") } }), "SUCCEEDED");
  assert.equal(await runsWith({ ArnEquals: { "codebuild:projectArn": arn("project/other") } }), "FAILED");
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
