import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-codebuild";
import { rootPrincipal, servicePrincipal } from "#gateway/context.ts";
import {
  aProject,
  codebuildSystem,
  current,
  makeProject,
  makeRole,
  phasesOf,
  start,
} from "#tests/helpers/codebuild-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { QUEUED_BUILDS } from "../submit-build.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

/** Without the work loop, builds stay in the queue. */
async function system(overrides: Partial<sdk.CreateProjectInput> = {}) {
  const made = await codebuildSystem({ work: false });
  made.setNow(NOW);
  await makeRole(made);
  await makeProject(made, overrides);
  return made;
}

test("a build begins in the queue, with the project's settings", async () => {
  await using slipway = await system({ sourceVersion: "main", timeoutInMinutes: 20 });
  const build = await start(slipway);
  const uuid = build.id!.split(":")[1]!;
  assert.match(build.id!, /^demo:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual(build, {
    id: `demo:${uuid}`,
    arn: `arn:aws:codebuild:${REGION}:${ACCOUNT}:build/demo:${uuid}`,
    buildNumber: 1,
    startTime: NOW,
    currentPhase: "QUEUED",
    buildStatus: "IN_PROGRESS",
    buildComplete: false,
    phases: [
      { phaseType: "SUBMITTED", phaseStatus: "SUCCEEDED", startTime: NOW, endTime: NOW, durationInSeconds: 0 },
      { phaseType: "QUEUED", startTime: NOW },
    ],
    sourceVersion: "main",
    projectName: "demo",
    source: aProject().source,
    secondarySources: [],
    secondarySourceVersions: [],
    artifacts: { location: "" },
    secondaryArtifacts: [],
    cache: { type: "NO_CACHE" },
    environment: {
      ...aProject().environment,
      environmentVariables: [],
      privilegedMode: false,
      imagePullCredentialsType: "CODEBUILD",
    },
    serviceRole: aProject().serviceRole,
    logs: { cloudWatchLogs: { status: "ENABLED" }, s3Logs: { status: "DISABLED", encryptionDisabled: false } },
    timeoutInMinutes: 20,
    queuedTimeoutInMinutes: 480,
    initiator: "root",
    encryptionKey: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/s3`,
  });
  assert.deepEqual(await current(slipway, build), build);
  assert.equal((await start(slipway)).buildNumber, 2);
});

test("StartBuild overrides the project", async () => {
  await using slipway = await system({
    environment: {
      ...aProject().environment!,
      environmentVariables: [
        { name: "KEPT", value: "1", type: "PLAINTEXT" },
        { name: "CHANGED", value: "1", type: "PLAINTEXT" },
      ],
    },
  });
  const build = await start(slipway, {
    sourceTypeOverride: "S3",
    sourceLocationOverride: "bucket/source.zip",
    buildspecOverride: "other.yml",
    sourceVersion: "version",
    environmentVariablesOverride: [
      { name: "CHANGED", value: "2", type: "PLAINTEXT" },
      { name: "NEW", value: "3", type: "PLAINTEXT" },
    ],
    imageOverride: "alpine:3",
    computeTypeOverride: "BUILD_GENERAL1_LARGE",
    privilegedModeOverride: true,
    timeoutInMinutesOverride: 5,
    queuedTimeoutInMinutesOverride: 6,
    artifactsOverride: { type: "S3", location: "out", path: "a//b/", namespaceType: "BUILD_ID", name: "x.zip" },
    logsConfigOverride: { cloudWatchLogs: { status: "DISABLED" } },
    encryptionKeyOverride: "arn:aws:kms:us-east-1:111122223333:key/k",
  });
  const uuid = build.id!.split(":")[1]!;
  assert.deepEqual(build.source, { type: "S3", location: "bucket/source.zip", buildspec: "other.yml" });
  const variables = build.environment!.environmentVariables!.map(({ name, value }) => `${name}=${value}`);
  assert.deepEqual(variables, ["KEPT=1", "CHANGED=2", "NEW=3"]);
  const { image, computeType, privilegedMode } = build.environment!;
  assert.deepEqual([image, computeType, privilegedMode], ["alpine:3", "BUILD_GENERAL1_LARGE", true]);
  assert.deepEqual([build.timeoutInMinutes, build.queuedTimeoutInMinutes], [5, 6]);
  assert.equal(build.artifacts!.location, `arn:aws:s3:::out/a/b/${uuid}/x.zip`);
  assert.equal(build.logs!.cloudWatchLogs!.status, "DISABLED");
  assert.equal(build.encryptionKey, "arn:aws:kms:us-east-1:111122223333:key/k");
});

test("builds that cannot run are refused and leave nothing", async () => {
  await using slipway = await system();
  await makeProject(slipway, { name: "piped", source: { type: "CODEPIPELINE" }, artifacts: { type: "CODEPIPELINE" } });
  const refused: [Partial<sdk.StartBuildInput>, RegExp][] = [
    [{ projectName: "piped" }, /built by its pipeline/],
    [{ debugSessionEnabled: true }, /Debug sessions are not available/],
    [{ sourceTypeOverride: "GITHUB" }, /valid GITHUB repository URL/],
    [{ artifactsOverride: { type: "S3" } }, /name of a bucket/],
    [{ computeTypeOverride: "BUILD_LAMBDA_2GB" }, /BUILD_LAMBDA_2GB is not available/],
    [{ environmentTypeOverride: "MAC_ARM" }, /MAC_ARM is not available/],
    [{ serviceRoleOverride: "x" }, /Invalid service role/],
    [{ timeoutInMinutesOverride: 1 }, /greater than or equal to 5/],
    [
      {
        environmentVariablesOverride: [
          { name: "A", value: "" },
          { name: "A", value: "" },
        ],
      },
      /more than once/,
    ],
    [{ registryCredentialOverride: { credential: "x", credentialProvider: "SECRETS_MANAGER" } }, /Secrets Manager/],
  ];
  for (const [overrides, message] of refused) {
    await assert.rejects(start(slipway, overrides), { name: "InvalidInputException", message });
  }
  await assert.rejects(start(slipway, { projectName: "missing" }), {
    name: "ResourceNotFoundException",
    message: `Project cannot be found: arn:aws:codebuild:${REGION}:${ACCOUNT}:project/missing`,
  });
  assert.deepEqual((await slipway.root.send(new sdk.ListBuildsCommand({}))).ids, []);
  assert.equal((await start(slipway)).buildNumber, 1);
});

test("a token starts one build in five minutes", async () => {
  await using slipway = await system();
  const first = await start(slipway, { idempotencyToken: "t" });
  assert.equal((await start(slipway, { idempotencyToken: "t" })).id, first.id);
  await assert.rejects(start(slipway, { idempotencyToken: "t", sourceVersion: "x" }), {
    name: "InvalidInputException",
    message: /other parameters/,
  });
  slipway.setNow(new Date(NOW.getTime() + 5 * 60_000 + 1));
  assert.notEqual((await start(slipway, { idempotencyToken: "t" })).id, first.id);
});

test("a full queue refuses, and so does a project's own limit", async () => {
  await using slipway = await system();
  await makeProject(slipway, { name: "limited", concurrentBuildLimit: 1 });
  await start(slipway, { projectName: "limited" });
  await assert.rejects(start(slipway, { projectName: "limited" }), {
    name: "AccountLimitExceededException",
    message: "Cannot have more than 1 active builds for the project",
  });
  for (let count = 1; count < QUEUED_BUILDS; count++) await start(slipway);
  await assert.rejects(start(slipway), {
    name: "AccountLimitExceededException",
    message: `Cannot have more than ${QUEUED_BUILDS} builds in queue for the account`,
  });
  const other = slipway.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region: "eu-west-1" });
  await other.send(new sdk.CreateProjectCommand(aProject()));
  await other.send(new sdk.StartBuildCommand({ projectName: "demo" }));
});

test("the project's source version is not that of another source", async () => {
  await using slipway = await system({
    source: { type: "GITHUB", location: "https://github.com/owner/repo" },
    sourceVersion: "prod",
  });
  assert.equal((await start(slipway)).sourceVersion, "prod");
  const piped = await start(slipway, { sourceTypeOverride: "S3", sourceLocationOverride: "bucket/source.zip" });
  assert.equal(piped.sourceVersion, undefined);
});

test("a pipeline's builds say so", async () => {
  await using slipway = await system();
  const pipeline = slipway.client(rootPrincipal(ACCOUNT), {
    accountId: ACCOUNT,
    region: REGION,
    sourceArn: `arn:aws:codepipeline:${REGION}:${ACCOUNT}:cruddur`,
  });
  const { build } = await pipeline.send(new sdk.StartBuildCommand({ projectName: "demo" }));
  assert.equal(build!.initiator, "codepipeline/cruddur");
});

test("a retried build is the same once more", async () => {
  await using slipway = await system();
  const original = await start(slipway, {
    sourceVersion: "v",
    artifactsOverride: { type: "S3", location: "out", namespaceType: "BUILD_ID", name: "x" },
  });
  await slipway.root.send(new sdk.UpdateProjectCommand({ name: "demo", description: "changed" }));
  const { build } = await slipway.root.send(new sdk.RetryBuildCommand({ id: original.id!, idempotencyToken: "t" }));
  assert.deepEqual([build!.buildNumber, build!.sourceVersion], [2, "v"]);
  assert.equal(build!.artifacts!.location, `arn:aws:s3:::out/${build!.id!.split(":")[1]}/x`);
  assert.deepEqual(phasesOf(build!), ["SUBMITTED SUCCEEDED", "QUEUED"]);
  const again = await slipway.root.send(new sdk.RetryBuildCommand({ id: original.id!, idempotencyToken: "t" }));
  assert.equal(again.build!.id, build!.id);
  await assert.rejects(slipway.root.send(new sdk.RetryBuildCommand({ id: "demo:missing" })), {
    name: "ResourceNotFoundException",
  });
});

test("builds are listed newest first, of all projects and of one", async () => {
  await using slipway = await system();
  await makeProject(slipway, { name: "other" });
  const ids: string[] = [];
  for (const [index, projectName] of ["demo", "other", "demo"].entries()) {
    slipway.setNow(new Date(NOW.getTime() + index));
    ids.push((await start(slipway, { projectName })).id!);
  }
  const listed = await slipway.root.send(new sdk.ListBuildsCommand({}));
  assert.deepEqual(listed.ids, [...ids].reverse());
  assert.equal(listed.nextToken, undefined);
  const oldest = new sdk.ListBuildsCommand({ sortOrder: "ASCENDING" });
  assert.deepEqual((await slipway.root.send(oldest)).ids, ids);
  const ofOne = new sdk.ListBuildsForProjectCommand({ projectName: "other" });
  assert.deepEqual((await slipway.root.send(ofOne)).ids, [ids[1]]);
  await assert.rejects(slipway.root.send(new sdk.ListBuildsForProjectCommand({ projectName: "missing" })), {
    name: "ResourceNotFoundException",
  });
  await assert.rejects(slipway.root.send(new sdk.ListBuildsCommand({ nextToken: "x" })), {
    name: "InvalidInputException",
  });
});

test("builds are found by id and ARN, in their own account only", async () => {
  await using slipway = await system();
  const { id, arn } = await start(slipway);
  const wrongProject = id!.replace("demo", "other");
  const { builds, buildsNotFound } = await slipway.root.send(
    new sdk.BatchGetBuildsCommand({ ids: [id!, arn!, "demo:x", wrongProject] }),
  );
  assert.deepEqual([builds!.map((build) => build.id), buildsNotFound], [[id], ["demo:x", wrongProject]]);
  const other = slipway.client(rootPrincipal("999988887777"), { accountId: "999988887777", region: REGION });
  assert.deepEqual((await other.send(new sdk.BatchGetBuildsCommand({ ids: [id!] }))).buildsNotFound, [id]);
  await assert.rejects(other.send(new sdk.StopBuildCommand({ id: id! })), { name: "ResourceNotFoundException" });
  const service = slipway.client(servicePrincipal("x.amazonaws.com", ACCOUNT), { accountId: ACCOUNT, region: REGION });
  await assert.rejects(service.send(new sdk.StopBuildCommand({ id: id! })), { name: "AccessDenied" });
});

test("a build that runs cannot be deleted", async () => {
  await using slipway = await system();
  const { id } = await start(slipway);
  const remove = new sdk.BatchDeleteBuildsCommand({ ids: [id!, "demo:missing"] });
  assert.deepEqual(await slipway.root.send(remove), {
    buildsDeleted: [],
    buildsNotDeleted: [
      { id, statusCode: "BUILD_IN_PROGRESS" },
      { id: "demo:missing", statusCode: "BUILD_NOT_FOUND" },
    ],
  });
  await assert.rejects(slipway.root.send(new sdk.StopBuildCommand({ id: "demo:missing" })), {
    name: "ResourceNotFoundException",
    message: `Build cannot be found: arn:aws:codebuild:${REGION}:${ACCOUNT}:build/demo:missing`,
  });
});
