import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-ecs";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Principal, rootPrincipal } from "#gateway/context.ts";
import { IamIdentities, iam } from "#services/iam/index.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, REGION, testSystem } from "#tests/helpers/test-system.ts";
import { ecs } from "../index.ts";
import { aDefinition } from "../testing.ts";

const ARN = `arn:aws:ecs:${REGION}:${ACCOUNT}`;

const system = () =>
  testSystem({ services: [ecs, iam, sts], identities: (parts) => new IamIdentities(parts), work: false });

test("a cluster is made once, described, updated and deleted", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const create = new sdk.CreateClusterCommand({ clusterName: "cruddur", tags: [{ key: "team", value: "blue" }] });
  const { cluster } = await root.send(create);
  assert.equal(cluster!.clusterArn, `${ARN}:cluster/cruddur`);
  assert.equal(cluster!.status, "ACTIVE");
  assert.deepEqual(cluster!.tags, [{ key: "team", value: "blue" }]);
  assert.equal((await root.send(create)).cluster!.clusterArn, cluster!.clusterArn);
  const settings = [{ name: "containerInsights" as const, value: "enabled" }];
  await root.send(new sdk.UpdateClusterSettingsCommand({ cluster: "cruddur", settings }));
  const describe = new sdk.DescribeClustersCommand({
    clusters: ["cruddur", "other"],
    include: ["SETTINGS", "STATISTICS"],
  });
  const { clusters, failures } = await root.send(describe);
  assert.deepEqual(clusters![0]!.settings, settings);
  assert.ok(clusters![0]!.statistics!.some(({ name, value }) => name === "runningFargateTasksCount" && value === "0"));
  assert.deepEqual(clusters![0]!.tags, []);
  assert.deepEqual(failures, [{ arn: `${ARN}:cluster/other`, reason: "MISSING" }]);
  const foreign = [`arn:aws:ecs:${REGION}:999999999999:cluster/cruddur`];
  await assert.rejects(root.send(new sdk.DescribeClustersCommand({ clusters: foreign })), { name: "AccessDenied" });
  const deleted = await root.send(new sdk.DeleteClusterCommand({ cluster: "cruddur" }));
  assert.equal(deleted.cluster!.status, "INACTIVE");
  const again = root.send(new sdk.DeleteClusterCommand({ cluster: "cruddur" }));
  await assert.rejects(again, { name: "ClusterNotFoundException", message: "Cluster not found." });
});

test("the service-linked role comes with the first cluster", async () => {
  await using slipway = await system();
  await slipway.root.send(new sdk.CreateClusterCommand({}));
  await slipway.root.send(new sdk.CreateClusterCommand({ clusterName: "second" }));
  const made = slipway.audited.filter((entry) => entry.startsWith("iam:CreateServiceLinkedRole"));
  assert.deepEqual(made, ["iam:CreateServiceLinkedRole"]);
});

test("clusters are listed page by page, and only the account's own", async () => {
  await using slipway = await system();
  for (const clusterName of ["c", "a", "b"]) await slipway.root.send(new sdk.CreateClusterCommand({ clusterName }));
  const stranger = slipway.client(rootPrincipal("999999999999"), { accountId: "999999999999", region: REGION });
  assert.deepEqual((await stranger.send(new sdk.ListClustersCommand({}))).clusterArns, []);
  const first = await slipway.root.send(new sdk.ListClustersCommand({ maxResults: 2 }));
  assert.deepEqual(first.clusterArns, [`${ARN}:cluster/a`, `${ARN}:cluster/b`]);
  const rest = await slipway.root.send(new sdk.ListClustersCommand({ nextToken: first.nextToken }));
  assert.deepEqual(rest, { clusterArns: [`${ARN}:cluster/c`], nextToken: undefined });
  for (const nextToken of ["nonsense", Buffer.from("null").toString("base64")]) {
    await assert.rejects(slipway.root.send(new sdk.ListClustersCommand({ nextToken })), {
      name: "InvalidParameterException",
      message: "Invalid token.",
    });
  }
});

test("capacity providers are Fargate's two", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await root.send(new sdk.CreateClusterCommand({}));
  const { capacityProviders } = await root.send(new sdk.DescribeCapacityProvidersCommand({}));
  assert.deepEqual(
    capacityProviders!.map(({ name }) => name),
    ["FARGATE", "FARGATE_SPOT"],
  );
  const put = (providers: string[], strategy: sdk.CapacityProviderStrategyItem[]) =>
    root.send(
      new sdk.PutClusterCapacityProvidersCommand({
        cluster: "default",
        capacityProviders: providers,
        defaultCapacityProviderStrategy: strategy,
      }),
    );
  const { cluster } = await put(["FARGATE"], [{ capacityProvider: "FARGATE" }]);
  assert.deepEqual(cluster!.defaultCapacityProviderStrategy, [{ capacityProvider: "FARGATE", weight: 0, base: 0 }]);
  await assert.rejects(put(["MINE"], []), { name: "InvalidParameterException" });
  await assert.rejects(put(["FARGATE"], [{ capacityProvider: "FARGATE_SPOT" }]), /not associated with the cluster/);
});

