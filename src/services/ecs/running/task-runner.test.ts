import assert from "node:assert/strict";
import { test } from "node:test";
import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as sdk from "@aws-sdk/client-ecs";
import { until } from "#demo/until.ts";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { ecr } from "#services/ecr/index.ts";
import { elbv2 } from "#services/elbv2/index.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { logs } from "#services/logs/index.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecs } from "../index.ts";
import {
  aLogGroup,
  aTask,
  aTaskRole,
  awslogs,
  describedTask,
  EXECUTION_ACTIONS,
  groupOf,
  IMAGE,
  registered,
} from "../testing.ts";

const QUICK = { timeout: 20_000 };

async function started(engine = new FakeEngine(), options: { work?: boolean } = {}): Promise<TestSystem> {
  return testSystem({
    services: [ecs, ecr, elbv2, iam, logs, sts],
    engine,
    identities: (system) => new IamIdentities(system),
    ...options,
  });
}

const stopped = (system: TestSystem, task: sdk.Task) =>
  until(
    () => describedTask(system.root, task),
    ({ lastStatus }) => lastStatus === "STOPPED",
  );
const reached = (system: TestSystem, task: sdk.Task, status: string) =>
  until(
    () => describedTask(system.root, task),
    ({ lastStatus }) => {
      assert.ok(lastStatus !== "STOPPED" || status === "STOPPED", "the task stopped");
      return lastStatus === status;
    },
  );

async function logged(system: TestSystem, task: sdk.Task): Promise<(string | undefined)[]> {
  const logStreamName = `web/app/${groupOf(task).slice("ecs-".length)}`;
  const read = new GetLogEventsCommand({ logGroupName: "app", logStreamName, startFromHead: true });
  return (await system.root.send(read)).events!.map(({ message }) => message);
}

test("a task runs, its output is logged as it comes, and its end is told", QUICK, async () => {
  const engine = new FakeEngine();
  const image = engine.addImage(IMAGE, { digest: "sha256:abc" });
  engine.behave(image.id, (container) => {
    container.log("one");
    container.log("");
    container.log("two", "stderr");
  });
  await using system = await started(engine);
  const executionRoleArn = await aTaskRole(system.root, "execution", EXECUTION_ACTIONS);
  await aLogGroup(system.root);
  await registered(system.root, { executionRoleArn }, { logConfiguration: awslogs() });
  const begun = await aTask(system.root);
  assert.equal(begun.lastStatus, "PROVISIONING");
  const running = await reached(system, begun, "RUNNING");
  assert.equal(running.containers![0]!.imageDigest, "sha256:abc");
  assert.equal(running.containers![0]!.lastStatus, "RUNNING");
  assert.equal(running.attachments![0]!.details!.find(({ name }) => name === "privateIPv4Address")?.value, "127.0.0.1");
  engine.container(groupOf(begun), "app").log("three");
  engine.container(groupOf(begun), "app").exit(3);
  const ended = await stopped(system, begun);
  assert.equal(ended.stopCode, "EssentialContainerExited");
  assert.equal(ended.stoppedReason, "Essential container in task exited");
  assert.equal(ended.containers![0]!.exitCode, 3);
  assert.equal(ended.desiredStatus, "STOPPED");
  assert.deepEqual(await logged(system, begun), ["one", "two", "three"]);
  assert.deepEqual(engine.groupIds, []);
  engine.assertNoMisuse();
  assert.deepEqual(system.workErrors, []);
});

test("StopTask ends a task with the caller's reason", QUICK, async () => {
  const engine = new FakeEngine();
  engine.addImage(IMAGE);
  await using system = await started(engine);
  await registered(system.root);
  const task = await aTask(system.root);
  await reached(system, task, "RUNNING");
  const { task: stopping } = await system.root.send(new sdk.StopTaskCommand({ task: task.taskArn, reason: "enough" }));
  assert.equal(stopping!.desiredStatus, "STOPPED");
  const ended = await stopped(system, task);
  assert.equal(ended.stopCode, "UserInitiated");
  assert.equal(ended.stoppedReason, "enough");
  assert.equal(ended.containers![0]!.exitCode, 143);
  assert.deepEqual(system.workErrors, []);
});

