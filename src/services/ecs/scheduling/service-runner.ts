/** Looks at a service and its tasks, asks schedule.ts what shall happen, and makes it so in one transaction. */
import { randomBytes } from "node:crypto";
import type { System } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { FARGATE_PROVIDERS, type Service, serviceArn, type Task, type TaskDefinition, taskArn } from "../model.ts";
import { newTask } from "../new-task.ts";
import { taskHealth } from "../running/container-views.ts";
import { LoadBalancing } from "../running/load-balancing.ts";
import { TARGET_HEALTH_TOPIC } from "../running/target-steps.ts";
import { SERVICE_TOPIC, SERVICE_WORK, TASK_TOPIC, TASK_WORK } from "../running/task-runner.ts";
import { findServiceById, insertServiceEvents, servicesMentioning, updateService } from "../store/services.ts";
import { putTags, tagsOf } from "../store/tags.ts";
import { findTaskDefinition } from "../store/task-definitions.ts";
import { insertTask, listServiceTasks, markAccounted, requestStop } from "../store/tasks.ts";
import { parsedTaskDefinition } from "../task-definition-reference.ts";
import { deploymentId } from "./deployments.ts";
import { type Plan, schedule, type TargetView, type TaskView } from "./schedule.ts";
import { serviceEvents } from "./service-events.ts";

export function registerServiceRunner(system: System): void {
  system.work.register(SERVICE_WORK, async ({ id }) => {
    const service = await findServiceById(system.db, id);
    if (!service || service.status === "INACTIVE") return "done";
    // A session a pass: a role that was deleted and made anew takes effect at once.
    return pass(system, service, new LoadBalancing(system, service));
  });
  system.bus.subscribe(TARGET_HEALTH_TOPIC, (targetGroupArn) => {
    wakeServicesOf(system, targetGroupArn).catch((error: unknown) =>
      system.log("warn", "could not wake services of a target group", { error: String(error) }),
    );
  });
}

async function wakeServicesOf(system: System, targetGroupArn: string): Promise<void> {
  if (!targetGroupArn) return;
  for (const id of await servicesMentioning(system.db, targetGroupArn)) {
    await system.work.schedule(system.db, SERVICE_WORK, id);
  }
  system.work.wake();
}

async function pass(system: System, service: Service, balancing: LoadBalancing): Promise<Date> {
  const tasks = await listServiceTasks(system.db, service.id);
  const definitions = new Map<string, TaskDefinition>();
  for (const name of [service.document.taskDefinition, ...tasks.map((task) => task.document.taskDefinition)]) {
    if (!definitions.has(name)) definitions.set(name, await definitionOf(system.db, service, name));
  }
  const views: TaskView[] = [];
  for (const task of tasks) views.push(await taskView(balancing, task, definitions.get(task.document.taskDefinition)!));
  const now = system.clock.now();
  const plan = schedule({
    service,
    tasks: views,
    placeable: isPlaceable(service),
    now: now.getTime(),
    freshDeploymentId: deploymentId(randomBytes(8)),
  });
  const changed = await carryOut(system, service, plan, now);
  // Somebody changed the service meanwhile: what was decided is stale, so look again.
  if (!changed) return new Date(0);
  for (const { taskId } of plan.stops) system.bus.publish(TASK_TOPIC, taskArn(service, service.cluster, taskId));
  system.bus.publish(SERVICE_TOPIC, serviceArn(service, service.cluster, service.name));
  system.work.wake();
  return new Date(plan.lookAgainAt);
}

/** Fargate is what Slipway has; with EC2 or EXTERNAL there is no container instance to place a task on. */
function isPlaceable({ document }: Service): boolean {
  if (document.launchType !== undefined) return document.launchType === "FARGATE";
  const providers = document.capacityProviderStrategy ?? [];
  return providers.some(({ capacityProvider = "" }) =>
    (FARGATE_PROVIDERS as readonly string[]).includes(capacityProvider),
  );
}

async function definitionOf(db: Database, service: Service, reference: string): Promise<TaskDefinition> {
  const { family, revision } = parsedTaskDefinition(service, reference)!;
  const definition = await findTaskDefinition(db, service, family, revision);
  if (!definition) throw new Error(`The definition ${reference} of service ${service.name} is gone`);
  return definition;
}

async function taskView(balancing: LoadBalancing, task: Task, definition: TaskDefinition): Promise<TaskView> {
  const { document } = task;
  return {
    id: task.id,
    deploymentId: document.deploymentId,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    stopCode: task.stop?.code,
    stoppedReason: task.stop?.reason,
    startedAt: document.startedAt,
    health: taskHealth(definition.document.containerDefinitions ?? [], document.containers),
    targets: task.lastStatus === "RUNNING" ? await targetViews(balancing, task) : [],
  };
}

async function targetViews(balancing: LoadBalancing, task: Task): Promise<TargetView[]> {
  const views: TargetView[] = [];
  for (const target of task.document.targets) {
    const health = await balancing.health(target);
    const { targetGroupArn, port } = target;
    views.push({ targetGroupArn, port, state: health?.State ?? "unused", description: health?.Description });
  }
  return views;
}

/** False where the service has been written since it was read; then nothing is changed. */
async function carryOut(system: System, service: Service, plan: Plan, now: Date): Promise<boolean> {
  return inTransaction(system.db, async (trx) => {
    if (!(await updateService(trx, service, { status: plan.status, document: plan.document }))) return false;
    await markAccounted(trx, plan.accounted);
    for (const { taskId, stop } of plan.stops) await requestStop(trx, taskId, stop);
    const started = await launch(system, trx, { ...service, document: plan.document }, plan.launches, now);
    const events = started.length > 0 ? [serviceEvents.started(service.name, started), ...plan.events] : plan.events;
    await insertServiceEvents(trx, service.id, events, now);
    return true;
  });
}

async function launch(system: System, trx: Database, service: Service, count: number, now: Date): Promise<string[]> {
  const { document, cluster, name } = service;
  if (count === 0) return [];
  const definition = await definitionOf(trx, service, document.taskDefinition);
  const tags = await propagatedTags(trx, service);
  const primary = document.deployments[0]!;
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const task = newTask(
      service,
      {
        cluster,
        definition,
        group: `service:${name}`,
        startedBy: primary.id,
        serviceId: service.id,
        deploymentId: primary.id,
        capacityProvider: document.launchType ? undefined : document.capacityProviderStrategy?.[0]?.capacityProvider,
        networkConfiguration: document.networkConfiguration,
        loadBalancers: document.loadBalancers,
      },
      now,
    );
    await insertTask(trx, task);
    await putTags(trx, taskArn(service, cluster, task.id), tags);
    await system.work.schedule(trx, TASK_WORK, task.id);
    ids.push(task.id);
  }
  return ids;
}

async function propagatedTags(trx: Database, service: Service) {
  const { propagateTags, enableECSManagedTags, taskDefinition } = service.document;
  const from = propagateTags === "SERVICE" ? serviceArn(service, service.cluster, service.name) : taskDefinition;
  const tags = propagateTags === "NONE" ? [] : ((await tagsOf(trx, [from])).get(from) ?? []);
  const managed = [
    { key: "aws:ecs:clusterName", value: service.cluster },
    { key: "aws:ecs:serviceName", value: service.name },
  ];
  return enableECSManagedTags ? [...tags, ...managed] : tags;
}