test("resources are tagged and untagged by ARN", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await root.send(new sdk.CreateClusterCommand({}));
  const resourceArn = `${ARN}:cluster/default`;
  const tag = (tags: sdk.Tag[], arn = resourceArn) => root.send(new sdk.TagResourceCommand({ resourceArn: arn, tags }));
  await tag([
    { key: "a", value: "1" },
    { key: "b", value: "2" },
  ]);
  await tag([{ key: "b", value: "3" }]);
  await root.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
  const { tags } = await root.send(new sdk.ListTagsForResourceCommand({ resourceArn }));
  assert.deepEqual(tags, [{ key: "b", value: "3" }]);
  await assert.rejects(tag([{ key: "aws:x", value: "1" }]), { name: "InvalidParameterException" });
  await assert.rejects(tag([], `${ARN}:cluster/other`), { name: "ClusterNotFoundException" });
  await assert.rejects(tag([], `${ARN}:service/default/other`), { name: "ResourceNotFoundException" });
  await assert.rejects(tag([], `arn:aws:ecs:${REGION}:999999999999:cluster/default`), { name: "AccessDenied" });
});

test("account settings are kept by principal, above the account's default", async () => {
  await using slipway = await system();
  const { root } = slipway;
  const list = async () =>
    (await root.send(new sdk.ListAccountSettingsCommand({ name: "containerInsights", effectiveSettings: true })))
      .settings![0]!.value;
  assert.equal(await list(), "disabled");
  await root.send(new sdk.PutAccountSettingCommand({ name: "containerInsights", value: "enabled" }));
  assert.equal(await list(), "enabled");
  await root.send(new sdk.DeleteAccountSettingCommand({ name: "containerInsights" }));
  assert.equal(await list(), "disabled");
});

test("policies decide, and roles must be allowed to be passed", async () => {
  await using slipway = await testSystem({ services: [ecs, iam, sts], work: false });
  const arn = `arn:aws:iam::${ACCOUNT}:user/dev`;
  const principal: Principal = { type: "User", arn, accountId: ACCOUNT, userId: "AIDA", accessKeyId: "AKIA" };
  const dev = slipway.client(principal, { accountId: ACCOUNT, region: REGION });
  const allow = (...statements: object[]) => {
    const document = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    slipway.policies.set(arn, [compilePolicy(parsePolicy(document, "identity"))]);
  };
  const executionRoleArn = `arn:aws:iam::${ACCOUNT}:role/execution`;
  const register = () => dev.send(new sdk.RegisterTaskDefinitionCommand(aDefinition({ executionRoleArn })));
  allow({ Effect: "Allow", Action: "ecs:RegisterTaskDefinition", Resource: "*" });
  await assert.rejects(register(), /not authorized to perform: iam:PassRole on resource: .*role\/execution/);
  allow(
    { Effect: "Allow", Action: "ecs:RegisterTaskDefinition", Resource: "*" },
    {
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: executionRoleArn,
      Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    },
  );
  assert.equal((await register()).taskDefinition!.revision, 1);
  // A short name is the name of a role of the account, and what is passed is that role.
  const byName = (name: string) =>
    dev.send(new sdk.RegisterTaskDefinitionCommand(aDefinition({ taskRoleArn: name, executionRoleArn: name })));
  const named = (await byName("execution")).taskDefinition!;
  assert.deepEqual([named.taskRoleArn, named.executionRoleArn], [executionRoleArn, executionRoleArn]);
  await assert.rejects(byName("other"), /not authorized to perform: iam:PassRole on resource: .*role\/other/);
  await assert.rejects(dev.send(new sdk.DescribeClustersCommand({ clusters: ["one"] })), /ecs:DescribeClusters/);
  allow({ Effect: "Allow", Action: "ecs:DescribeClusters", Resource: `${ARN}:cluster/one` });
  assert.equal((await dev.send(new sdk.DescribeClustersCommand({ clusters: ["one"] }))).failures!.length, 1);
  await assert.rejects(dev.send(new sdk.DescribeClustersCommand({ clusters: ["two"] })), /ecs:DescribeClusters/);
});
