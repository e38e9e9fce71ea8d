/** What a task's definition and its overrides come to. */
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import type { Task, TaskDefinition } from "../model.ts";

/** The definition's containers with the task's overrides applied. */
export function containersOf(definition: TaskDefinition, task: Task): readonly ContainerDefinition[] {
  const overrides = task.document.overrides.containerOverrides ?? [];
  return (definition.document.containerDefinitions ?? []).map((container) => {
    const override = overrides.find(({ name }) => name === container.name);
    if (!override) return container;
    const names = new Set(override.environment?.map(({ name }) => name));
    return {
      ...container,
      ...(override.command && { command: override.command }),
      ...(override.cpu !== undefined && { cpu: override.cpu }),
      ...(override.memory !== undefined && { memory: override.memory }),
      ...(override.memoryReservation !== undefined && { memoryReservation: override.memoryReservation }),
      environment: [
        ...(container.environment ?? []).filter(({ name }) => !names.has(name)),
        ...(override.environment ?? []),
      ],
    };
  });
}

export const isEssential = (container: ContainerDefinition) => container.essential !== false;

export function executionRoleOf(definition: TaskDefinition, task: Task): string | undefined {
  return task.document.overrides.executionRoleArn ?? definition.document.executionRoleArn;
}

export function taskRoleOf(definition: TaskDefinition, task: Task): string | undefined {
  return task.document.overrides.taskRoleArn ?? definition.document.taskRoleArn;
}

/** The container's stream in its log group: `prefix/container/task-id`. */
export interface LogDestination {
  readonly group: string;
  readonly stream: string;
  readonly region: string;
  readonly createGroup: boolean;
}

/**
 * undefined where the container has no awslogs configuration.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
 */
export function logDestination(container: ContainerDefinition, task: Task): LogDestination | undefined {
  const { logDriver, options = {} } = container.logConfiguration ?? {};
  if (logDriver !== "awslogs") return undefined;
  const prefix = options["awslogs-stream-prefix"];
  return {
    group: options["awslogs-group"] ?? "",
    stream: prefix ? `${prefix}/${container.name}/${task.id}` : `${task.id}-${container.name}`,
    region: options["awslogs-region"] ?? task.region,
    createGroup: options["awslogs-create-group"] === "true",
  };
}
