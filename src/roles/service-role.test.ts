import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import { type Administrator, type ServedSystem, servedSystem } from "#tests/helpers/served-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import {
  codeBuildRole,
  codeDeployEcsRole,
  codePipelineRole,
  ecsTaskExecutionRole,
  pipelineTriggerRole,
  type ServiceRole,
} from "./definitions.ts";
import { createServiceRole } from "./service-role.ts";

const place = { accountId: ACCOUNT, region: REGION };
const connectionArn = `arn:aws:codestar-connections:${REGION}:${ACCOUNT}:connection/1`;
const ecs = `arn:aws:ecs:${REGION}:${ACCOUNT}`;
const taskRole = `arn:aws:iam::${ACCOUNT}:role/task`;

let served: ServedSystem;
let administrator: Administrator;
let client: iam.IAMClient;

before(async () => {
  served = await servedSystem();
  administrator = await served.administratorOf(ACCOUNT);
  const { credentials } = administrator;
  client = new iam.IAMClient({ endpoint: served.url, region: REGION, credentials });
});
after(() => served?.[Symbol.asyncDispose]());

async function decision(
  PolicySourceArn: string,
  action: string,
  resource: string,
  passedTo?: string,
): Promise<string | undefined> {
  const ContextEntries = passedTo
    ? [{ ContextKeyName: "iam:PassedToService", ContextKeyValues: [passedTo], ContextKeyType: "string" as const }]
    : [];
  const command = new iam.SimulatePrincipalPolicyCommand({
    PolicySourceArn,
    ActionNames: [action],
    ResourceArns: [resource],
    ContextEntries,
  });
  return (await client.send(command)).EvaluationResults?.[0]?.EvalDecision;
}

