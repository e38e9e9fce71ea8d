import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import * as sdk from "@aws-sdk/client-ecs";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { until } from "#demo/until.ts";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { ecr } from "#services/ecr/index.ts";
import { elbv2 } from "#services/elbv2/index.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { logs } from "#services/logs/index.ts";
import { sts } from "#services/sts/index.ts";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecs } from "../index.ts";
import {
  aDefinition,
  aService,
  describedService,
  describedTask,
  groupOf,
  IMAGE,
  registered,
  runningTasks,
} from "../testing.ts";

const QUICK = { timeout: 40_000 };

/** An engine whose groups answer HTTP, each at a port of its own. */
class AnsweringEngine extends FakeEngine {
  readonly servers = new Map<string, Server>();

  override async address(groupId: string, port: number) {
    await super.address(groupId, port);
    let server = this.servers.get(groupId);
    if (!server) {
      server = createServer((_request, response) => response.end(groupId));
      this.servers.set(groupId, server);
      await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    }
    return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  }

  override async remove(groupId: string) {
    this.servers.get(groupId)?.close();
    this.servers.get(groupId)?.closeAllConnections();
    this.servers.delete(groupId);
    await super.remove(groupId);
  }
}

async function started(t: TestContext, engine: FakeEngine = new AnsweringEngine()): Promise<TestSystem> {
  engine.addImage(IMAGE);
  const system = await testSystem({
    services: [ecs, ecr, elbv2, iam, logs, sts],
    engine,
    identities: (parts) => new IamIdentities(parts),
  });
  for (const plane of elbv2.dataPlanes) await plane.start?.(system);
  t.after(async () => {
    for (const plane of elbv2.dataPlanes) await plane.stop?.();
    await system[Symbol.asyncDispose]();
    if (engine instanceof AnsweringEngine) for (const server of engine.servers.values()) server.close();
  });
  return system;
}

async function aTargetGroup({ root }: TestSystem, TargetType: "ip" | "instance" = "ip"): Promise<string> {
  const group = new CreateTargetGroupCommand({
    Name: `group-${TargetType}`,
    Protocol: "HTTP",
    Port: 4567,
    VpcId: "vpc-0c3",
    TargetType,
    HealthCheckIntervalSeconds: 5,
    HealthCheckTimeoutSeconds: 2,
    HealthyThresholdCount: 2,
  });
  const arn = (await root.send(group)).TargetGroups![0]!.TargetGroupArn!;
  const Attributes = [{ Key: "deregistration_delay.timeout_seconds", Value: "1" }];
  await root.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: arn, Attributes }));
  return arn;
}

async function aBalancedGroup(system: TestSystem): Promise<string> {
  const arn = await aTargetGroup(system);
  const Subnets = ["subnet-0a1", "subnet-0b2"];
  const { LoadBalancers } = await system.root.send(new CreateLoadBalancerCommand({ Name: "web", Subnets }));
  await system.root.send(
    new CreateListenerCommand({
      LoadBalancerArn: LoadBalancers![0]!.LoadBalancerArn!,
      Protocol: "HTTP",
      Port: 80,
      DefaultActions: [{ Type: "forward", TargetGroupArn: arn }],
    }),
  );
  return arn;
}

const steady = (system: TestSystem, taskDefinition?: string) =>
  until(
    () => describedService(system.root),
    ({ deployments = [], events = [] }) =>
      deployments.length === 1 &&
      deployments[0]!.rolloutState === "COMPLETED" &&
      (taskDefinition === undefined || deployments[0]!.taskDefinition === taskDefinition) &&
      events[0]!.message === "(service web) has reached a steady state.",
  );

const idOf = ({ taskArn = "" }: sdk.Task) => taskArn.slice(taskArn.lastIndexOf("/") + 1);

