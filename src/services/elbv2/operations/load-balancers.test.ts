import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Principal } from "#gateway/context.ts";
import { ACCOUNT, REGION, testSystem } from "../../../../tests/helpers/test-system.ts";
import { elbv2 } from "../index.ts";
import { aListener, aLoadBalancer, aTargetGroup, forwardTo, SUBNETS } from "../testing.ts";

const start = () => testSystem({ services: [elbv2], work: false });

test("CreateLoadBalancer answers what AWS answers, and the load balancer is active then", async () => {
  await using system = await start();
  const { output } = await aLoadBalancer(system.root, { Scheme: "internal" });
  assert.match(
    output.LoadBalancerArn!,
    /^arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer\/app\/web\/[0-9a-f]{16}$/,
  );
  assert.match(output.DNSName!, /^internal-web-\d+\.us-east-1\.elb\.amazonaws\.com$/);
  assert.equal(output.CanonicalHostedZoneId, "Z35SXDOTRQ7X7K");
  assert.equal(output.State!.Code, "provisioning");
  assert.deepEqual(
    output.AvailabilityZones!.map(({ ZoneName, SubnetId }) => [ZoneName, SubnetId]),
    [
      ["us-east-1a", SUBNETS[0]],
      ["us-east-1b", SUBNETS[1]],
    ],
  );
  const { LoadBalancers } = await system.root.send(new sdk.DescribeLoadBalancersCommand({ Names: ["web"] }));
  assert.deepEqual(LoadBalancers, [{ ...output, State: { Code: "active" } }]);
});

test("the same load balancer can be created again, a different one of that name cannot", async () => {
  await using system = await start();
  const { arn } = await aLoadBalancer(system.root);
  assert.equal((await aLoadBalancer(system.root)).arn, arn);
  await assert.rejects(aLoadBalancer(system.root, { Scheme: "internal" }), {
    name: "DuplicateLoadBalancerNameException",
    message: "A load balancer with the same name 'web' exists, but with different settings",
  });
});

test("wrong input is refused in AWS's words", async () => {
  await using system = await start();
  const create = (input: Partial<sdk.CreateLoadBalancerInput>) => aLoadBalancer(system.root, input);
  const cases: [Partial<sdk.CreateLoadBalancerInput>, string, RegExp][] = [
    [{ Name: "x".repeat(33) }, "ValidationError", /cannot be longer than '32' characters/],
    [{ Name: "a_b" }, "ValidationError", /alphanumeric characters or hyphens/],
    [{ Name: "-a" }, "ValidationError", /cannot begin or end with '-'/],
    [{ Name: "internal-a" }, "ValidationError", /cannot begin with 'internal-'/],
    [{ Subnets: ["subnet-1"] }, "ValidationError", /At least two subnets in two different Availability Zones/],
    [{ Subnets: ["subnet-1", "net"] }, "SubnetNotFoundException", /'net' is not valid/],
    [{ SecurityGroups: ["default"] }, "InvalidSecurityGroupException", /'default' is not valid/],
    [{ Type: "network" }, "OperationNotPermittedException", /'network' are not built/],
    [{ Scheme: "public" as never }, "ValidationError", /enum value set: \[internet-facing, internal\]/],
    [{ Tags: [{ Key: "a" }, { Key: "a" }] }, "DuplicateTagKeysException", /'a' was specified more than once/],
    [{ Tags: [{ Key: "aws:a" }] }, "ValidationError", /cannot begin with 'aws:'/],
  ];
  for (const [input, name, message] of cases) await assert.rejects(create(input), { name, message });
  assert.deepEqual((await system.root.send(new sdk.DescribeLoadBalancersCommand({}))).LoadBalancers, []);
});

test("DescribeLoadBalancers gives pages", async () => {
  await using system = await start();
  for (const Name of ["a", "b", "c"]) await aLoadBalancer(system.root, { Name });
  const describe = (input: sdk.DescribeLoadBalancersInput) =>
    system.root.send(new sdk.DescribeLoadBalancersCommand(input));
  const first = await describe({ PageSize: 2 });
  assert.deepEqual(
    first.LoadBalancers!.map((one) => one.LoadBalancerName),
    ["a", "b"],
  );
  const second = await describe({ PageSize: 2, Marker: first.NextMarker });
  assert.deepEqual(
    second.LoadBalancers!.map((one) => one.LoadBalancerName),
    ["c"],
  );
  assert.equal(second.NextMarker, undefined);
  await assert.rejects(describe({ Marker: "nonsense" }), { name: "ValidationError" });
});

