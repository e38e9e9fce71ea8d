/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html */
import type * as sdk from "@aws-sdk/client-ecs";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { namedTaskDefinition, runTaskKeys, tagging } from "../condition-keys.ts";
import { invalidParameter, tokenConflict } from "../errors.ts";
import { isFargateSize } from "../fargate-size.ts";
import { requireCluster, requireTaskDefinition, taskResource } from "../lookup.ts";
import { type Task, type TaskDefinition, taskArn, taskDefinitionArn } from "../model.ts";
import { newTask } from "../new-task.ts";
import { TASK_TOPIC, TASK_WORK } from "../running/task-runner.ts";
import { TASKS_SERVICE } from "../running/task-steps.ts";
import { requestedCapacity, requireBuiltService, requireNetwork, requirePlatform } from "../service-rules.ts";
import { findTokenUse, putTokenUse, requestDigest } from "../store/client-tokens.ts";
import { putTags, tagsOf } from "../store/tags.ts";
import { findTaskById, insertTask } from "../store/tasks.ts";
import { checkedTags } from "../tag-rules.ts";
import { taskView } from "../task-view.ts";

type Input = sdk.RunTaskCommandInput;
const MAX_COUNT = 10;

export const RunTask: OperationOf<sdk.RunTaskCommand> = {
  authorize: {
    action: "ecs:RunTask",
    resources: (input, call) => [namedTaskDefinition(call, input.taskDefinition!)],
    context: runTaskKeys,
    additional: (input, call) => tagging("RunTask", input, [taskResource(call, input.cluster, "*")]),
  },
  async run(input, call) {
    requireBuiltService(input);
    const cluster = await requireCluster(call, input.cluster);
    const definition = await requireTaskDefinition(call, input.taskDefinition!);
    await requirePassRole(input, definition, call);
    const count = input.count ?? 1;
    if (count < 1 || count > MAX_COUNT) throw invalidParameter("Count must be between 1 and 10.");
    requireOverrides(input.overrides, definition);
    const capacity = requestedCapacity(input, cluster, definition);
    if (!capacity.isFargate) throw invalidParameter("No Container Instances were found in your cluster.");
    requirePlatform(input.platformVersion);
    requireNetwork(input.networkConfiguration, definition);
    const tags = await taskTags(input, definition, cluster.name, call);

    const request = requestDigest(input);
    const used = input.clientToken ? await findTokenUse(call.db, call, input.clientToken, call.now) : undefined;
    if (used && used.request !== request) throw tokenConflict([...used.result]);
    const tasks = used
      ? await knownTasks(call, used.result)
      : Array.from({ length: count }, () =>
          newTask(
            call,
            {
              cluster: cluster.name,
              definition,
              group: input.group ?? `family:${definition.family}`,
              startedBy: input.startedBy,
              capacityProvider: capacity.capacityProviderStrategy?.[0]?.capacityProvider,
              overrides: input.overrides,
              networkConfiguration: input.networkConfiguration,
            },
            call.now,
          ),
        );
    if (!used) await started(call, tasks, tags, input.clientToken, request);
    return { tasks: tasks.map((task) => taskView(task, definition, tags)), failures: [] };
  },
};

async function started(
  call: Call,
  tasks: readonly Task[],
  tags: readonly sdk.Tag[],
  token: string | undefined,
  request: string,
): Promise<void> {
  await inTransaction(call.db, async (trx) => {
    for (const task of tasks) {
      await insertTask(trx, task);
      await putTags(trx, taskArn(task, task.cluster, task.id), tags);
      await call.system.work.schedule(trx, TASK_WORK, task.id);
    }
    if (token) await putTokenUse(trx, call, token, { request, result: tasks.map(({ id }) => id) }, call.now);
  });
  for (const task of tasks) call.system.bus.publish(TASK_TOPIC, taskArn(task, task.cluster, task.id));
  call.system.work.wake();
}

async function knownTasks(call: Call, ids: readonly string[]): Promise<Task[]> {
  const tasks = await Promise.all(ids.map((id) => findTaskById(call.db, id)));
  return tasks.filter((task) => task !== undefined);
}

/** Whoever runs a task hands its roles to ECS: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html */
async function requirePassRole(input: Input, { document }: TaskDefinition, call: Call): Promise<void> {
  const taskRole = input.overrides?.taskRoleArn ?? document.taskRoleArn;
  const executionRole = input.overrides?.executionRoleArn ?? document.executionRoleArn;
  for (const resource of [taskRole, executionRole]) {
    if (!resource) continue;
    await requireAccess(call, { action: "iam:PassRole", resource, context: { "iam:passedtoservice": TASKS_SERVICE } });
  }
}

function requireOverrides(overrides: sdk.TaskOverride | undefined, { document }: TaskDefinition): void {
  const names = document.containerDefinitions?.map(({ name }) => name) ?? [];
  for (const { name, environmentFiles, resourceRequirements } of overrides?.containerOverrides ?? []) {
    if (!names.includes(name)) {
      throw invalidParameter(`Override for container named ${name} is not a container in the TaskDefinition.`);
    }
    if (environmentFiles?.length || resourceRequirements?.length) {
      throw invalidParameter("environmentFiles and resourceRequirements are not supported in this version of Slipway.");
    }
  }
  const cpu = Number(overrides?.cpu ?? document.cpu);
  const memory = Number(overrides?.memory ?? document.memory);
  if ((overrides?.cpu || overrides?.memory) && !isFargateSize(cpu, memory)) {
    throw invalidParameter("No Fargate configuration exists for given values.");
  }
}

async function taskTags(input: Input, definition: TaskDefinition, cluster: string, call: Call): Promise<sdk.Tag[]> {
  const own = checkedTags(input.tags);
  if (input.propagateTags === "SERVICE")
    throw invalidParameter("Tasks that are run on their own have no service to take tags from.");
  const arn = taskDefinitionArn(call, definition.family, definition.revision);
  const inherited = input.propagateTags === "TASK_DEFINITION" ? ((await tagsOf(call.db, [arn])).get(arn) ?? []) : [];
  const managed = input.enableECSManagedTags ? [{ key: "aws:ecs:clusterName", value: cluster }] : [];
  const ownKeys = new Set(own.map(({ key }) => key));
  return [...inherited.filter(({ key }) => !ownKeys.has(key)), ...own, ...managed];
}
