/** Tasks: describing, listing and stopping. */
import type * as sdk from "@aws-sdk/client-ecs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { invalidParameter } from "../errors.ts";
import {
  clusterContext,
  containerInstanceResource,
  findTask,
  requireCluster,
  requireService,
  requireTask,
  taskResource,
} from "../lookup.ts";
import { type Task, taskArn } from "../model.ts";
import { page } from "../paging.ts";
import { SERVICE_WORK, TASK_TOPIC, TASK_WORK } from "../running/task-runner.ts";
import { tagsOf } from "../store/tags.ts";
import { findTaskDefinition } from "../store/task-definitions.ts";
import { listTasks, requestStop } from "../store/tasks.ts";
import { parsedTaskDefinition } from "../task-definition-reference.ts";
import { taskView } from "../task-view.ts";

const MAX_DESCRIBED = 100;

export const DescribeTasks: OperationOf<sdk.DescribeTasksCommand> = {
  authorize: {
    action: "ecs:DescribeTasks",
    resources: (input, call) => input.tasks!.map((one) => taskResource(call, input.cluster, one)),
    context: clusterContext,
  },
  async run(input, call) {
    const references = input.tasks!;
    if (references.length === 0) throw invalidParameter("Tasks cannot be empty.");
    if (references.length > MAX_DESCRIBED) throw invalidParameter("Tasks cannot have more than 100 elements.");
    const cluster = await requireCluster(call, input.cluster);
    const tasks: sdk.Task[] = [];
    const failures: sdk.Failure[] = [];
    for (const reference of references) {
      const task = await findTask(call, cluster, reference);
      if (task) tasks.push(await describedTask(call, task, input.include ?? []));
      else failures.push({ arn: taskResource(call, cluster.name, reference), reason: "MISSING" });
    }
    return { tasks, failures };
  },
};

export const ListTasks: OperationOf<sdk.ListTasksCommand> = {
  authorize: {
    action: "ecs:ListTasks",
    resources: (input, call) => [containerInstanceResource(call, input.cluster, input.containerInstance)],
    context: clusterContext,
  },
  async run(input, call) {
    const { family, serviceName, startedBy, launchType, desiredStatus = "RUNNING" } = input;
    const cluster = await requireCluster(call, input.cluster);
    const service = serviceName ? await requireService(call, cluster, serviceName) : undefined;
    // No task runs on a container instance.
    const all = input.containerInstance ? [] : await listTasks(call.db, call, cluster.name);
    const arns = all
      .filter(
        (task) =>
          task.desiredStatus === desiredStatus &&
          (!family || task.family === family) &&
          (!service || task.serviceId === service.id) &&
          (!startedBy || task.startedBy === startedBy) &&
          (!launchType || task.launchType === launchType),
      )
      .map((task) => taskArn(call, cluster.name, task.id));
    const purpose = `tasks/${JSON.stringify([cluster.name, family, serviceName, startedBy, launchType, desiredStatus])}`;
    const { items, nextToken } = page(purpose, arns, (arn) => arn, input);
    return { taskArns: [...items], nextToken };
  },
};

export const StopTask: OperationOf<sdk.StopTaskCommand> = {
  authorize: {
    action: "ecs:StopTask",
    resources: (input, call) => [taskResource(call, input.cluster, input.task)],
    context: clusterContext,
  },
  async run(input, call) {
    const cluster = await requireCluster(call, input.cluster);
    const task = await requireTask(call, cluster, input.task!);
    const stop = { code: "UserInitiated" as const, reason: input.reason ?? "Task stopped by user" };
    await inTransaction(call.db, async (trx) => {
      if (!(await requestStop(trx, task.id, stop))) return;
      await call.system.work.schedule(trx, TASK_WORK, task.id);
      if (task.serviceId) await call.system.work.schedule(trx, SERVICE_WORK, task.serviceId);
    });
    call.system.bus.publish(TASK_TOPIC, taskArn(call, cluster.name, task.id));
    call.system.work.wake();
    const stopping = await requireTask(call, cluster, task.id);
    return { task: await describedTask(call, stopping, ["TAGS"]) };
  },
};

async function describedTask(call: Call, task: Task, include: readonly string[]): Promise<sdk.Task> {
  const { family, revision } = parsedTaskDefinition(task, task.document.taskDefinition)!;
  const definition = await findTaskDefinition(call.db, task, family, revision);
  if (!definition) throw new Error(`The definition ${task.document.taskDefinition} is gone`);
  const arn = taskArn(task, task.cluster, task.id);
  const tags = include.includes("TAGS") ? (await tagsOf(call.db, [arn])).get(arn) : undefined;
  return taskView(task, definition, tags);
}