test("what does not exist, or is another account's or region's, is not found", async () => {
  await using system = await start();
  const { arn } = await aLoadBalancer(system.root);
  const describe = (input: sdk.DescribeLoadBalancersInput, client = system.root) =>
    client.send(new sdk.DescribeLoadBalancersCommand(input));
  const notFound = { name: "LoadBalancerNotFoundException", message: "One or more load balancers not found" };
  await assert.rejects(describe({ LoadBalancerArns: [`${arn}0`] }), notFound);
  await assert.rejects(describe({ Names: ["nope"] }), { message: "Load balancers '[nope]' not found" });
  await assert.rejects(describe({ LoadBalancerArns: ["nope"] }), {
    message: "'nope' is not a valid load balancer ARN",
  });
  const other: Principal = {
    ...system.root.principal,
    accountId: "444455556666",
    arn: "arn:aws:iam::444455556666:root",
  };
  const stranger = system.client(other, { accountId: "444455556666", region: REGION });
  await assert.rejects(describe({ LoadBalancerArns: [arn] }, stranger), notFound);
  const elsewhere = system.client(system.root.principal, { accountId: ACCOUNT, region: "eu-west-1" });
  await assert.rejects(describe({ LoadBalancerArns: [arn] }, elsewhere), { name: "ValidationError" });
  assert.deepEqual((await describe({}, elsewhere)).LoadBalancers, []);
});

test("attributes have AWS's defaults, and only known ones with allowed values are taken", async () => {
  await using system = await start();
  const { arn } = await aLoadBalancer(system.root);
  const modify = (Key: string, Value: string) =>
    system.root.send(
      new sdk.ModifyLoadBalancerAttributesCommand({ LoadBalancerArn: arn, Attributes: [{ Key, Value }] }),
    );
  await modify("idle_timeout.timeout_seconds", "90");
  const command = new sdk.DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: arn });
  const { Attributes } = await system.root.send(command);
  const attributes = Object.fromEntries(Attributes!.map(({ Key, Value }) => [Key, Value]));
  assert.equal(attributes["idle_timeout.timeout_seconds"], "90");
  assert.equal(attributes["routing.http.xff_header_processing.mode"], "append");
  await assert.rejects(modify("idle_timeout.timeout_seconds", "4001"), {
    name: "ValidationError",
    message: "'idle_timeout.timeout_seconds' value '4001' must be between '1-4000' inclusive",
  });
  await assert.rejects(modify("speed", "9"), { message: "Load balancer attribute key 'speed' is not recognized" });
});

test("a protected load balancer cannot be deleted; another one goes with its listeners", async () => {
  await using system = await start();
  const { arn } = await aLoadBalancer(system.root);
  const group = await aTargetGroup(system.root);
  const listener = await aListener(system.root, arn, forwardTo(group));
  const protect = (Value: string) =>
    system.root.send(
      new sdk.ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn: arn,
        Attributes: [{ Key: "deletion_protection.enabled", Value }],
      }),
    );
  const remove = () => system.root.send(new sdk.DeleteLoadBalancerCommand({ LoadBalancerArn: arn }));
  await protect("true");
  await assert.rejects(remove(), { name: "OperationNotPermittedException", message: /deletion protection is enabled/ });
  await protect("false");
  await remove();
  await remove(); // as often as one likes
  await assert.rejects(system.root.send(new sdk.DescribeListenersCommand({ ListenerArns: [listener] })), {
    name: "ListenerNotFoundException",
  });
  await system.root.send(new sdk.DeleteTargetGroupCommand({ TargetGroupArn: group }));
});

test("security groups, subnets and the address type are kept", async () => {
  await using system = await start();
  const { arn } = await aLoadBalancer(system.root);
  const LoadBalancerArn = arn;
  await system.root.send(new sdk.SetSecurityGroupsCommand({ LoadBalancerArn, SecurityGroups: ["sg-1"] }));
  await system.root.send(new sdk.SetSubnetsCommand({ LoadBalancerArn, Subnets: ["subnet-1", "subnet-2"] }));
  await system.root.send(new sdk.SetIpAddressTypeCommand({ LoadBalancerArn, IpAddressType: "dualstack" }));
  const { LoadBalancers } = await system.root.send(new sdk.DescribeLoadBalancersCommand({ LoadBalancerArns: [arn] }));
  const [found] = LoadBalancers!;
  assert.deepEqual(found!.SecurityGroups, ["sg-1"]);
  assert.deepEqual(
    found!.AvailabilityZones!.map(({ SubnetId }) => SubnetId),
    ["subnet-1", "subnet-2"],
  );
  assert.equal(found!.IpAddressType, "dualstack");
});

test("policies decide by the load balancer's name, and tags need AddTags", async () => {
  await using system = await start();
  const arn = `arn:aws:iam::${ACCOUNT}:user/dev`;
  const dev = system.client(
    { type: "User", arn, accountId: ACCOUNT, userId: "AIDA", accessKeyId: "AKIA" },
    { accountId: ACCOUNT, region: REGION },
  );
  const Statement = {
    Effect: "Allow",
    Action: "elasticloadbalancing:CreateLoadBalancer",
    Resource: `arn:aws:elasticloadbalancing:*:${ACCOUNT}:loadbalancer/app/dev-*/*`,
  };
  system.policies.set(arn, [
    compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement }), "identity")),
  ]);
  await aLoadBalancer(dev, { Name: "dev-web" });
  await assert.rejects(aLoadBalancer(dev, { Name: "prod-web" }), { name: "AccessDenied" });
  await assert.rejects(aLoadBalancer(dev, { Name: "dev-tagged", Tags: [{ Key: "a", Value: "b" }] }), {
    name: "AccessDenied",
    message: /elasticloadbalancing:AddTags/,
  });
});
