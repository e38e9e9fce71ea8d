import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { testSystem } from "../../../../tests/helpers/test-system.ts";
import { elbv2 } from "../index.ts";
import { aListener, aLoadBalancer, aTargetGroup, forwardTo } from "../testing.ts";

const start = () => testSystem({ services: [elbv2], work: false });

test("a target group has AWS's defaults", async () => {
  await using system = await start();
  const arn = await aTargetGroup(system.root, { HealthCheckPath: undefined });
  const { TargetGroups } = await system.root.send(new sdk.DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
  assert.deepEqual(TargetGroups, [
    {
      TargetGroupArn: arn,
      TargetGroupName: "app",
      Protocol: "HTTP",
      Port: 4567,
      VpcId: "vpc-0c3",
      HealthCheckProtocol: "HTTP",
      HealthCheckPort: "traffic-port",
      HealthCheckEnabled: true,
      HealthCheckIntervalSeconds: 30,
      HealthCheckTimeoutSeconds: 5,
      HealthyThresholdCount: 5,
      UnhealthyThresholdCount: 2,
      HealthCheckPath: "/",
      Matcher: { HttpCode: "200" },
      LoadBalancerArns: [],
      TargetType: "ip",
      ProtocolVersion: "HTTP1",
      IpAddressType: "ipv4",
    },
  ]);
});

test("the same target group can be created again, a different one of that name cannot", async () => {
  await using system = await start();
  const arn = await aTargetGroup(system.root);
  assert.equal(await aTargetGroup(system.root), arn);
  await assert.rejects(aTargetGroup(system.root, { Port: 1 }), {
    name: "DuplicateTargetGroupNameException",
    message: "A target group with the same name 'app' exists, but with different settings",
  });
});

test("wrong input is refused in AWS's words", async () => {
  await using system = await start();
  const cases: [Partial<sdk.CreateTargetGroupInput>, string, RegExp][] = [
    [{ Protocol: undefined }, "ValidationError", /A protocol must be specified/],
    [{ Port: undefined }, "ValidationError", /A port must be specified/],
    [{ VpcId: undefined }, "ValidationError", /A VPC ID must be specified/],
    [{ Port: 0 }, "ValidationError", /greater than or equal to 1/],
    [{ Protocol: "TCP" }, "InvalidConfigurationRequestException", /not built/],
    [{ TargetType: "lambda" }, "InvalidConfigurationRequestException", /'lambda' are not built/],
    [{ ProtocolVersion: "GRPC" }, "InvalidConfigurationRequestException", /'GRPC' is not built/],
    [{ HealthCheckProtocol: "TCP" }, "InvalidConfigurationRequestException", /'TCP' is not supported/],
    [{ HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 5 }, "ValidationError", /timeout '5' must be smaller/],
    [{ HealthCheckPath: "health" }, "ValidationError", /must begin with a '\/' character/],
    [{ HealthCheckPort: "70000" }, "ValidationError", /'traffic-port' or in the range/],
    [{ Matcher: { HttpCode: "200-500" } }, "ValidationError", /within '200-499'/],
    [{ Matcher: { HttpCode: "ok" } }, "ValidationError", /within '200-499'/],
  ];
  for (const [input, name, message] of cases) await assert.rejects(aTargetGroup(system.root, input), { name, message });
});

test("groups are found by ARN, name and load balancer", async () => {
  await using system = await start();
  const { arn } = await aLoadBalancer(system.root);
  const [used, free] = [await aTargetGroup(system.root), await aTargetGroup(system.root, { Name: "free" })];
  await aListener(system.root, arn, forwardTo(used));
  const describe = async (input: sdk.DescribeTargetGroupsInput) => {
    const { TargetGroups } = await system.root.send(new sdk.DescribeTargetGroupsCommand(input));
    return TargetGroups!.map(({ TargetGroupArn }) => TargetGroupArn);
  };
  assert.deepEqual(await describe({ LoadBalancerArn: arn }), [used]);
  assert.deepEqual(await describe({ Names: ["free"] }), [free]);
  assert.deepEqual(await describe({}), [used, free]);
  await assert.rejects(describe({ Names: ["free", "nope"] }), {
    name: "TargetGroupNotFoundException",
    message: "One or more target groups not found",
  });
  await assert.rejects(describe({ Names: ["free"], TargetGroupArns: [used] }), { name: "ValidationError" });
});

test("a group that a rule forwards to cannot be deleted", async () => {
  await using system = await start();
  const { arn } = await aLoadBalancer(system.root);
  const group = await aTargetGroup(system.root);
  const listener = await aListener(system.root, arn, forwardTo(group));
  const remove = () => system.root.send(new sdk.DeleteTargetGroupCommand({ TargetGroupArn: group }));
  await assert.rejects(remove(), {
    name: "ResourceInUseException",
    message: `Target group '${group}' is currently in use by a listener or a rule`,
  });
  await system.root.send(new sdk.DeleteListenerCommand({ ListenerArn: listener }));
  await remove();
  await assert.rejects(remove(), {
    name: "TargetGroupNotFoundException",
    message: `Target group '${group}' not found`,
  });
});

test("ModifyTargetGroup changes the health check and keeps what it does not name", async () => {
  await using system = await start();
  const arn = await aTargetGroup(system.root);
  const input = { TargetGroupArn: arn, HealthCheckIntervalSeconds: 10, Matcher: { HttpCode: "200,302" } };
  const { TargetGroups } = await system.root.send(new sdk.ModifyTargetGroupCommand(input));
  assert.equal(TargetGroups![0]!.HealthCheckPath, "/health");
  assert.equal(TargetGroups![0]!.HealthCheckIntervalSeconds, 10);
  assert.deepEqual(TargetGroups![0]!.Matcher, { HttpCode: "200,302" });
});

test("attributes have AWS's defaults and ranges", async () => {
  await using system = await start();
  const TargetGroupArn = await aTargetGroup(system.root);
  const modify = (Key: string, Value: string) =>
    system.root.send(new sdk.ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes: [{ Key, Value }] }));
  await modify("stickiness.enabled", "true");
  const { Attributes } = await system.root.send(new sdk.DescribeTargetGroupAttributesCommand({ TargetGroupArn }));
  const attributes = Object.fromEntries(Attributes!.map(({ Key, Value }) => [Key, Value]));
  assert.equal(attributes["deregistration_delay.timeout_seconds"], "300");
  assert.equal(attributes["stickiness.enabled"], "true");
  const name = "ValidationError";
  await assert.rejects(modify("deregistration_delay.timeout_seconds", "3601"), { name, message: /'0-3600' inclusive/ });
  await assert.rejects(modify("slow_start.duration_seconds", "29"), { name });
  await assert.rejects(modify("constructor", "1"), { name, message: /'constructor' is not recognized/ });
  await assert.rejects(modify("stickiness.type", "app_cookie"), { name: "InvalidConfigurationRequestException" });
});
