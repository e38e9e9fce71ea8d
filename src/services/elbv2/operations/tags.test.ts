import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { testSystem } from "../../../../tests/helpers/test-system.ts";
import { elbv2 } from "../index.ts";
import { aListener, aLoadBalancer, aTargetGroup, forwardTo } from "../testing.ts";

test("tags are added, changed, removed, and go with their resource", async () => {
  await using system = await testSystem({ services: [elbv2], work: false });
  const Tags = [{ Key: "team", Value: "red" }];
  const { arn } = await aLoadBalancer(system.root, { Tags });
  const group = await aTargetGroup(system.root, { Tags });
  const listener = await aListener(system.root, arn, forwardTo(group), { Tags });
  const tagsOf = async (...ResourceArns: string[]) => {
    const { TagDescriptions } = await system.root.send(new sdk.DescribeTagsCommand({ ResourceArns }));
    return TagDescriptions!.map((one) => one.Tags!.map(({ Key, Value }) => `${Key}=${Value}`).join(" "));
  };
  const changes = [
    { Key: "team", Value: "blue" },
    { Key: "stage", Value: "prod" },
  ];
  await system.root.send(new sdk.AddTagsCommand({ ResourceArns: [group], Tags: changes }));
  assert.deepEqual(await tagsOf(arn, group, listener), ["team=red", "stage=prod team=blue", "team=red"]);
  await system.root.send(new sdk.RemoveTagsCommand({ ResourceArns: [group], TagKeys: ["team"] }));
  assert.deepEqual(await tagsOf(group), ["stage=prod"]);
  const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "" }));
  await assert.rejects(system.root.send(new sdk.AddTagsCommand({ ResourceArns: [group], Tags: many })), {
    name: "TooManyTagsException",
  });
  assert.deepEqual(await tagsOf(group), ["stage=prod"]);
  await system.root.send(new sdk.DeleteLoadBalancerCommand({ LoadBalancerArn: arn }));
  await assert.rejects(tagsOf(listener), { name: "ListenerNotFoundException" });
  await assert.rejects(tagsOf("arn:aws:s3:::bucket"), { name: "ValidationError" });
});

test("DescribeAccountLimits lists AWS's quotas in pages", async () => {
  await using system = await testSystem({ services: [elbv2], work: false });
  const first = await system.root.send(new sdk.DescribeAccountLimitsCommand({ PageSize: 1 }));
  assert.deepEqual(first.Limits, [{ Name: "target-groups", Max: "3000" }]);
  const rest = await system.root.send(new sdk.DescribeAccountLimitsCommand({ Marker: first.NextMarker }));
  assert.ok(rest.Limits!.every(({ Name }) => Name !== "target-groups") && rest.Limits!.length > 5);
});
