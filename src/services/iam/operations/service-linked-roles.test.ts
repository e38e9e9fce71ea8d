import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateClusterCommand, DeleteClusterCommand } from "@aws-sdk/client-ecs";
import * as sdk from "@aws-sdk/client-iam";
import { rootPrincipal } from "#gateway/context.ts";
import { ecs } from "#services/ecs/index.ts";
import { elbv2 } from "#services/elbv2/index.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { awsManagedPolicy } from "../aws-managed-policies.ts";
import { IamIdentities } from "../identities.ts";
import { iam } from "../index.ts";
import { linkedRoleOf, servicesWithLinkedRole } from "../linked-roles.ts";
import { roleArn } from "../testing.ts";

/** With the services that can say whether they still use their role. */
function aSystem(): Promise<TestSystem> {
  return testSystem({ services: [iam, sts, ecs, elbv2], identities: (parts) => new IamIdentities(parts) });
}

async function statusOf(system: TestSystem, RoleName: string): Promise<sdk.GetServiceLinkedRoleDeletionStatusResponse> {
  const { DeletionTaskId } = await system.root.send(new sdk.DeleteServiceLinkedRoleCommand({ RoleName }));
  assert.match(DeletionTaskId!, /^task\/aws-service-role\/[a-z.-]+\/\w+\/[0-9a-f-]{36}$/);
  return system.root.send(new sdk.GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
}

test("the policy of every service-linked role is one of AWS's", () => {
  for (const service of servicesWithLinkedRole()) {
    const { policy } = linkedRoleOf(service)!;
    assert.ok(awsManagedPolicy(`arn:aws:iam::aws:policy/aws-service-role/${policy}`), policy);
  }
});

test("a service-linked role is its service's alone", async () => {
  await using system = await aSystem();
  const { root } = system;
  const create = new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName: "elasticloadbalancing.amazonaws.com" });
  const { Role } = await root.send(create);
  const RoleName = "AWSServiceRoleForElasticLoadBalancing";
  assert.ok(!("RoleLastUsed" in Role! || "MaxSessionDuration" in Role!));
  assert.equal(Role?.Arn, roleArn(`aws-service-role/elasticloadbalancing.amazonaws.com/${RoleName}`));
  await assert.rejects(root.send(create), {
    name: "InvalidInputException",
    message: `Service role name ${RoleName} has been taken in this account, please try a different suffix.`,
  });
  await assert.rejects(root.send(new sdk.DeleteRoleCommand({ RoleName })), { name: "UnmodifiableEntityException" });
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await assert.rejects(root.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn })), {
    name: "UnmodifiableEntityException",
  });
  // "You can edit the description of any role".
  await root.send(new sdk.UpdateRoleCommand({ RoleName, Description: "balances" }));
  assert.equal((await root.send(new sdk.GetRoleCommand({ RoleName }))).Role?.Description, "balances");
  await root.send(new sdk.UpdateRoleDescriptionCommand({ RoleName, Description: "ours" }));
  await root.send(new sdk.TagRoleCommand({ RoleName, Tags: [{ Key: "team", Value: "x" }] }));
  await assert.rejects(root.send(new sdk.UpdateRoleCommand({ RoleName, MaxSessionDuration: 7200 })), {
    name: "UnmodifiableEntityException",
  });
  assert.deepEqual(await statusOf(system, RoleName), { Status: "SUCCEEDED" });
  await assert.rejects(root.send(new sdk.GetRoleCommand({ RoleName })), { name: "NoSuchEntityException" });
});

test("a suffix makes another role where the service has several", async () => {
  await using system = await aSystem();
  const create = (AWSServiceName: string, CustomSuffix?: string) =>
    system.root.send(new sdk.CreateServiceLinkedRoleCommand({ AWSServiceName, CustomSuffix }));
  await create("autoscaling.amazonaws.com");
  const { Role } = await create("autoscaling.amazonaws.com", "blue");
  assert.equal(Role?.RoleName, "AWSServiceRoleForAutoScaling_blue");
  await assert.rejects(create("ecs.amazonaws.com", "blue"), {
    name: "InvalidInputException",
    message: "Custom suffix is not allowed for ecs.amazonaws.com",
  });
  await assert.rejects(create("toaster.amazonaws.com"), { name: "InvalidInputException" });
});

test("a role that its service uses, in whatever region, is not deleted", async () => {
  await using system = await aSystem();
  const paris = system.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region: "eu-west-3" });
  const { cluster } = await paris.send(new CreateClusterCommand({ clusterName: "web" }));
  const RoleName = "AWSServiceRoleForECS";
  const { Status, Reason } = await statusOf(system, RoleName);
  assert.equal(Status, "FAILED");
  assert.deepEqual(Reason?.RoleUsageList, [{ Region: "eu-west-3", Resources: [cluster?.clusterArn] }]);
  await system.root.send(new sdk.GetRoleCommand({ RoleName }));
  await paris.send(new DeleteClusterCommand({ cluster: "web" }));
  assert.deepEqual(await statusOf(system, RoleName), { Status: "SUCCEEDED" });
});

test("there are no other tasks than those that were begun", async () => {
  await using system = await aSystem();
  const DeletionTaskId =
    "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/11111111-2222-4333-8444-555555555555";
  const get = new sdk.GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId });
  await assert.rejects(system.root.send(get), { name: "NoSuchEntityException" });
  const remove = new sdk.DeleteServiceLinkedRoleCommand({ RoleName: "nobody" });
  await assert.rejects(system.root.send(remove), { name: "NoSuchEntityException" });
});
