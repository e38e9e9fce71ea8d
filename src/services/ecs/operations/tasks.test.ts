import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-ecs";
import { rootPrincipal } from "#gateway/context.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, REGION, testSystem } from "#tests/helpers/test-system.ts";
import { ecs } from "../index.ts";
import { aTask, NETWORK, registered } from "../testing.ts";

/** Tasks are made but not run. */
async function system() {
  const made = await testSystem({
    services: [ecs, iam, sts],
    identities: (parts) => new IamIdentities(parts),
    work: false,
  });
  await registered(made.root);
  return made;
}

test("a task is described as it was asked for", async () => {
  await using slipway = await system();
  const task = await aTask(slipway.root, { startedBy: "me", tags: [{ key: "a", value: "1" }] });
  assert.match(task.taskArn!, new RegExp(`^arn:aws:ecs:${REGION}:${ACCOUNT}:task/default/[0-9a-f]{32}$`));
  const { tasks, failures } = await slipway.root.send(
    new sdk.DescribeTasksCommand({ tasks: [task.taskArn!, "nothing"], include: ["TAGS"] }),
  );
  assert.deepEqual(failures, [{ arn: `arn:aws:ecs:${REGION}:${ACCOUNT}:task/default/nothing`, reason: "MISSING" }]);
  const [described] = tasks!;
  assert.equal(described!.group, "family:app");
  assert.equal(described!.startedBy, "me");
  assert.equal(described!.launchType, "FARGATE");
  assert.equal(described!.lastStatus, "PROVISIONING");
  assert.equal(described!.desiredStatus, "RUNNING");
  assert.deepEqual(described!.tags, [{ key: "a", value: "1" }]);
  assert.equal(described!.attachments![0]!.type, "ElasticNetworkInterface");
  assert.deepEqual(
    described!.containers!.map(({ name, lastStatus }) => [name, lastStatus]),
    [["app", "PENDING"]],
  );
});

test("a client token makes RunTask idempotent", async () => {
  await using slipway = await system();
  const first = await aTask(slipway.root, { clientToken: "t", count: 1 });
  assert.equal((await aTask(slipway.root, { clientToken: "t", count: 1 })).taskArn, first.taskArn);
  await assert.rejects(aTask(slipway.root, { clientToken: "t", count: 2 }), { name: "ConflictException" });
  const { taskArns } = await slipway.root.send(new sdk.ListTasksCommand({}));
  assert.deepEqual(taskArns, [first.taskArn]);
});

test("tasks are listed by what they are, page by page", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await registered(root, { family: "job" });
  const arns: (string | undefined)[] = [];
  for (const [index, taskDefinition] of ["app", "job", "job"].entries()) {
    slipway.setNow(new Date(1_700_000_000_000 + index));
    arns.push((await aTask(root, { taskDefinition, startedBy: taskDefinition })).taskArn);
  }
  const list = async (input: sdk.ListTasksCommandInput) => (await root.send(new sdk.ListTasksCommand(input))).taskArns;
  assert.deepEqual(await list({}), arns);
  assert.deepEqual(await list({ family: "job" }), arns.slice(1));
  assert.deepEqual(await list({ startedBy: "app" }), arns.slice(0, 1));
  assert.deepEqual(await list({ launchType: "EC2" }), []);
  await root.send(new sdk.StopTaskCommand({ task: arns[0]! }));
  assert.deepEqual(await list({ desiredStatus: "STOPPED" }), arns.slice(0, 1));
  const first = await root.send(new sdk.ListTasksCommand({ maxResults: 1 }));
  assert.deepEqual(first.taskArns, [arns[1]]);
  assert.deepEqual(await list({ maxResults: 1, nextToken: first.nextToken }), [arns[2]]);
  await assert.rejects(list({ serviceName: "nothing" }), { name: "ServiceNotFoundException" });
  await assert.rejects(list({ cluster: "nothing" }), { name: "ClusterNotFoundException" });
});

test("what cannot be run is refused", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await registered(root, { family: "plain", networkMode: "bridge", requiresCompatibilities: ["EC2"] });
  await root.send(
    new sdk.RegisterTaskDefinitionCommand({
      family: "old",
      containerDefinitions: [{ name: "a", image: "b", memory: 8 }],
    }),
  );
  await root.send(new sdk.DeregisterTaskDefinitionCommand({ taskDefinition: "old:1" }));
  const refused = (input: Partial<sdk.RunTaskCommandInput>, name: string, message: RegExp) =>
    assert.rejects(aTask(root, input), (error: Error) => {
      assert.equal(error.name, name);
      assert.match(error.message, message);
      return true;
    });
  const invalid = "InvalidParameterException";
  await refused({ launchType: "EC2" }, invalid, /^No Container Instances were found in your cluster\.$/);
  await refused({ launchType: undefined }, invalid, /^No Container Instances were found in your cluster\.$/);
  await refused({ taskDefinition: "plain" }, invalid, /^Task definition does not support launch_type FARGATE\.$/);
  await refused({ taskDefinition: "nothing" }, "ClientException", /^TaskDefinition not found\.$/);
  await refused({ taskDefinition: "old:1" }, "ClientException", /^TaskDefinition is inactive$/);
  await refused({ networkConfiguration: undefined }, invalid, /^Network Configuration must be provided/);
  await refused(
    { networkConfiguration: { awsvpcConfiguration: { subnets: [] } } },
    invalid,
    /^subnets can not be empty\.$/,
  );
  await refused({ count: 11 }, invalid, /between 1 and 10/);
  await refused({ platformVersion: "9" }, invalid, /platform version does not exist/);
  await refused({ enableExecuteCommand: true }, invalid, /ECS Exec/);
  const overrides = { containerOverrides: [{ name: "other" }] };
  await refused(
    { overrides },
    invalid,
    /^Override for container named other is not a container in the TaskDefinition\.$/,
  );
  await refused({ cluster: "nothing" }, "ClusterNotFoundException", /^Cluster not found\.$/);
  assert.deepEqual((await root.send(new sdk.ListTasksCommand({}))).taskArns, []);
});

test("another account's tasks are not there", async () => {
  await using slipway = await system();
  const task = await aTask(slipway.root);
  const stranger = slipway.client(rootPrincipal("999999999999"), { accountId: "999999999999", region: REGION });
  await stranger.send(new sdk.CreateClusterCommand({}));
  const id = task.taskArn!.split("/").at(-1)!;
  await assert.rejects(stranger.send(new sdk.StopTaskCommand({ task: id })), {
    name: "InvalidParameterException",
    message: "The referenced task was not found.",
  });
  await assert.rejects(stranger.send(new sdk.StopTaskCommand({ task: task.taskArn })), { name: "AccessDenied" });
  const { tasks, failures } = await stranger.send(new sdk.DescribeTasksCommand({ tasks: [id] }));
  assert.deepEqual([tasks!.length, failures!.length], [0, 1]);
  const cluster = `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/default`;
  await assert.rejects(stranger.send(new sdk.DescribeTasksCommand({ cluster, tasks: [id] })), {
    name: "ClusterNotFoundException",
  });
});

test("a cluster's default strategy counts where no launch type is named", async () => {
  await using slipway = await system();
  await slipway.root.send(
    new sdk.PutClusterCapacityProvidersCommand({
      cluster: "default",
      capacityProviders: ["FARGATE_SPOT"],
      defaultCapacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
    }),
  );
  const run = new sdk.RunTaskCommand({ taskDefinition: "app", networkConfiguration: NETWORK });
  const { tasks } = await slipway.root.send(run);
  assert.equal(tasks![0]!.capacityProviderName, "FARGATE_SPOT");
});
