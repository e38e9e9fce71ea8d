import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-ecs";
import { rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, testSystem } from "#tests/helpers/test-system.ts";
import { cpuUnits, isFargateSize, memoryMiB } from "../fargate-size.ts";
import { ecs } from "../index.ts";
import { aDefinition, IMAGE } from "../testing.ts";

const ARN = `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition`;
const NOW = new Date("2026-03-01T12:00:00Z");
type Change = Partial<sdk.RegisterTaskDefinitionCommandInput>;

async function system() {
  const made = await testSystem({ services: [ecs], work: false });
  made.setNow(NOW);
  const register = async (change?: Change, container?: Partial<sdk.ContainerDefinition>) =>
    (await made.root.send(new sdk.RegisterTaskDefinitionCommand(aDefinition(change, container)))).taskDefinition!;
  return { slipway: made, root: made.root, register, [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
}

test("a definition keeps what it was given, with ECS's defaults", async () => {
  await using made = await system();
  const definition = await made.register(
    { cpu: ".25 vCPU", memory: "0.5 GB" },
    { healthCheck: { command: ["CMD", "x"] } },
  );
  assert.deepEqual(definition, {
    taskDefinitionArn: `${ARN}/app:1`,
    family: "app",
    revision: 1,
    status: "ACTIVE",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    compatibilities: ["EC2", "FARGATE"],
    cpu: "256",
    memory: "512",
    volumes: [],
    placementConstraints: [],
    registeredAt: NOW,
    registeredBy: `arn:aws:iam::${ACCOUNT}:root`,
    containerDefinitions: [
      {
        name: "app",
        image: IMAGE,
        cpu: 0,
        essential: true,
        environment: [],
        mountPoints: [],
        volumesFrom: [],
        systemControls: [],
        portMappings: [{ containerPort: 4567, hostPort: 4567, protocol: "tcp" }],
        healthCheck: { command: ["CMD", "x"], interval: 30, timeout: 5, retries: 3 },
      },
    ],
  });
});

test("a definition is found by family, revision and ARN; a deregistered one only by its revision", async () => {
  await using made = await system();
  const { root, register } = made;
  await register();
  await register();
  const describe = async (taskDefinition: string) =>
    (await root.send(new sdk.DescribeTaskDefinitionCommand({ taskDefinition }))).taskDefinition!.revision;
  assert.equal(await describe("app"), 2);
  assert.equal(await describe("app:1"), 1);
  assert.equal(await describe(`${ARN}/app:1`), 1);
  const deregister = new sdk.DeregisterTaskDefinitionCommand({ taskDefinition: "app:2" });
  const { taskDefinition } = await root.send(deregister);
  assert.equal(taskDefinition!.status, "INACTIVE");
  assert.deepEqual(taskDefinition!.deregisteredAt, NOW);
  assert.equal(await describe("app"), 1);
  assert.equal(await describe("app:2"), 2);
  assert.equal((await register()).revision, 3);
  const foreign = `arn:aws:ecs:${REGION}:999999999999:task-definition/app:1`;
  for (const missing of ["app:9", "nothing", foreign, "not valid!"]) {
    await assert.rejects(describe(missing), {
      name: "ClientException",
      message: "Unable to describe task definition.",
    });
  }
  const stranger = made.slipway.client(rootPrincipal("999999999999"), { accountId: "999999999999", region: REGION });
  await assert.rejects(stranger.send(new sdk.DescribeTaskDefinitionCommand({ taskDefinition: "app" })), {
    name: "ClientException",
  });
});

test("definitions and families are listed by status", async () => {
  await using made = await system();
  const { root, register } = made;
  for (const family of ["web", "api", "api"]) await register({ family });
  await root.send(new sdk.DeregisterTaskDefinitionCommand({ taskDefinition: "web:1" }));
  const list = async (input: sdk.ListTaskDefinitionsCommandInput) =>
    (await root.send(new sdk.ListTaskDefinitionsCommand(input))).taskDefinitionArns;
  assert.deepEqual(await list({}), [`${ARN}/api:1`, `${ARN}/api:2`]);
  assert.deepEqual(await list({ sort: "DESC", maxResults: 1 }), [`${ARN}/api:2`]);
  assert.deepEqual(await list({ status: "INACTIVE" }), [`${ARN}/web:1`]);
  assert.deepEqual(await list({ familyPrefix: "ap" }), []);
  const families = async (input: sdk.ListTaskDefinitionFamiliesCommandInput) =>
    (await root.send(new sdk.ListTaskDefinitionFamiliesCommand(input))).families;
  assert.deepEqual(await families({}), ["api", "web"]);
  assert.deepEqual(await families({ status: "ACTIVE" }), ["api"]);
  assert.deepEqual(await families({ familyPrefix: "w" }), ["web"]);
});

test("only deregistered definitions are deleted", async () => {
  await using made = await system();
  const { root, register } = made;
  await register();
  await register();
  await root.send(new sdk.DeregisterTaskDefinitionCommand({ taskDefinition: "app:1" }));
  const remove = new sdk.DeleteTaskDefinitionsCommand({ taskDefinitions: ["app:1", "app:2", "app:3"] });
  const { taskDefinitions, failures } = await root.send(remove);
  assert.deepEqual(
    taskDefinitions!.map(({ revision, status }) => [revision, status]),
    [[1, "DELETE_IN_PROGRESS"]],
  );
  assert.deepEqual(
    failures!.map(({ arn }) => arn),
    ["app:2", "app:3"],
  );
});

const REFUSED: readonly [string, Change, Partial<sdk.ContainerDefinition>, RegExp][] = [
  ["bridge", { networkMode: "bridge" }, {}, /^Fargate only supports network mode ‘awsvpc’\.$/],
  ["no cpu", { cpu: undefined }, {}, /^Fargate requires that 'cpu' be defined at the task level\.$/],
  [
    "no memory",
    { memory: undefined },
    { memory: 128 },
    /^Fargate requires that 'memory' be defined at the task level\.$/,
  ],
  ["bad size", { memory: "4096" }, {}, /^No Fargate configuration exists for given values: 256 CPU, 4096 memory\. See/],
  ["no number", { cpu: "many" }, {}, /^Invalid 'cpu' setting for task\.$/],
  ["bad family", { family: "a b" }, {}, /^Family contains invalid characters/],
  ["bad role", { taskRoleArn: "path/role" }, {}, /^Role is not valid$/],
  ["no containers", { containerDefinitions: [] }, {}, /^Container list cannot be empty\.$/],
  ["no image", {}, { image: "" }, /^Container\.image should not be null or empty\.$/],
  [
    "host port",
    {},
    { portMappings: [{ containerPort: 80, hostPort: 8080 }] },
    /host ports and container ports in port mappings must match/,
  ],
  ["unknown volume", {}, { mountPoints: [{ sourceVolume: "data" }] }, /^Unknown volume 'data'\.$/],
  ["nothing essential", {}, { essential: false }, /at least one essential container/],
  ["too much memory", {}, { memory: 1024 }, /must not be greater than the task's/],
  [
    "ECR without a role",
    {},
    { image: `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/a` },
    /execution role ARN to support ECR images\.$/,
  ],
  [
    "secrets without a role",
    {},
    { secrets: [{ name: "A", valueFrom: "a" }] },
    /must also specify a value for 'executionRoleArn'\.$/,
  ],
  [
    "logs without a role",
    {},
    { logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "a", "awslogs-region": "b" } } },
    /execution role ARN to support log driver awslogs\.$/,
  ],
  ["log options missing", {}, { logConfiguration: { logDriver: "awslogs" } }, /^Log driver awslogs requires options:/],
  [
    "log options unknown",
    {},
    { logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "a", "awslogs-region": "b", x: "y" } } },
    /^Log driver awslogs disallows options: x$/,
  ],
  ["another log driver", {}, { logConfiguration: { logDriver: "splunk" } }, /not built in this version of Slipway/],
  ["an unknown dependency", {}, { dependsOn: [{ containerName: "db", condition: "START" }] }, /'db'/],
  ["a circle", {}, { dependsOn: [{ containerName: "app", condition: "START" }] }, /app -> app/],
  ["EFS", { volumes: [{ name: "v", efsVolumeConfiguration: { fileSystemId: "fs-1" } }] }, {}, /volume 'v'/],
];

