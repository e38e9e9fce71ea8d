import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { type TestSystem, testSystem } from "../../../../tests/helpers/test-system.ts";
import { elbv2 } from "../index.ts";
import { aListener, aLoadBalancer, aTargetGroup, forwardTo } from "../testing.ts";

const start = () => testSystem({ services: [elbv2], work: false });

async function health(system: TestSystem, TargetGroupArn: string, Targets?: sdk.TargetDescription[]) {
  const command = new sdk.DescribeTargetHealthCommand({ TargetGroupArn, Targets });
  const { TargetHealthDescriptions } = await system.root.send(command);
  return TargetHealthDescriptions!.map(({ Target, TargetHealth }) => [
    `${Target!.Id}:${Target!.Port}`,
    TargetHealth!.State,
    TargetHealth!.Reason,
  ]);
}

test("targets of a group without a load balancer are unused, then they are checked", async () => {
  await using system = await start();
  const group = await aTargetGroup(system.root);
  const Targets = [{ Id: "10.0.0.1" }, { Id: "169.254.170.9", Port: 80 }];
  await system.root.send(new sdk.RegisterTargetsCommand({ TargetGroupArn: group, Targets }));
  assert.deepEqual(await health(system, group), [
    ["10.0.0.1:4567", "unused", "Target.NotInUse"],
    ["169.254.170.9:80", "unused", "Target.NotInUse"],
  ]);
  const { arn } = await aLoadBalancer(system.root);
  await aListener(system.root, arn, forwardTo(group));
  assert.deepEqual(await health(system, group, [{ Id: "10.0.0.1" }, { Id: "10.0.0.2" }]), [
    ["10.0.0.1:4567", "initial", "Elb.RegistrationInProgress"],
    ["10.0.0.2:4567", "unused", "Target.NotRegistered"],
  ]);
});

test("a deregistered target drains for the delay; registered again it starts anew", async () => {
  await using system = await start();
  const now = new Date("2026-01-01T00:00:00Z");
  const later = (seconds: number) => system.setNow(new Date(now.getTime() + seconds * 1000));
  system.setNow(now);
  const group = await aTargetGroup(system.root);
  const { arn } = await aLoadBalancer(system.root);
  await aListener(system.root, arn, forwardTo(group));
  const input = { TargetGroupArn: group, Targets: [{ Id: "10.0.0.1" }] };
  await system.root.send(new sdk.RegisterTargetsCommand(input));
  await system.root.send(new sdk.DeregisterTargetsCommand(input));
  later(299);
  assert.deepEqual(await health(system, group), [["10.0.0.1:4567", "draining", "Target.DeregistrationInProgress"]]);
  await system.root.send(new sdk.DeregisterTargetsCommand(input)); // does not begin the delay anew
  later(301);
  assert.deepEqual(await health(system, group), []);
  await system.root.send(new sdk.RegisterTargetsCommand(input));
  assert.deepEqual(await health(system, group), [["10.0.0.1:4567", "initial", "Elb.RegistrationInProgress"]]);
});

test("deregistering what is not registered succeeds", async () => {
  await using system = await start();
  const group = await aTargetGroup(system.root);
  const input = { TargetGroupArn: group, Targets: [{ Id: "10.9.9.9" }] };
  await system.root.send(new sdk.DeregisterTargetsCommand(input));
  assert.deepEqual(await health(system, group), []);
});

test("instances are unhealthy, as there is no EC2; ids must look like what they are", async () => {
  await using system = await start();
  const instances = await aTargetGroup(system.root, { TargetType: "instance" });
  const { arn } = await aLoadBalancer(system.root);
  await aListener(system.root, arn, forwardTo(instances));
  const registration = (TargetGroupArn: string, Id: string) =>
    system.root.send(new sdk.RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id }] }));
  await registration(instances, "i-0123456789abcdef0");
  assert.deepEqual(await health(system, instances), [
    ["i-0123456789abcdef0:4567", "unhealthy", "Target.FailedHealthChecks"],
  ]);
  await assert.rejects(registration(instances, "10.0.0.1"), { message: "Instance ID '10.0.0.1' is not valid" });
  const ips = await aTargetGroup(system.root, { Name: "ips" });
  for (const Id of ["", "a/b", "evil host", "[::1]"]) {
    await assert.rejects(registration(ips, Id), { name: "ValidationError" });
  }
  await assert.rejects(registration(`${ips}0`, "10.0.0.1"), { name: "TargetGroupNotFoundException" });
});
