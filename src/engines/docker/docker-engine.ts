/**
 * The engine interface on a Docker Engine, 20.10 (API 1.41) or later. A group of one is one container on the `slipway`
 * network; the containers of a larger group join the network namespace of a tiny container that only owns it.
 */
import { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import type { ContainerCreateOptions, ContainerInfo, ContainerInspectInfo, VolumeList } from "#docker/types.ts";
import {
  ContainerStartError,
  type Engine,
  type EngineImage,
  type ExecResult,
  GroupNotFoundError,
  type GroupSpec,
  type GroupState,
  ImageUnavailableError,
  type LogLine,
  type RegistryCredentials,
} from "#engines/engine.ts";
import { putFiles, takeFiles } from "./archive.ts";
import { type FailedStarts, followedStates } from "./changes.ts";
import { containerOptions, namespaceOwnerOptions, ownsItsNetwork } from "./container-options.ts";
import { groupState, isOver } from "./container-state.ts";
import { DockerClient, refusalStatus, type SocketPath } from "./docker-client.ts";
import { executed } from "./exec.ts";
import { Images } from "./images.ts";
import { followedLines } from "./logs.ts";
import { assertValidGroup, containerName, groupFilter, type Labels, labelFilter, labelNames } from "./names.ts";
import { GroupNetwork, gatewayAddress, networkName } from "./network.ts";
import { createContainer, createPauseContainer } from "./pause-image.ts";
import { Privileges } from "./privileges.ts";

interface Host {
  readonly version: string;
  readonly cpus: number;
  readonly memoryMiB: number;
}

export interface DockerEngineOptions {
  /** undefined: what DOCKER_HOST says, else the platform's default socket. */
  readonly socketPath?: SocketPath;
  /** This Slipway's id, `[a-z0-9-]+`: a label on everything, so that two on one daemon do not see each other's groups. */
  readonly instance: string;
}

export class DockerEngine implements Engine {
  readonly name = "docker";
  readonly #instance: string;
  readonly #client: DockerClient;
  readonly #images: Images;
  readonly #network: GroupNetwork;
  readonly #privileges: Privileges;
  readonly #failedStarts: FailedStarts = new EventEmitter();
  /** Starts under way, by container: two at the same time must not become two runs. */
  readonly #starts = new Map<string, Promise<void>>();
  #host: Promise<Host> | undefined;

  constructor({ socketPath, instance }: DockerEngineOptions) {
    if (!/^[a-z0-9-]+$/.test(instance)) throw new Error(`Instance ${instance} is not of the form [a-z0-9-]+`);
    this.#instance = instance;
    this.#client = new DockerClient(socketPath);
    this.#images = new Images(this.#client);
    this.#network = new GroupNetwork(this.#client);
    this.#privileges = new Privileges(this.#client);
    this.#failedStarts.setMaxListeners(0);
  }

  async check(): Promise<Host> {
    const info = await this.#client.call((docker) =>
      docker.get<{ ServerVersion: string; NCPU: number; MemTotal: number }>("/info"),
    );
    return { version: info.ServerVersion, cpus: info.NCPU, memoryMiB: Math.floor(info.MemTotal / 1024 / 1024) };
  }

  async gateway(port: number): Promise<{ host: string; port: number; listenAddresses: readonly string[] }> {
    await this.#network.ready();
    return { host: gatewayAddress, port, listenAddresses: [gatewayAddress] };
  }

  image(reference: string): Promise<EngineImage | undefined> {
    return this.#images.find(reference);
  }

  pull(reference: string, options?: { credentials?: RegistryCredentials; signal?: AbortSignal }): Promise<EngineImage> {
    return this.#images.pull(reference, options);
  }

  untag(reference: string): Promise<void> {
    return this.#images.untag(reference);
  }

  async create(group: GroupSpec): Promise<void> {
    assertValidGroup(group);
    const isPrivileged = group.containers.some((container) => container.privileged);
    const [{ cpus }, privileges] = await Promise.all([
      this.#knownHost(),
      isPrivileged ? this.#privileges.hostConfig() : undefined,
      this.#network.ready(),
    ]);
    const host = { instance: this.#instance, cpus, privileges };
    try {
      if (!ownsItsNetwork(group)) await this.#createNamespaceOwner(group);
      const creations = group.containers.map((spec) => this.#createContainer(containerOptions(group, spec, host)));
      // All must have ended before a failure of one is cleaned up after.
      const failure = (await Promise.allSettled(creations)).find((creation) => creation.status === "rejected");
      if (failure !== undefined) throw failure.reason;
    } catch (error) {
      // What is incomplete was never started, whichever process began it.
      await this.remove(group.id);
      throw error;
    }
  }

  startContainer(groupId: string, container: string): Promise<void> {
    const name = containerName(this.#instance, groupId, container);
    const started = this.#starts.get(name) ?? this.#startOnce(groupId, name).finally(() => this.#starts.delete(name));
    this.#starts.set(name, started);
    return started;
  }

  async copyIn(groupId: string, container: string, path: string, tar: Readable): Promise<void> {
    const name = containerName(this.#instance, groupId, container);
    await inGroup(groupId, container, putFiles(this.#client, name, path, tar));
  }

  async copyOut(groupId: string, container: string, path: string): Promise<Readable> {
    const name = containerName(this.#instance, groupId, container);
    const files = await inGroup(groupId, container, takeFiles(this.#client, name, path));
    if (files !== undefined) return files;
    if ((await this.#inspect(name)) === undefined) throw missing(groupId, container);
    throw Object.assign(new Error(`No such file or directory in ${container}: ${path}`), { code: "ENOENT" });
  }

  exec(
    groupId: string,
    container: string,
    command: readonly string[],
    options?: { signal?: AbortSignal },
  ): Promise<ExecResult> {
    const name = containerName(this.#instance, groupId, container);
    return inGroup(groupId, container, executed(this.#client, name, command, options?.signal));
  }

  async state(groupId: string): Promise<GroupState | undefined> {
    const [group] = await this.#states(groupFilter(this.#instance, groupId));
    return group;
  }

  async *watch(groupId: string, signal: AbortSignal): AsyncGenerator<GroupState> {
    let found = false;
    const read = async () => {
      const state = await this.state(groupId);
      if (state === undefined && !found) throw missing(groupId);
      found = true;
      return state;
    };
    yield* followedStates({ ...this.#subject(groupId), read, isOver }, signal);
  }

  async *logs(
    groupId: string,
    container: string,
    { skip, signal }: { skip: number; signal?: AbortSignal },
  ): AsyncGenerator<LogLine> {
    const name = containerName(this.#instance, groupId, container);
    let found = false;
    const inspect = async () => {
      const inspected = await this.#inspect(name);
      if (inspected === undefined && !found) throw missing(groupId, container);
      found = true;
      return inspected;
    };
    const untilStarted = async (until: AbortSignal = new AbortController().signal) => {
      const isStarted = ({ State: state }: ContainerInspectInfo) => state.Status !== "created" || state.Error !== "";
      const states = followedStates({ ...this.#subject(groupId), read: inspect, isOver: isStarted }, until);
      for await (const _ of states);
    };
    yield* followedLines({ client: this.#client, container: name, inspect, untilStarted }, skip, signal);
  }

  async address(groupId: string, port: number): Promise<{ host: string; port: number }> {
    const containers = await this.#containers(groupFilter(this.#instance, groupId));
    if (containers.length === 0) throw missing(groupId);
    const addresses = containers.map((container) => container.NetworkSettings.Networks[networkName]?.IPAddress);
    const host = addresses.find((address) => address !== undefined && address !== "");
    if (host === undefined) throw new Error(`Group ${groupId} has no address while none of its containers runs`);
    return { host, port };
  }

  async stop(groupId: string, options?: { timeoutSeconds?: number }): Promise<void> {
    const containers = await this.#containers(groupFilter(this.#instance, groupId));
    if (containers.length === 0) throw missing(groupId);
    await this.#stopAll(containers, options?.timeoutSeconds);
  }

  async remove(groupId: string): Promise<void> {
    const filter = groupFilter(this.#instance, groupId);
    const [containers, { Volumes: volumes }] = await Promise.all([
      this.#containers(filter),
      this.#client.call((docker) => docker.get<VolumeList>("/volumes", { query: { filters: { label: filter } } })),
    ]);
    await this.#stopAll(containers);
    await Promise.all(containers.map(({ Id: id }) => this.#removeContainer(id)));
    await Promise.all(
      (volumes ?? []).map(({ Name: volume }) =>
        tolerating([404], () => this.#client.call((docker) => docker.delete(`/volumes/${volume}`))),
      ),
    );
  }

  async recover(labels: Labels): Promise<readonly GroupState[]> {
    return await this.#states(labelFilter(this.#instance, labels));
  }

  #knownHost(): Promise<Host> {
    this.#host ??= this.check().catch((error) => {
      this.#host = undefined;
      throw error;
    });
    return this.#host;
  }

  /** Does nothing where the container exists: its name is the group's, so it is an earlier call's. */
  async #createContainer(options: ContainerCreateOptions): Promise<void> {
    try {
      await tolerating([409], () => createContainer(this.#client, options));
    } catch (error) {
      if (refusalStatus(error) !== 404) throw error;
      throw new ImageUnavailableError((error as Error).message, { cause: error });
    }
  }

  /** The owner runs from the beginning: it is the namespace, and joining it needs it to run. */
  async #createNamespaceOwner(group: GroupSpec): Promise<void> {
    const options = namespaceOwnerOptions(group, this.#instance);
    await tolerating([409], () => createPauseContainer(this.#client, options));
    await this.#startOnce(group.id, options.name!);
  }

  async #startOnce(groupId: string, name: string): Promise<void> {
    const container = await this.#inspect(name);
    if (container === undefined) throw missing(groupId, name);
    if (container.State.Status !== "created") return;
    const start = () => this.#client.call((docker) => docker.post(`/containers/${name}/start`));
    try {
      await start().catch(async (error) => {
        if (!isNetworkLoss(error)) throw error;
        this.#network.lost();
        await this.#network.ready();
        await start();
      });
    } catch (error) {
      this.#failedStarts.emit(groupId);
      if (refusalStatus(error) === undefined) throw error;
      throw new ContainerStartError((error as Error).message, { cause: error });
    }
  }

  /** Never-started containers stay as they are. The namespace's owner goes last and needs no time to end. */
  async #stopAll(containers: readonly ContainerInfo[], timeoutSeconds?: number): Promise<void> {
    const running = containers.filter((container) => container.State === "running");
    const owners = running.filter((container) => container.Labels[labelNames.container] === undefined);
    const members = running.filter((container) => !owners.includes(container));
    await Promise.all(members.map(({ Id: id }) => this.#stopContainer(id, timeoutSeconds)));
    await Promise.all(owners.map(({ Id: id }) => this.#stopContainer(id, 0)));
  }

  /** 304: it does not run any more; 404: it was removed meanwhile. */
  async #stopContainer(id: string, timeoutSeconds: number | undefined): Promise<void> {
    const query = { t: timeoutSeconds };
    await tolerating([304, 404], () => this.#client.call((docker) => docker.post(`/containers/${id}/stop`, { query })));
  }

  /** With its anonymous volumes. 409: somebody else's removal is under way, which is then waited for. */
  async #removeContainer(id: string): Promise<void> {
    try {
      await this.#client.call((docker) => docker.delete(`/containers/${id}`, { query: { force: true, v: true } }));
    } catch (error) {
      if (refusalStatus(error) === 404) return;
      if (refusalStatus(error) !== 409) throw error;
      await tolerating([404], () =>
        this.#client.call((docker) => docker.post(`/containers/${id}/wait`, { query: { condition: "removed" } })),
      );
    }
  }

  async #containers(labels: readonly string[]): Promise<ContainerInfo[]> {
    const query = { all: true, filters: { label: labels } };
    return await this.#client.call((docker) => docker.get<ContainerInfo[]>("/containers/json", { query }));
  }

  async #inspect(name: string): Promise<ContainerInspectInfo | undefined> {
    return await tolerating([404], () =>
      this.#client.call((docker) => docker.get<ContainerInspectInfo>(`/containers/${name}/json`)),
    );
  }

  /** What is left of groups by their labels, each in its specification's order. */
  async #states(labels: readonly string[]): Promise<GroupState[]> {
    const listed = await this.#containers([...labels, labelNames.container]);
    const inspected = await Promise.all(listed.map(({ Id: id }) => this.#inspect(id)));
    const present = inspected.filter((container) => container !== undefined);
    const groups = Map.groupBy(present, (container) => container.Config.Labels[labelNames.group] ?? "");
    return [...groups].map(([id, members]) => groupState(id, members)).filter((state) => state !== undefined);
  }

  #subject(groupId: string) {
    const labels = groupFilter(this.#instance, groupId);
    return { client: this.#client, groupId, failedStarts: this.#failedStarts, labels };
  }
}

function missing(groupId: string, container?: string): GroupNotFoundError {
  const what = container === undefined ? `group ${groupId}` : `container ${container} in group ${groupId}`;
  return new GroupNotFoundError(`There is no ${what}.`);
}

/** A daemon's 404 about a container as the engine's own error. */
async function inGroup<Result>(groupId: string, container: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw refusalStatus(error) === 404 ? missing(groupId, container) : error;
  }
}

/** The result, or undefined where the daemon refuses with one of these statuses. */
async function tolerating<Result>(
  statuses: readonly number[],
  request: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await request();
  } catch (error) {
    const status = refusalStatus(error);
    if (status !== undefined && statuses.includes(status)) return undefined;
    throw error;
  }
}

/** `docker network prune` took the network after it was found. */
function isNetworkLoss(error: unknown): boolean {
  return refusalStatus(error) === 404 && (error as Error).message.includes(`network ${networkName}`);
}