for (const [name, change, container, message] of REFUSED) {
  test(`refused: ${name}`, async () => {
    await using made = await system();
    await assert.rejects(made.register(change, container), (error: Error) => {
      assert.equal(error.name, "ClientException");
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual((await made.root.send(new sdk.ListTaskDefinitionsCommand({}))).taskDefinitionArns, []);
  });
}

test("task sizes are those of AWS's table", () => {
  const allowed = [
    [256, 512],
    [256, 2048],
    [512, 4096],
    [1024, 8192],
    [2048, 16384],
    [4096, 30720],
    [8192, 61440],
    [16384, 122880],
  ] as const;
  for (const [cpu, memory] of allowed) assert.ok(isFargateSize(cpu, memory), `${cpu}/${memory}`);
  const refused = [
    [256, 4096],
    [512, 512],
    [1024, 1024],
    [4096, 31744],
    [8192, 17408],
    [300, 512],
  ] as const;
  for (const [cpu, memory] of refused) assert.ok(!isFargateSize(cpu, memory), `${cpu}/${memory}`);
  assert.deepEqual(["1024", "1 vCPU", "0.5vcpu", "x", "-1", "0"].map(cpuUnits), [
    1024,
    1024,
    512,
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual(["512", "2 GB", "0.5gb", "1 MB"].map(memoryMiB), [512, 2048, 512, undefined]);
});
