/** ECS for tests: an account with roles, a log group and a repository's image, on an engine of the test's choice. */
import { CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as sdk from "@aws-sdk/client-ecs";
import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";

export const IMAGE = "example.test/app:1";
export const SUBNETS = ["subnet-0a1b2c3d"];
export const NETWORK: sdk.NetworkConfiguration = { awsvpcConfiguration: { subnets: SUBNETS } };

const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** A role that ECS's tasks may assume, allowed these actions on everything. Answers its ARN. */
export async function aTaskRole(client: Client, name: string, actions: readonly string[]): Promise<string> {
  const { Role } = await client.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: TRUST }));
  if (actions.length > 0) {
    const statement = { Effect: "Allow", Action: actions, Resource: "*" };
    const document = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await client.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "p", PolicyDocument: document }));
  }
  return Role!.Arn!;
}

export const EXECUTION_ACTIONS = [
  "ecr:GetAuthorizationToken",
  "ecr:BatchCheckLayerAvailability",
  "ecr:GetDownloadUrlForLayer",
  "ecr:BatchGetImage",
  "logs:CreateLogStream",
  "logs:PutLogEvents",
];

export async function aLogGroup(client: Client, logGroupName = "app"): Promise<void> {
  await client.send(new CreateLogGroupCommand({ logGroupName }));
}

export const awslogs = (group = "app"): sdk.LogConfiguration => ({
  logDriver: "awslogs",
  options: { "awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web" },
});

/** Fargate, one container `app` of IMAGE. */
export function aDefinition(
  change: Partial<sdk.RegisterTaskDefinitionCommandInput> = {},
  container: Partial<sdk.ContainerDefinition> = {},
): sdk.RegisterTaskDefinitionCommandInput {
  return {
    family: "app",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    containerDefinitions: [{ name: "app", image: IMAGE, portMappings: [{ containerPort: 4567 }], ...container }],
    ...change,
  };
}

/** A cluster "default" and the definition; answers the definition's ARN. */
export async function registered(
  client: Client,
  change?: Partial<sdk.RegisterTaskDefinitionCommandInput>,
  container?: Partial<sdk.ContainerDefinition>,
): Promise<string> {
  await client.send(new sdk.CreateClusterCommand({}));
  const command = new sdk.RegisterTaskDefinitionCommand(aDefinition(change, container));
  return (await client.send(command)).taskDefinition!.taskDefinitionArn!;
}

/** Runs one task of the definition and answers it. */
export async function aTask(client: Client, input: Partial<sdk.RunTaskCommandInput> = {}): Promise<sdk.Task> {
  const command = new sdk.RunTaskCommand({
    taskDefinition: "app",
    launchType: "FARGATE",
    networkConfiguration: NETWORK,
    ...input,
  });
  return (await client.send(command)).tasks![0]!;
}

export async function aService(
  client: Client,
  input: Partial<sdk.CreateServiceCommandInput> = {},
): Promise<sdk.Service> {
  const command = new sdk.CreateServiceCommand({
    serviceName: "web",
    taskDefinition: "app",
    desiredCount: 1,
    launchType: "FARGATE",
    networkConfiguration: NETWORK,
    ...input,
  });
  return (await client.send(command)).service!;
}

export async function describedTask(client: Client, { taskArn }: sdk.Task): Promise<sdk.Task> {
  const { tasks } = await client.send(new sdk.DescribeTasksCommand({ tasks: [taskArn!] }));
  return tasks![0]!;
}

export async function describedService(client: Client, name = "web"): Promise<sdk.Service> {
  const { services } = await client.send(new sdk.DescribeServicesCommand({ services: [name] }));
  return services![0]!;
}

/** All of the service's that are meant to run. */
export async function runningTasks(client: Client, serviceName = "web"): Promise<sdk.Task[]> {
  const { taskArns } = await client.send(new sdk.ListTasksCommand({ serviceName }));
  if (taskArns!.length === 0) return [];
  return (await client.send(new sdk.DescribeTasksCommand({ tasks: taskArns! }))).tasks!;
}

/** The engine's group behind a task. */
export const groupOf = ({ taskArn = "" }: sdk.Task) => `ecs-${taskArn.slice(taskArn.lastIndexOf("/") + 1)}`;
