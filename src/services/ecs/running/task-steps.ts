/** What is done in each status of a task. A step ends with the event that happened. */
import { Readable } from "node:stream";
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import { ContainerStartError, type GroupState } from "#engines/engine.ts";
import { caBundleTar, containerEnvironment } from "#gateway/container-environment.ts";
import type { System } from "#gateway/context.ts";
import { groupIdOf, type Task, type TaskContainer, type TaskDefinition, taskArn } from "../model.ts";
import type { TaskEvent } from "../states.ts";
import { certificateFolderTar } from "./certificate-folder.ts";
import { endedContainers, hasEssentialExit, observedContainers } from "./container-views.ts";
import { deadDependency, startable } from "./dependencies.ts";
import { RoleSession } from "./role-session.ts";
import { isRefusal } from "./service-errors.ts";
import { TargetSteps } from "./target-steps.ts";
import { CA_FOLDER, taskGroup } from "./task-group.ts";
import { pulledImages, releaseImages } from "./task-images.ts";
import { prepareLogStream, shipLogs } from "./task-logs.ts";
import { containersOf, executionRoleOf, isEssential, logDestination, taskRoleOf } from "./task-parts.ts";
import { TaskStartError } from "./task-start-error.ts";

export const TASKS_SERVICE = "ecs-tasks.amazonaws.com";
/** Looks again while a dependency may time out. */
const DEPENDENCY_LOOK_MS = 1_000;

interface Signals {
  /** Aborted when the task shall stop or Slipway does. */
  readonly stop: AbortSignal;
  /** Aborted when the task has ended or Slipway stops. */
  readonly end: AbortSignal;
}

interface Shipping {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export class TaskSteps {
  readonly #system: System;
  readonly #definition: TaskDefinition;
  readonly #signals: Signals;
  readonly #targets: TargetSteps;
  readonly #shipping = new Map<string, Shipping>();
  #executionRole: RoleSession | undefined;

  constructor(system: System, definition: TaskDefinition, signals: Signals) {
    this.#system = system;
    this.#definition = definition;
    this.#signals = signals;
    this.#targets = new TargetSteps(system, signals.end);
  }

