/** Needs a Docker daemon at DOCKER_HOST, else at the default socket: real tasks behind a real load balancer. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as sdk from "@aws-sdk/client-ecs";
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ModifyTargetGroupAttributesCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { LONG, until } from "#demo/until.ts";
import { DockerEngine } from "#engines/docker/docker-engine.ts";
import { requestHandler } from "#gateway/handle.ts";
import { elbv2 } from "#services/elbv2/index.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { logs } from "#services/logs/index.ts";
import { sts } from "#services/sts/index.ts";
import { busyboxImage } from "#tests/helpers/busybox-image.ts";
import { type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { ecs } from "./index.ts";
import {
  aDefinition,
  aLogGroup,
  aService,
  aTask,
  aTaskRole,
  awslogs,
  describedService,
  describedTask,
  EXECUTION_ACTIONS,
  registered,
} from "./testing.ts";

const PORT = 4567;

async function started(t: TestContext): Promise<TestSystem> {
  const engine = new DockerEngine({ instance: `ecs-test-${randomUUID().slice(0, 8)}` });
  const system = await testSystem({
    services: [ecs, elbv2, iam, logs, sts],
    engine,
    identities: (parts) => new IamIdentities(parts),
  });
  for (const plane of elbv2.dataPlanes) await plane.start?.(system);
  t.after(async () => {
    for (const plane of elbv2.dataPlanes) await plane.stop?.();
    await system[Symbol.asyncDispose]();
    for (const group of await engine.recover({})) await engine.remove(group.id);
  });
  return system;
}

/** A load balancer in front of a target group, and how to ask it for a page. */
async function anEdge(t: TestContext, system: TestSystem) {
  const group = new CreateTargetGroupCommand({
    Name: "web",
    Protocol: "HTTP",
    Port: PORT,
    VpcId: "vpc-0c3",
    TargetType: "ip",
    HealthCheckIntervalSeconds: 5,
    HealthCheckTimeoutSeconds: 2,
    HealthyThresholdCount: 2,
  });
  const targetGroupArn = (await system.root.send(group)).TargetGroups![0]!.TargetGroupArn!;
  const Attributes = [{ Key: "deregistration_delay.timeout_seconds", Value: "1" }];
  await system.root.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: targetGroupArn, Attributes }));
  const Subnets = ["subnet-0a1", "subnet-0b2"];
  const { LoadBalancers } = await system.root.send(new CreateLoadBalancerCommand({ Name: "web", Subnets }));
  const [{ LoadBalancerArn, DNSName }] = LoadBalancers as [{ LoadBalancerArn: string; DNSName: string }];
  const DefaultActions = [{ Type: "forward" as const, TargetGroupArn: targetGroupArn }];
  await system.root.send(new CreateListenerCommand({ LoadBalancerArn, Protocol: "HTTP", Port: 80, DefaultActions }));
  const server = createServer(requestHandler(system, system.registry));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  // By the Host header, because not every resolver knows the load balancer's name.
  const served = () =>
    new Promise<Answer>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, agent: false, headers: { host: DNSName } };
      get(options, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body: body.trim() }), reject);
      }).on("error", reject);
    });
  return { targetGroupArn, served };
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** Serves its version over HTTP. */
const container = (image: string, version: string): Partial<sdk.ContainerDefinition> => ({
  image,
  entryPoint: ["sh", "-c"],
  command: [
    `mkdir -p /tmp/w; echo ${version} > /tmp/w/index.html; echo serving ${version}; exec busybox httpd -f -p ${PORT} -h /tmp/w`,
  ],
  healthCheck: {
    command: ["CMD-SHELL", `busybox wget -q -O- http://127.0.0.1:${PORT}/`],
    interval: 5,
    timeout: 5,
    retries: 3,
  },
  logConfiguration: awslogs(),
  stopTimeout: 2,
});

test("real tasks are replaced without a failed request, and their output is logged", {
  timeout: 180_000,
}, async (t) => {
  const image = await busyboxImage();
  const system = await started(t);
  const { root } = system;
  const executionRoleArn = await aTaskRole(root, "execution", EXECUTION_ACTIONS);
  await aLogGroup(root);
  const { targetGroupArn, served } = await anEdge(t, system);
  await registered(root, { executionRoleArn }, { portMappings: [{ containerPort: PORT }], ...container(image, "1") });
  const loadBalancers = [{ targetGroupArn, containerName: "app", containerPort: PORT }];
  await aService(root, { loadBalancers, healthCheckGracePeriodSeconds: 30 });
  await until(
    () => describedService(root),
    ({ deployments }) => deployments![0]!.rolloutState === "COMPLETED",
    LONG,
  );
  assert.deepEqual(await served(), { status: 200, body: "1" });

  const second = aDefinition(
    { executionRoleArn },
    { portMappings: [{ containerPort: PORT }], ...container(image, "2") },
  );
  await root.send(new sdk.RegisterTaskDefinitionCommand(second));
  await root.send(new sdk.UpdateServiceCommand({ service: "web", taskDefinition: "app" }));
  const answers: Answer[] = [];
  await until(
    async () => {
      answers.push(await served());
      return describedService(root);
    },
    ({ deployments }) => deployments!.length === 1 && deployments![0]!.rolloutState === "COMPLETED",
    LONG,
  );
  assert.deepEqual(await served(), { status: 200, body: "2" });
  const failed = answers.filter(({ status, body }) => status !== 200 || !["1", "2"].includes(body));
  assert.deepEqual(failed, []);
  const { events } = await root.send(new FilterLogEventsCommand({ logGroupName: "app" }));
  assert.deepEqual(events!.map(({ message }) => message).sort(), ["serving 1", "serving 2"]);
  assert.deepEqual(system.workErrors, []);
});

test("a real task ends with its program's exit code", { timeout: 60_000 }, async (t) => {
  const image = await busyboxImage();
  const system = await started(t);
  await registered(
    system.root,
    {},
    { image, entryPoint: ["sh", "-c"], command: ["exit 7"], readonlyRootFilesystem: true },
  );
  const task = await aTask(system.root);
  const ended = await until(
    () => describedTask(system.root, task),
    ({ lastStatus }) => lastStatus === "STOPPED",
    LONG,
  );
  assert.equal(ended.stopCode, "EssentialContainerExited");
  assert.equal(ended.containers![0]!.exitCode, 7);
  assert.deepEqual(await system.engine.recover({}), []);
  assert.deepEqual(system.workErrors, []);
});
