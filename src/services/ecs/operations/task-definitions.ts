/** Task definitions after they are registered. */
import type * as sdk from "@aws-sdk/client-ecs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { clientError, invalidParameter, noTaskDefinition } from "../errors.ts";
import { type TaskDefinition, taskDefinitionArn } from "../model.ts";
import { page } from "../paging.ts";
import { tagsOf } from "../store/tags.ts";
import {
  findTaskDefinition,
  type Listed,
  listTaskDefinitions,
  updateTaskDefinition,
} from "../store/task-definitions.ts";
import { parsedTaskDefinition } from "../task-definition-reference.ts";

export const DescribeTaskDefinition: OperationOf<sdk.DescribeTaskDefinitionCommand> = {
  authorize: { action: "ecs:DescribeTaskDefinition", resources: () => ["*"] },
  async run(input, call) {
    const definition = await find(call, input.taskDefinition!);
    if (!definition) throw noTaskDefinition();
    const arn = taskDefinitionArn(call, definition.family, definition.revision);
    const tags = input.include?.includes("TAGS") ? ((await tagsOf(call.db, [arn])).get(arn) ?? []) : [];
    return { taskDefinition: taskDefinitionView(definition), tags };
  },
};

export const ListTaskDefinitions: OperationOf<sdk.ListTaskDefinitionsCommand> = {
  authorize: { action: "ecs:ListTaskDefinitions", resources: () => ["*"] },
  async run(input, call) {
    const { familyPrefix, status = "ACTIVE", sort } = input;
    const all = await listTaskDefinitions(call.db, call);
    const wanted = all.filter((one) => one.status === status && (!familyPrefix || one.family === familyPrefix));
    const arns = wanted.map(({ family, revision }) => taskDefinitionArn(call, family, revision));
    if (sort === "DESC") arns.reverse();
    const purpose = `task-definitions/${familyPrefix ?? ""}/${status}/${sort ?? "ASC"}`;
    const { items, nextToken } = page(purpose, arns, (arn) => arn, input);
    return { taskDefinitionArns: [...items], nextToken };
  },
};

export const ListTaskDefinitionFamilies: OperationOf<sdk.ListTaskDefinitionFamiliesCommand> = {
  authorize: { action: "ecs:ListTaskDefinitionFamilies", resources: () => ["*"] },
  async run(input, call) {
    const { familyPrefix = "", status = "ALL" } = input;
    const families = Map.groupBy(await listTaskDefinitions(call.db, call), ({ family }) => family);
    const wanted = [...families]
      .filter(([family, revisions]) => family.startsWith(familyPrefix) && isOfStatus(revisions, status))
      .map(([family]) => family);
    const { items, nextToken } = page(`families/${familyPrefix}/${status}`, wanted, (family) => family, input);
    return { families: [...items], nextToken };
  },
};

/** A family is ACTIVE while any of its revisions is. */
function isOfStatus(revisions: readonly Listed[], status: string): boolean {
  if (status === "ALL") return true;
  return revisions.some((one) => one.status === "ACTIVE") === (status === "ACTIVE");
}

export const DeregisterTaskDefinition: OperationOf<sdk.DeregisterTaskDefinitionCommand> = {
  authorize: { action: "ecs:DeregisterTaskDefinition", resources: () => ["*"] },
  async run(input, call) {
    const parsed = parsedTaskDefinition(call, input.taskDefinition!);
    if (parsed && parsed.revision === undefined) throw invalidParameter("Missing revision number");
    const definition = await find(call, input.taskDefinition!);
    if (!definition) throw clientError("The specified task definition does not exist.");
    if (definition.status !== "ACTIVE") return { taskDefinition: taskDefinitionView(definition) };
    const change = { status: "INACTIVE" as const, deregisteredAt: call.now.getTime() };
    await updateTaskDefinition(call.db, definition, change);
    return { taskDefinition: taskDefinitionView({ ...definition, ...change }) };
  },
};

/** Deleted definitions stay for the services and tasks that use them. */
export const DeleteTaskDefinitions: OperationOf<sdk.DeleteTaskDefinitionsCommand> = {
  authorize: {
    action: "ecs:DeleteTaskDefinitions",
    resources: (input, call) =>
      input.taskDefinitions!.map((one) =>
        one.startsWith("arn:") ? one : taskDefinitionArn(call, ...(one.split(":") as [string, string])),
      ),
  },
  async run(input, call) {
    const references = input.taskDefinitions!;
    if (references.length > 10) throw invalidParameter("A maximum of 10 task definitions can be deleted at once.");
    const deleted: sdk.TaskDefinition[] = [];
    const failures: sdk.Failure[] = [];
    for (const reference of references) {
      const definition = /:\d+$/.test(reference) ? await find(call, reference) : undefined;
      if (!definition) {
        failures.push({ arn: reference, reason: "The specified task definition does not exist." });
      } else if (definition.status === "ACTIVE") {
        const reason =
          "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";
        failures.push({ arn: reference, reason });
      } else {
        await updateTaskDefinition(call.db, definition, { status: "DELETE_IN_PROGRESS" });
        deleted.push(taskDefinitionView({ ...definition, status: "DELETE_IN_PROGRESS" }));
      }
    }
    return { taskDefinitions: deleted, failures };
  },
};

async function find(call: Call, reference: string): Promise<TaskDefinition | undefined> {
  const parsed = parsedTaskDefinition(call, reference);
  return parsed && findTaskDefinition(call.db, call, parsed.family, parsed.revision);
}

export function taskDefinitionView(definition: TaskDefinition): sdk.TaskDefinition {
  const { family, revision, deregisteredAt } = definition;
  return {
    taskDefinitionArn: taskDefinitionArn(definition, family, revision),
    ...definition.document,
    revision,
    status: definition.status,
    registeredAt: new Date(definition.registeredAt),
    registeredBy: definition.registeredBy,
    ...(deregisteredAt !== undefined && { deregisteredAt: new Date(deregisteredAt) }),
  };
}