const bucket = `codepipeline-${REGION}-${ACCOUNT}`;
const roles: readonly {
  readonly role: ServiceRole;
  readonly name: string;
  readonly policies: readonly string[];
  readonly allowed: readonly (readonly [action: string, resource: string, passedTo?: string])[];
  readonly denied: readonly (readonly [action: string, resource: string, passedTo?: string])[];
}[] = [
  {
    role: codeBuildRole({
      ...place,
      project: "bake",
      connectionArn,
      pushesTo: ["app"],
      vpc: { subnetIds: ["subnet-1"] },
    }),
    name: "service-role/codebuild-bake-service-role",
    policies: [
      `CodeBuildBasePolicy-bake-${REGION}`,
      `CodeBuildCodeConnectionsSourceCredentialsPolicy-bake-${REGION}-${ACCOUNT}`,
      `CodeBuildImagePushPolicy-bake-${REGION}`,
      `CodeBuildVpcPolicy-bake-${REGION}`,
    ],
    allowed: [
      ["logs:PutLogEvents", `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/codebuild/bake:log-stream:1`],
      ["s3:GetObject", `arn:aws:s3:::${bucket}/pipeline/Code/1`],
      ["codebuild:CreateReportGroup", `arn:aws:codebuild:${REGION}:${ACCOUNT}:report-group/bake-tests`],
      ["codeconnections:UseConnection", connectionArn.replace("codestar-connections", "codeconnections")],
      ["ecr:PutImage", `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/app`],
      ["ecr:GetAuthorizationToken", "*"],
    ],
    denied: [
      ["logs:PutLogEvents", `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/codebuild/other:log-stream:1`],
      ["s3:GetObject", "arn:aws:s3:::elsewhere/key"],
      ["s3:DeleteObject", `arn:aws:s3:::${bucket}/pipeline/Code/1`],
      ["ecr:PutImage", `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/other`],
      ["codebuild:StartBuild", `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/bake`],
      ["iam:PassRole", taskRole],
    ],
  },
  {
    role: codePipelineRole({
      ...place,
      pipeline: "release",
      artifactBucket: bucket,
      taskRoleArns: [taskRole],
      actions: [
        { provider: "CodeStarSourceConnection", configuration: { ConnectionArn: connectionArn } },
        { provider: "CodeBuild", configuration: { ProjectName: "bake" } },
        { provider: "Manual" },
        { provider: "ECS", configuration: { ClusterName: "prod", ServiceName: "web" } },
      ],
    }),
    name: `service-role/AWSCodePipelineServiceRole-${REGION}-release`,
    policies: [`AWSCodePipelineServiceRole-${REGION}-release`],
    allowed: [
      ["s3:PutObject", `arn:aws:s3:::${bucket}/release/Code/1`],
      ["codestar-connections:UseConnection", connectionArn],
      ["codebuild:StartBuild", `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/bake`],
      ["ecs:UpdateService", `${ecs}:service/prod/web`],
      ["ecs:RegisterTaskDefinition", `${ecs}:task-definition/web`],
      ["iam:PassRole", taskRole, "ecs-tasks.amazonaws.com"],
    ],
    denied: [
      ["s3:PutObject", "arn:aws:s3:::elsewhere/key"],
      ["codebuild:StartBuild", `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/other`],
      ["ecs:UpdateService", `${ecs}:service/prod/other`],
      ["iam:PassRole", `${taskRole}-of-others`, "ecs-tasks.amazonaws.com"],
      ["iam:PassRole", taskRole, "lambda.amazonaws.com"],
    ],
  },
  {
    role: pipelineTriggerRole({ ...place, pipeline: "release" }),
    name: `service-role/cwe-role-${REGION}-release`,
    policies: [`start-pipeline-execution-${REGION}-release`],
    allowed: [["codepipeline:StartPipelineExecution", `arn:aws:codepipeline:${REGION}:${ACCOUNT}:release`]],
    denied: [["codepipeline:StartPipelineExecution", `arn:aws:codepipeline:${REGION}:${ACCOUNT}:other`]],
  },
  {
    role: ecsTaskExecutionRole(),
    name: "ecsTaskExecutionRole",
    policies: ["AmazonECSTaskExecutionRolePolicy"],
    allowed: [["ecr:BatchGetImage", "*"]],
    denied: [["ecr:PutImage", "*"]],
  },
  {
    role: codeDeployEcsRole(),
    name: "ecsCodeDeployRole",
    policies: ["AWSCodeDeployRoleForECS"],
    allowed: [["ecs:CreateTaskSet", "*"]],
    denied: [["ecs:DeleteCluster", "*"]],
  },
];

for (const { role, name, policies, allowed, denied } of roles) {
  test(`${role.service} gets ${role.name}, which may do its work and no more`, async () => {
    const arn = await createServiceRole(client, role);
    assert.equal(arn, `arn:aws:iam::${ACCOUNT}:role/${name}`);
    assert.equal(await createServiceRole(client, role), arn, "a second call finds everything there");
    const attached = await client.send(new iam.ListAttachedRolePoliciesCommand({ RoleName: role.name }));
    assert.deepEqual(attached.AttachedPolicies?.map(({ PolicyName }) => PolicyName).sort(), [...policies].sort());
    for (const one of allowed) assert.equal(await decision(arn, ...one), "allowed", one.join(" "));
    for (const one of denied) assert.notEqual(await decision(arn, ...one), "allowed", one.join(" "));
  });
}

test("a role or policy of the name that says something else is not touched", async () => {
  const role = ecsTaskExecutionRole();
  await assert.rejects(createServiceRole(client, { ...role, service: "codebuild.amazonaws.com" }), {
    name: "CreateServiceRoleError",
    message: /trusts somebody else/,
  });
  const trigger = pipelineTriggerRole({ ...place, pipeline: "release" });
  const wider = { ...trigger, policies: [{ name: trigger.policies[0]!.name, statements: [] }] };
  await assert.rejects(createServiceRole(client, wider), /MalformedPolicy|allows something else/);
});

test("an action that no policy is known for is refused before anything is made", () => {
  const actions = [{ provider: "Lambda" }];
  assert.throws(() => codePipelineRole({ ...place, pipeline: "p", artifactBucket: bucket, actions }), /Lambda/);
});