test("containers start when what they depend on is as they want it", QUICK, async () => {
  const engine = new FakeEngine();
  engine.addImage(IMAGE);
  await using system = await started(engine);
  await registered(system.root, {
    containerDefinitions: [
      { name: "app", image: IMAGE, dependsOn: [{ containerName: "db", condition: "HEALTHY" }] },
      { name: "init", image: IMAGE, essential: false },
      {
        name: "db",
        image: IMAGE,
        essential: false,
        healthCheck: { command: ["CMD", "ping"] },
        dependsOn: [{ containerName: "init", condition: "SUCCESS" }],
      },
    ],
  });
  const task = await aTask(system.root);
  const init = await engine.started(groupOf(task), "init");
  assert.equal(engine.container(groupOf(task), "db").state.status, "created");
  init.exit(0);
  const db = await engine.started(groupOf(task), "db");
  assert.equal(engine.container(groupOf(task), "app").state.status, "created");
  db.health("healthy");
  await engine.started(groupOf(task), "app");
  const running = await reached(system, task, "RUNNING");
  assert.deepEqual(
    running.containers!.map(({ name, lastStatus, healthStatus }) => [name, lastStatus, healthStatus]),
    [
      ["app", "RUNNING", "UNKNOWN"],
      ["init", "STOPPED", "UNKNOWN"],
      ["db", "RUNNING", "HEALTHY"],
    ],
  );
});

test("a dependency that fails ends the task", QUICK, async () => {
  const engine = new FakeEngine();
  engine.addImage(IMAGE);
  await using system = await started(engine);
  await registered(system.root, {
    containerDefinitions: [
      { name: "app", image: IMAGE, dependsOn: [{ containerName: "init", condition: "SUCCESS" }] },
      { name: "init", image: IMAGE, essential: false },
    ],
  });
  const task = await aTask(system.root);
  (await engine.started(groupOf(task), "init")).exit(1);
  const ended = await stopped(system, task);
  assert.equal(ended.stopCode, "TaskFailedToStart");
  assert.match(ended.stoppedReason!, /container ordering dependency \[init\] for target \[app\]/);
});

test(
  "an image of ECR is pulled through Slipway's port as the execution role, and described by AWS's name",
  QUICK,
  async () => {
    const engine = new FakeEngine();
    const name = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/web:latest`;
    engine.addImage(`127.0.0.1:4566/${name}`, { remote: true, digest: "sha256:def" });
    await using system = await started(engine);
    const executionRoleArn = await aTaskRole(system.root, "execution", EXECUTION_ACTIONS);
    await registered(system.root, { executionRoleArn }, { image: name });
    const task = await aTask(system.root);
    const running = await reached(system, task, "RUNNING");
    assert.equal(running.containers![0]!.image, name);
    assert.equal(running.containers![0]!.imageDigest, "sha256:def");
  },
);

test("what the execution role may not do ends the task in AWS's words", QUICK, async () => {
  const engine = new FakeEngine();
  engine.addImage(IMAGE);
  await using system = await started(engine);
  const powerless = await aTaskRole(system.root, "powerless", []);
  await aLogGroup(system.root);
  const image = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/web:latest`;
  await registered(system.root, { executionRoleArn: powerless }, { image });
  const unauthorized = await stopped(system, await aTask(system.root));
  assert.equal(unauthorized.stopCode, "TaskFailedToStart");
  assert.equal(
    unauthorized.stoppedReason,
    `ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: User: arn:aws:sts::${ACCOUNT}:assumed-role/powerless/${groupOf(unauthorized).slice(4)} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action`,
  );
  assert.equal(unauthorized.containers![0]!.lastStatus, "STOPPED");
  await registered(system.root, { executionRoleArn: powerless }, { logConfiguration: awslogs() });
  const unlogged = await stopped(system, await aTask(system.root));
  assert.match(
    unlogged.stoppedReason!,
    /^ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: AccessDeniedException: User: .* logs:CreateLogStream/,
  );
});

test("a missing image, a missing program and a role that does not trust tasks end the task", QUICK, async () => {
  const engine = new FakeEngine();
  engine.addImage(IMAGE);
  await using system = await started(engine);
  await registered(system.root, {}, { image: "example.test/gone:1" });
  const unpulled = await stopped(system, await aTask(system.root));
  assert.match(unpulled.stoppedReason!, /^CannotPullContainerError: .*example\.test\/gone:1: manifest .* not found/);
  engine.failStart("app", 'exec: "nothing": executable file not found in $PATH');
  await registered(system.root);
  const unstarted = await stopped(system, await aTask(system.root));
  assert.equal(unstarted.stopCode, "TaskFailedToStart");
  assert.equal(
    unstarted.stoppedReason,
    'CannotStartContainerError: exec: "nothing": executable file not found in $PATH',
  );
  await registered(system.root, { taskRoleArn: `arn:aws:iam::${ACCOUNT}:role/missing` });
  const unassumed = await stopped(system, await aTask(system.root));
  assert.match(unassumed.stoppedReason!, /^ECS was unable to assume the role '.*role\/missing'/);
  assert.deepEqual(engine.groupIds, []);
});