test("a service reaches a steady state, scales, replaces a task that ends, and is deleted", QUICK, async (t) => {
  const engine = new FakeEngine();
  const system = await started(t, engine);
  const { root } = system;
  await registered(root);
  const created = await aService(root, { desiredCount: 2 });
  assert.equal(created.deployments![0]!.rolloutState, "IN_PROGRESS");
  const first = await steady(system);
  assert.equal(first.runningCount, 2);
  assert.equal(first.deployments![0]!.rolloutStateReason, `ECS deployment ${first.deployments![0]!.id} completed.`);

  const [lost] = await runningTasks(root);
  engine.container(groupOf(lost!), "app").exit(1);
  await until(
    () => runningTasks(root),
    (tasks) =>
      tasks.length === 2 && tasks.every((one) => one.taskArn !== lost!.taskArn && one.lastStatus === "RUNNING"),
  );
  assert.equal((await steady(system)).deployments![0]!.failedTasks, 1);

  await root.send(new sdk.UpdateServiceCommand({ service: "web", desiredCount: 0 }));
  const empty = await until(
    () => describedService(root),
    ({ runningCount, pendingCount, events }) =>
      runningCount === 0 && pendingCount === 0 && events![0]!.message!.includes("steady"),
  );
  assert.equal(empty.desiredCount, 0);
  await assert.rejects(root.send(new sdk.DeleteClusterCommand({ cluster: "default" })), {
    name: "ClusterContainsServicesException",
  });
  const { service } = await root.send(new sdk.DeleteServiceCommand({ service: "web" }));
  assert.equal(service!.status, "DRAINING");
  await until(
    () => describedService(root),
    ({ status }) => status === "INACTIVE",
  );
  assert.deepEqual((await root.send(new sdk.ListServicesCommand({}))).serviceArns, []);
  engine.assertNoMisuse();
  assert.deepEqual(system.workErrors, []);
});

test("a new version is healthy in the target group before the old one is drained", QUICK, async (t) => {
  const system = await started(t);
  const { root } = system;
  const targetGroupArn = await aBalancedGroup(system);
  await registered(root);
  const loadBalancers = [{ targetGroupArn, containerName: "app", containerPort: 4567 }];
  await aService(root, { loadBalancers, healthCheckGracePeriodSeconds: 30 });
  await steady(system);
  const [old] = await runningTasks(root);
  const registration = await root.send(new sdk.RegisterTaskDefinitionCommand(aDefinition()));
  const taskDefinition = registration.taskDefinition!.taskDefinitionArn!;

  const healthy = async () => {
    const health = await root.send(new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn }));
    return health.TargetHealthDescriptions!.filter(({ TargetHealth }) => TargetHealth!.State === "healthy").length;
  };
  await root.send(new sdk.UpdateServiceCommand({ service: "web", taskDefinition: "app" }));
  const rolled = await until(
    async () => {
      assert.ok((await healthy()) >= 1, "nobody serves");
      return describedService(root);
    },
    ({ deployments, events }) =>
      deployments!.length === 1 &&
      deployments![0]!.taskDefinition === taskDefinition &&
      events![0]!.message!.includes("steady"),
  );
  const [fresh] = await runningTasks(root);
  assert.notEqual(fresh!.taskArn, old!.taskArn);
  const ended = await describedTask(root, old!);
  assert.equal(ended.stopCode, "ServiceSchedulerInitiated");
  assert.equal(ended.stoppedReason, `Scaling activity initiated by (deployment ${rolled.deployments![0]!.id})`);
  const said = rolled.events!.map(({ message }) => message).reverse();
  assert.deepEqual(said.slice(said.indexOf(`(service web) has started 1 tasks: (task ${idOf(fresh!)}).`)), [
    `(service web) has started 1 tasks: (task ${idOf(fresh!)}).`,
    `(service web) registered 1 targets in (target-group ${targetGroupArn})`,
    `(service web) has stopped 1 running tasks: (task ${idOf(old!)}).`,
    `(service web) deregistered 1 targets in (target-group ${targetGroupArn})`,
    "(service web) has begun draining connections on 1 tasks.",
    `(service web) (deployment ${rolled.deployments![0]!.id}) deployment completed.`,
    "(service web) has reached a steady state.",
  ]);
  assert.deepEqual(system.workErrors, []);
});

test("a container that fails its checks is replaced", QUICK, async (t) => {
  const engine = new FakeEngine();
  const image = engine.addImage(IMAGE);
  engine.behave(image.id, (container) => container.health("healthy"));
  const system = await started(t, engine);
  await registered(system.root, {}, { healthCheck: { command: ["CMD", "check"] } });
  await aService(system.root);
  await steady(system);
  const [ill] = await runningTasks(system.root);
  engine.container(groupOf(ill!), "app").health("unhealthy");
  const ended = await until(
    () => describedTask(system.root, ill!),
    ({ lastStatus }) => lastStatus === "STOPPED",
  );
  assert.equal(ended.stoppedReason, "Task failed container health checks");
  const { events } = await steady(system);
  assert.ok(
    events!.some(({ message }) => message === `(service web) (task ${idOf(ill!)}) failed container health checks.`),
  );
});