  async next(task: Task): Promise<TaskEvent> {
    switch (task.lastStatus) {
      case "PROVISIONING":
        return this.#startingStep(task, () => this.#provision(task));
      case "PENDING":
        return this.#startingStep(task, () => this.#launch(task));
      case "ACTIVATING":
        return this.#startingStep(task, () => this.#activate(task));
      case "RUNNING":
        return this.#observe(task);
      case "DEACTIVATING":
        return this.#deactivate(task);
      case "STOPPING":
        return this.#end(task);
      case "DEPROVISIONING":
        await this.#system.engine.remove(groupIdOf(task.id));
        await releaseImages(this.#system, task);
        return { type: "removed" };
      case "STOPPED":
        throw new Error("A STOPPED task has nothing left to do");
    }
  }

  /** Waits for the readers of logs, which the signal has ended. */
  async close(): Promise<void> {
    await Promise.all([...this.#shipping.values()].map(({ done }) => done));
  }

  /** A step that a wish to stop interrupts, and that ends the task where the user must mend something. */
  async #startingStep(task: Task, step: () => Promise<TaskEvent>): Promise<TaskEvent> {
    if (task.desiredStatus === "STOPPED") return { type: "stop-requested" };
    try {
      return await step();
    } catch (error) {
      if (error instanceof TaskStartError) {
        return { type: "failed", stop: { code: "TaskFailedToStart", reason: error.message } };
      }
      if (this.#signals.stop.aborted) return { type: "stop-requested" };
      throw error;
    }
  }

  /** The roles must be there and trust ECS's tasks before anything is begun. */
  async #provision(task: Task): Promise<TaskEvent> {
    const { secrets } = containersOf(this.#definition, task).find((one) => one.secrets?.length) ?? {};
    const roles = [executionRoleOf(this.#definition, task), taskRoleOf(this.#definition, task)];
    for (const roleArn of roles) {
      if (!roleArn) continue;
      try {
        await this.#session(task, roleArn).client();
      } catch (error) {
        if (!isRefusal(error)) throw error;
        throw new TaskStartError(
          `ECS was unable to assume the role '${roleArn}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.`,
        );
      }
    }
    if (secrets) throw secretsUnavailable(secrets[0]?.valueFrom ?? "");
    return { type: "provisioned" };
  }

  async #launch(task: Task): Promise<TaskEvent> {
    const group = await this.#system.engine.state(groupIdOf(task.id));
    if (!group || task.document.pullStoppedAt === undefined) return this.#prepare(task);
    const containers = containersOf(this.#definition, task);
    this.#shipLogs(task, containers);
    const looking = new AbortController();
    const waits = containers.some(({ dependsOn }) => dependsOn?.length);
    const timer = waits ? setTimeout(() => looking.abort(), DEPENDENCY_LOOK_MS) : undefined;
    try {
      for await (const state of this.#watch(task, AbortSignal.any([this.#signals.stop, looking.signal]))) {
        const observed = observedContainers(task.document.containers, state);
        if (hasEssentialExit(containers, observed))
          return startFailure(observed) ?? { type: "exited", containers: observed };
        const dead = deadDependency(containers, state.containers, this.#system.clock.now());
        if (dead) throw new TaskStartError(dead);
        for (const name of startable(containers, state.containers)) await this.#start(task, containers, name);
        if (state.containers.every(({ status }) => status !== "created")) return await this.#launched(task, observed);
        if (differ(observed, task.document.containers)) return { type: "observed", containers: observed };
      }
    } finally {
      clearTimeout(timer);
    }
    if (this.#signals.stop.aborted) return { type: "stop-requested" };
    return { type: "observed", containers: task.document.containers };
  }

  /** Pulls images and creates the group; what is there already is found and kept. */
  async #prepare(task: Task): Promise<TaskEvent> {
    const { engine, clock } = this.#system;
    const startedAt = clock.now();
    const containers = containersOf(this.#definition, task);
    const images = await pulledImages(this.#system, containers, this.#role(task), this.#signals.stop);
    for (const container of containers) {
      const destination = logDestination(container, task);
      if (destination) await prepareLogStream(this.#requiredRole(task), destination);
    }
    const taskRole = taskRoleOf(this.#definition, task);
    const groupId = groupIdOf(task.id);
    const grant = taskRole && { ...this.#assumption(task, taskRole), groupId };
    const group = taskGroup(
      task,
      this.#definition,
      images,
      await containerEnvironment(this.#system, grant || undefined),
    );
    await engine.create(group);
    for (const { name, readonlyRootFilesystem } of group.containers) {
      if (readonlyRootFilesystem)
        await engine.copyIn(groupId, name, CA_FOLDER, await certificateFolderTar(this.#system));
      else await engine.copyIn(groupId, name, "/", Readable.from(await caBundleTar(this.#system)));
    }
    const digests = [...images].map(([name, { digest }]) => [name, digest] as const).filter(([, digest]) => digest);
    return { type: "pulled", digests: Object.fromEntries(digests) as Record<string, string>, startedAt };
  }

  async #start(task: Task, containers: readonly ContainerDefinition[], name: string): Promise<void> {
    try {
      await this.#system.engine.startContainer(groupIdOf(task.id), name);
    } catch (error) {
      if (!(error instanceof ContainerStartError)) throw error;
      const essential = containers.some((one) => one.name === name && isEssential(one));
      if (essential) throw new TaskStartError(`CannotStartContainerError: ${error.message}`);
    }
  }

  async #launched(task: Task, containers: readonly TaskContainer[]): Promise<TaskEvent> {
    const running = containers.some(({ lastStatus }) => lastStatus === "RUNNING");
    const port = this.#definition.document.containerDefinitions?.flatMap((one) => one.portMappings ?? [])[0]
      ?.containerPort;
    if (!running) return { type: "launched", containers };
    const { host } = await this.#system.engine.address(groupIdOf(task.id), port ?? 80);
    return { type: "launched", containers, privateIp: host };
  }

  async #activate(task: Task): Promise<TaskEvent> {
    const containers = containersOf(this.#definition, task);
    this.#shipLogs(task, containers);
    const observed = observedContainers(task.document.containers, await this.#system.engine.state(groupIdOf(task.id)));
    if (hasEssentialExit(containers, observed)) return { type: "exited", containers: observed };
    return { type: "registered", targets: await this.#targets.register(task) };
  }

  async #observe(task: Task): Promise<TaskEvent> {
    if (task.desiredStatus === "STOPPED") return { type: "stop-requested" };
    const containers = containersOf(this.#definition, task);
    if (!(await this.#system.engine.state(groupIdOf(task.id)))) {
      return { type: "exited", containers: observedContainers(task.document.containers, undefined) };
    }
    this.#shipLogs(task, containers);
    for await (const state of this.#watch(task, this.#signals.stop)) {
      const observed = observedContainers(task.document.containers, state);
      if (hasEssentialExit(containers, observed)) return { type: "exited", containers: observed };
      if (differ(observed, task.document.containers)) return { type: "observed", containers: observed };
    }
    this.#signals.end.throwIfAborted();
    if (this.#signals.stop.aborted) return { type: "stop-requested" };
    // The group was removed behind our back; the next look says so.
    return { type: "observed", containers: task.document.containers };
  }

  async #deactivate(task: Task): Promise<TaskEvent> {
    this.#shipLogs(task, containersOf(this.#definition, task));
    const serves = task.document.containers.some(({ lastStatus }) => lastStatus === "RUNNING");
    await this.#targets.deregister(task, { drain: serves });
    return { type: "drained" };
  }

  /** The last lines are stored before the containers are gone. */
  async #end(task: Task): Promise<TaskEvent> {
    const { engine } = this.#system;
    const groupId = groupIdOf(task.id);
    const known = task.document.containers;
    if (!(await engine.state(groupId))) return { type: "ended", containers: endedContainers(known, undefined) };
    this.#shipLogs(task, containersOf(this.#definition, task));
    await engine.stop(groupId);
    const group = await engine.state(groupId);
    for (const [name, { abort, done }] of this.#shipping) {
      // A container that never ran has no log that could end.
      if (group?.containers.find((one) => one.name === name)?.status === "created") abort.abort();
      await done;
    }
    return { type: "ended", containers: endedContainers(known, group) };
  }

  #watch(task: Task, signal: AbortSignal): AsyncIterable<GroupState> {
    return this.#system.engine.watch(groupIdOf(task.id), signal);
  }

  /** Once for each container, however often it is called. */
  #shipLogs(task: Task, containers: readonly ContainerDefinition[]): void {
    for (const container of containers) {
      const destination = logDestination(container, task);
      const name = container.name ?? "";
      if (!destination || this.#shipping.has(name)) continue;
      const abort = new AbortController();
      const signal = AbortSignal.any([this.#signals.end, abort.signal]);
      const shipment = { taskId: task.id, container: name, destination, role: this.#requiredRole(task) };
      this.#shipping.set(name, { abort, done: shipLogs(this.#system, shipment, signal) });
    }
  }

  #role(task: Task): RoleSession | undefined {
    const roleArn = executionRoleOf(this.#definition, task);
    if (roleArn) this.#executionRole ??= this.#session(task, roleArn);
    return this.#executionRole;
  }

  /** RegisterTaskDefinition refuses what needs a role and names none; an override may take it away again. */
  #requiredRole(task: Task): RoleSession {
    const role = this.#role(task);
    if (!role)
      throw new TaskStartError("ResourceInitializationError: the task has no execution role to write its log with");
    return role;
  }

  #session(task: Task, roleArn: string): RoleSession {
    return new RoleSession(this.#system, this.#assumption(task, roleArn));
  }

  #assumption(task: Task, roleArn: string) {
    const { accountId, region, cluster, id } = task;
    const sourceArn = taskArn(task, cluster, id);
    return { roleArn, service: TASKS_SERVICE, sessionName: id, accountId, region, sourceArn };
  }
}

const differ = (a: readonly TaskContainer[], b: readonly TaskContainer[]) => JSON.stringify(a) !== JSON.stringify(b);

/** An essential container whose program could not be started, met again after a restart. */
function startFailure(containers: readonly TaskContainer[]): TaskEvent | undefined {
  const reason = containers.find((one) => one.reason?.startsWith("CannotStartContainerError"))?.reason;
  return reason === undefined ? undefined : { type: "failed", stop: { code: "TaskFailedToStart", reason }, containers };
}

/** Neither Systems Manager nor Secrets Manager is built yet, so nothing can be retrieved from them. */
function secretsUnavailable(valueFrom: string): TaskStartError {
  const source = valueFrom.includes(":secretsmanager:") ? "secret from asm" : "secrets from ssm";
  return new TaskStartError(
    `ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ${source}: service call has been retried 1 time(s): UnknownOperationException: ${valueFrom} cannot be read, its service is not built in this version of Slipway`,
  );
}