test("a task outlives Slipway: it is found again, with every line logged once", QUICK, async () => {
  const engine = new FakeEngine();
  const image = engine.addImage(IMAGE);
  engine.behave(image.id, (container) => container.log("before"));
  await using system = await started(engine);
  const executionRoleArn = await aTaskRole(system.root, "execution", EXECUTION_ACTIONS);
  await aLogGroup(system.root);
  await registered(system.root, { executionRoleArn }, { logConfiguration: awslogs() });
  const task = await aTask(system.root);
  await reached(system, task, "RUNNING");
  await until(
    () => logged(system, task),
    (lines) => lines.length === 1,
  );
  await system.work.pause(async () => {
    engine.container(groupOf(task), "app").log("meanwhile");
  });
  engine.container(groupOf(task), "app").log("after");
  engine.container(groupOf(task), "app").exit(0);
  await stopped(system, task);
  assert.deepEqual(await logged(system, task), ["before", "meanwhile", "after"]);
  assert.equal(engine.calls.filter(({ method }) => method === "startContainer").length, 1);
});

test("a task whose containers vanished is stopped", QUICK, async () => {
  const engine = new FakeEngine();
  engine.addImage(IMAGE);
  await using system = await started(engine);
  await registered(system.root);
  const task = await aTask(system.root);
  await reached(system, task, "RUNNING");
  await engine.remove(groupOf(task));
  const ended = await stopped(system, task);
  assert.equal(ended.stopCode, "EssentialContainerExited");
  assert.equal(ended.containers![0]!.reason, "The container engine has lost the container");
});

test("containers get their role's credentials, their settings and the task's limits", QUICK, async () => {
  const engine = new FakeEngine();
  engine.addImage(IMAGE);
  await using system = await started(engine);
  const taskRoleArn = await aTaskRole(system.root, "task", []);
  await registered(
    system.root,
    { taskRoleArn, volumes: [{ name: "data" }] },
    {
      environment: [
        { name: "COLOUR", value: "red" },
        { name: "SIZE", value: "big" },
      ],
      command: ["serve"],
      user: "1000",
      readonlyRootFilesystem: true,
      mountPoints: [{ sourceVolume: "data", containerPath: "/data" }],
      ulimits: [{ name: "nofile", softLimit: 10, hardLimit: 20 }],
      stopTimeout: 7,
    },
  );
  const environment = [{ name: "COLOUR", value: "blue" }];
  const overrides = { containerOverrides: [{ name: "app", environment, command: ["migrate"] }] };
  const task = await aTask(system.root, { overrides });
  await reached(system, task, "RUNNING");
  const [container] = engine.spec(groupOf(task))!.containers;
  assert.equal(container!.environment.COLOUR, "blue");
  assert.equal(container!.environment.SIZE, "big");
  assert.equal(container!.environment.AWS_EXECUTION_ENV, "AWS_ECS_FARGATE");
  assert.equal(container!.environment.AWS_REGION, REGION);
  assert.equal(container!.environment.http_proxy, undefined);
  assert.match(container!.environment.HTTPS_PROXY!, /^http:/);
  assert.match(container!.environment.AWS_CONTAINER_CREDENTIALS_FULL_URI!, /^http:/);
  assert.deepEqual(container!.command, ["migrate"]);
  assert.equal(container!.cpus, 0.25);
  assert.equal(container!.memoryMiB, 512);
  assert.equal(container!.user, "1000");
  assert.equal(container!.stopTimeoutSeconds, 7);
  assert.deepEqual(container!.ulimits, [{ name: "nofile", soft: 10, hard: 20 }]);
  assert.deepEqual(container!.mounts, [
    { volume: "data", path: "/data", readOnly: false },
    { volume: "slipway-ca", path: "/etc/slipway" },
  ]);
  assert.match(
    String(engine.container(groupOf(task), "app").files.get("/etc/slipway/ca-bundle.pem")),
    /BEGIN CERTIFICATE/,
  );
});

test("images of the own registry leave the engine with the last task that has them", QUICK, async () => {
  const engine = new FakeEngine();
  const image = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/app:1`;
  const pulled = `127.0.0.1:4566/${image}`;
  engine.addImage(pulled, { remote: true, digest: "sha256:abc" });
  engine.addImage(IMAGE, { digest: "sha256:abc" });
  await using system = await started(engine);
  const executionRoleArn = await aTaskRole(system.root, "execution", EXECUTION_ACTIONS);
  const side = { name: "side", image: IMAGE };
  await registered(system.root, { executionRoleArn, containerDefinitions: [{ name: "app", image }, side] });
  const tasks = [await aTask(system.root), await aTask(system.root)];
  for (const task of tasks) await reached(system, task, "RUNNING");
  const untagged = () => engine.calls.filter(({ method }) => method === "untag").map(({ subject }) => subject);
  engine.container(groupOf(tasks[0]!), "app").exit(0);
  await stopped(system, tasks[0]!);
  assert.deepEqual(untagged(), []);
  engine.container(groupOf(tasks[1]!), "app").exit(0);
  await stopped(system, tasks[1]!);
  assert.deepEqual(untagged(), [pulled, pulled.replace(":1", "@sha256:abc")]);
  assert.ok(await engine.image(IMAGE));
  assert.deepEqual(system.workErrors, []);
});