test("the circuit breaker rolls a version back that does not start", QUICK, async (t) => {
  const system = await started(t, new FakeEngine());
  const { root } = system;
  const good = await registered(root);
  await aService(root, {
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
  });
  const before = await steady(system);
  await root.send(new sdk.RegisterTaskDefinitionCommand(aDefinition({}, { image: "example.test/gone:2" })));
  const { service } = await root.send(new sdk.UpdateServiceCommand({ service: "web", taskDefinition: "app" }));
  const bad = service!.deployments![0]!.id!;
  assert.equal(service!.deployments!.length, 2);
  const after = await until(
    () => describedService(root),
    ({ deployments, events }) =>
      deployments!.length === 1 && deployments![0]!.taskDefinition === good && events![0]!.message!.includes("steady"),
  );
  assert.equal(after.deployments![0]!.id, before.deployments![0]!.id);
  assert.equal(after.taskDefinition, good);
  const said = after.events!.map(({ message }) => message);
  assert.ok(said.includes(`(service web) (deployment ${bad}) deployment failed: tasks failed to start.`));
  assert.ok(said.includes(`(service web) rolling back to (deployment ${before.deployments![0]!.id}).`));
  assert.deepEqual(system.workErrors, []);
});

test("after a restart no second task takes the place of one that runs", QUICK, async (t) => {
  const engine = new FakeEngine();
  const system = await started(t, engine);
  await registered(system.root);
  await aService(system.root);
  await steady(system);
  const before = (await runningTasks(system.root)).map(idOf);
  await system.work.pause(async () => {});
  await system.root.send(new sdk.UpdateServiceCommand({ service: "web", healthCheckGracePeriodSeconds: 1 }));
  await steady(system);
  assert.deepEqual((await runningTasks(system.root)).map(idOf), before);
  assert.equal(engine.calls.filter(({ method }) => method === "create").length, 1);
});

test("what a service cannot have is refused", QUICK, async (t) => {
  const system = await started(t, new FakeEngine());
  const { root } = system;
  await registered(root);
  const refused = (
    input: Partial<sdk.CreateServiceCommandInput>,
    message: RegExp,
    name = "InvalidParameterException",
  ) =>
    assert.rejects(aService(root, input), (error: Error) => {
      assert.equal(error.name, name);
      assert.match(error.message, message);
      return true;
    });
  const unbalanced = await aTargetGroup(system);
  const instances = await aTargetGroup(system, "instance");
  const balancer = (targetGroupArn: string, containerName = "app", containerPort = 4567) => ({
    loadBalancers: [{ targetGroupArn, containerName, containerPort }],
  });
  await refused(balancer(unbalanced), /does not have an associated load balancer/);
  await refused(balancer(instances), /target type instance, which is incompatible with the awsvpc network mode/);
  await refused(balancer(unbalanced, "other"), /^The container other does not exist in the task definition\.$/);
  await refused(balancer(unbalanced, "app", 1), /^The container app did not have a container port 1 defined\.$/);
  await refused(
    { networkConfiguration: undefined },
    /^Network Configuration must be provided when networkMode 'awsvpc'/,
  );
  await refused({ taskDefinition: "nothing" }, /^TaskDefinition not found\.$/, "ClientException");
  await refused({ cluster: "nothing" }, /^Cluster not found\.$/, "ClusterNotFoundException");
  await refused({ deploymentController: { type: "CODE_DEPLOY" } }, /deployment controller CODE_DEPLOY/);
  await refused({ enableExecuteCommand: true }, /ECS Exec/);
  await aService(root, { desiredCount: 0 });
  await refused({ desiredCount: 1 }, /^Creation of service was not idempotent\.$/);
  assert.equal((await aService(root, { desiredCount: 0 })).serviceName, "web");
  await root.send(new sdk.UpdateServiceCommand({ service: "web", desiredCount: 1 }));
  await assert.rejects(root.send(new sdk.DeleteServiceCommand({ service: "web" })), {
    name: "InvalidParameterException",
    message: "The service cannot be stopped while it is scaled above 0.",
  });
  await assert.rejects(root.send(new sdk.UpdateServiceCommand({ service: "nothing" })), {
    name: "ServiceNotFoundException",
  });
});
