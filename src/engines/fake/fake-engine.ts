/**
 * An engine for tests: nothing runs, and the test says what containers do, by scripts (`behave`) or step by step
 * (`container(…).log`, `.exit`, …). It outlives the runner that uses it, as containers outlive a killed Slipway.
 *
 * It is strict: a call that engine.ts's order does not allow throws an error that begins with "FakeEngine:", at the
 * caller and again from `assertNoMisuse`, for callers that swallow what they catch.
 */
import { EventEmitter, once } from "node:events";
import type { Readable } from "node:stream";
import {
  ContainerStartError,
  type Engine,
  type EngineImage,
  EngineUnavailableError,
  type ExecResult,
  GroupNotFoundError,
  type GroupSpec,
  type GroupState,
  ImageUnavailableError,
  type LogLine,
} from "#engines/engine.ts";
import { packed, unpackInto } from "./fake-archive.ts";
import { type Behaviour, FakeContainer } from "./fake-container.ts";

interface FakeGroup {
  readonly spec: GroupSpec;
  readonly containers: ReadonlyMap<string, FakeContainer>;
}

export interface FakeCall {
  readonly method: keyof Engine;
  /** The group's id, or the image's reference. */
  readonly subject: string;
  readonly container?: string;
}

export class FakeEngine implements Engine {
  readonly name = "fake";
  /** Every call so far, in order, failed ones too. */
  readonly calls: FakeCall[] = [];
  /** While true, every method throws EngineUnavailableError. */
  unavailable = false;
  readonly #images = new Map<string, EngineImage>();
  readonly #remoteImages = new Map<string, EngineImage>();
  readonly #refusals = new Map<string, string>();
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #startErrors = new Map<string, string>();
  readonly #groups = new Map<string, FakeGroup>();
  readonly #changes = new EventEmitter<{ change: [] }>();
  readonly #misuses: Error[] = [];

  constructor() {
    this.#changes.setMaxListeners(0);
  }

  // What the test says and asks.

  /** An image that `pull` finds, and `image` too unless it is `remote` and not pulled yet. Its id is derived from the name. */
  addImage(reference: string, details: Partial<EngineImage> & { remote?: boolean } = {}): EngineImage {
    const { remote = false, ...given } = details;
    const defaults = { digest: undefined, command: [], entrypoint: [], environment: {}, workingDirectory: "" };
    const image = { id: `fake-image:${reference}`, ...defaults, ...given };
    this.#remoteImages.set(reference, image);
    if (!remote) this.#images.set(reference, image);
    return image;
  }

  /** `pull` of it throws ImageUnavailableError with this message. */
  refuseImage(reference: string, message: string): void {
    this.#refusals.set(reference, message);
  }

  /** What containers of this image do when they start; without one they run until the test lets them exit. */
  behave(imageId: string, behaviour: Behaviour): void {
    this.#behaviours.set(imageId, behaviour);
  }

  /** Containers of this name fail to start with ContainerStartError. */
  failStart(container: string, message: string): void {
    this.#startErrors.set(container, message);
  }

  /** The container, to make it do something or look at its files. Throws GroupNotFoundError. */
  container(groupId: string, name: string): FakeContainer {
    const container = this.#group(groupId).containers.get(name);
    if (container === undefined) throw new GroupNotFoundError(`There is no container ${name} in group ${groupId}.`);
    return container;
  }

  /** What `create` was given, or undefined where there is no such group. */
  spec(groupId: string): GroupSpec | undefined {
    return this.#groups.get(groupId)?.spec;
  }

  get groupIds(): readonly string[] {
    return [...this.#groups.keys()];
  }

  /** Resolves when the runner has started the container, at once if it has. */
  async started(groupId: string, name: string): Promise<FakeContainer> {
    for (;;) {
      const container = this.#groups.get(groupId)?.containers.get(name);
      if (container !== undefined && container.state.status !== "created") return container;
      await once(this.#changes, "change");
    }
  }

  /** Resolves when the group has been removed or never was. */
  async removed(groupId: string): Promise<void> {
    while (this.#groups.has(groupId)) await once(this.#changes, "change");
  }

  /** Resolves with the names that `untag` was given, as soon as there are that many. */
  async untagged(count: number): Promise<readonly string[]> {
    for (;;) {
      const names = this.calls.filter(({ method }) => method === "untag").map(({ subject }) => subject);
      if (names.length >= count) return names;
      await once(this.#changes, "change");
    }
  }

  /** Throws the first call out of order, if there was one. */
  assertNoMisuse(): void {
    if (this.#misuses[0] !== undefined) throw this.#misuses[0];
  }

  // The engine.

  async check(): Promise<{ version: string; cpus: number; memoryMiB: number }> {
    this.#record("check", "");
    return { version: "fake", cpus: 2, memoryMiB: 4096 };
  }

  async gateway(port: number): Promise<{ host: string; port: number; listenAddresses: readonly string[] }> {
    this.#record("gateway", "");
    return { host: "127.0.0.1", port, listenAddresses: [] };
  }

  async image(reference: string): Promise<EngineImage | undefined> {
    this.#record("image", reference);
    return this.#images.get(reference) ?? [...this.#images.values()].find((image) => image.id === reference);
  }

  async pull(reference: string, options: { signal?: AbortSignal } = {}): Promise<EngineImage> {
    this.#record("pull", reference);
    options.signal?.throwIfAborted();
    const image = this.#remoteImages.get(reference) ?? this.#images.get(reference);
    const refusal = this.#refusals.get(reference);
    if (refusal !== undefined || image === undefined) {
      throw new ImageUnavailableError(refusal ?? `manifest for ${reference} not found: manifest unknown`);
    }
    this.#images.set(reference, image);
    return image;
  }

  async untag(reference: string): Promise<void> {
    this.#record("untag", reference);
    this.#images.delete(reference);
    this.#changes.emit("change");
  }

  async create(spec: GroupSpec): Promise<void> {
    this.#record("create", spec.id);
    if (this.#groups.has(spec.id)) return;
    this.#assertValid(spec);
    const known = [...this.#images.values()].map((image) => image.id);
    const unknown = spec.containers.find((container) => !known.includes(container.image));
    if (unknown !== undefined) throw new ImageUnavailableError(`No such image: ${unknown.image}`);
    const changed = () => this.#changes.emit("change");
    const containers = new Map(spec.containers.map((one) => [one.name, new FakeContainer(one, changed)]));
    this.#groups.set(spec.id, { spec, containers });
    changed();
  }

  async startContainer(groupId: string, name: string): Promise<void> {
    this.#record("startContainer", groupId, name);
    const container = this.container(groupId, name);
    if (container.state.status !== "created") return;
    const error = this.#startErrors.get(name);
    if (error !== undefined) {
      container.failToStart(error);
      throw new ContainerStartError(error);
    }
    container.start(this.#behaviours.get(container.spec.image) ?? (() => {}));
  }

  async copyIn(groupId: string, name: string, path: string, tar: Readable): Promise<void> {
    this.#record("copyIn", groupId, name);
    if (!path.startsWith("/")) this.#misuse(`copyIn to ${path}, which is not absolute`);
    await unpackInto(this.container(groupId, name).files, path, tar);
  }

  async copyOut(groupId: string, name: string, path: string): Promise<Readable> {
    this.#record("copyOut", groupId, name);
    const container = this.container(groupId, name);
    if (container.state.status === "created") this.#misuse(`copyOut of ${name} before it was started`);
    const files = packed(container.files, path);
    if (files !== undefined) return files;
    throw Object.assign(new Error(`No such file or directory in ${name}: ${path}`), { code: "ENOENT" });
  }

  async exec(groupId: string, name: string, command: readonly string[]): Promise<ExecResult> {
    this.#record("exec", groupId, name);
    const container = this.container(groupId, name);
    if (container.state.status !== "running") this.#misuse(`exec in ${name}, which is ${container.state.status}`);
    if (container.onExec === undefined) this.#misuse(`exec in ${name}, for which the test gave no onExec`);
    return container.onExec!(command);
  }

  async state(groupId: string): Promise<GroupState | undefined> {
    this.#record("state", groupId);
    const group = this.#groups.get(groupId);
    return group && toState(group);
  }

  async *watch(groupId: string, signal: AbortSignal): AsyncGenerator<GroupState> {
    this.#record("watch", groupId);
    this.#group(groupId);
    let known: string | undefined;
    while (!signal.aborted) {
      const group = this.#groups.get(groupId);
      if (group === undefined) return;
      const state = toState(group);
      const text = JSON.stringify(state);
      if (text !== known) {
        known = text;
        yield state;
        // Much may have changed while the caller was busy with that one.
        continue;
      }
      if (state.containers.every((container) => container.status === "exited")) return;
      await this.#change(signal);
    }
  }

  async *logs(
    groupId: string,
    name: string,
    { skip, signal }: { skip: number; signal?: AbortSignal },
  ): AsyncGenerator<LogLine> {
    this.#record("logs", groupId, name);
    const { lines } = this.container(groupId, name);
    for (let next = skip; !signal?.aborted; ) {
      const line = lines[next];
      if (line !== undefined) {
        next += 1;
        yield line;
        continue;
      }
      const container = this.#groups.get(groupId)?.containers.get(name);
      if (container === undefined || container.state.status === "exited") return;
      await this.#change(signal);
    }
  }

  async address(groupId: string, port: number): Promise<{ host: string; port: number }> {
    this.#record("address", groupId);
    const containers = [...this.#group(groupId).containers.values()];
    if (containers.every((container) => container.state.status !== "running")) {
      this.#misuse(`address of ${groupId}, none of whose containers runs`);
    }
    return { host: "127.0.0.1", port };
  }

  async stop(groupId: string): Promise<void> {
    this.#record("stop", groupId);
    const running = [...this.#group(groupId).containers.values()].filter((one) => one.state.status === "running");
    for (const container of running) {
      if (container.onTerminate === undefined) container.exit(143);
      else container.onTerminate();
      // A program that does not heed SIGTERM gets SIGKILL; the fake does not wait for it.
      if (container.state.status === "running") container.exit(137);
    }
  }

  async remove(groupId: string): Promise<void> {
    this.#record("remove", groupId);
    if (!this.#groups.delete(groupId)) return;
    this.#changes.emit("change");
  }

  async recover(labels: Readonly<Record<string, string>>): Promise<readonly GroupState[]> {
    this.#record("recover", JSON.stringify(labels));
    const isWanted = ({ spec }: FakeGroup) =>
      Object.entries(labels).every(([key, value]) => spec.labels[key] === value);
    return [...this.#groups.values()].filter(isWanted).map(toState);
  }

  #record(method: keyof Engine, subject: string, container?: string): void {
    this.calls.push({ method, subject, container });
    if (this.unavailable) throw new EngineUnavailableError("The fake engine does not answer");
  }

  #group(groupId: string): FakeGroup {
    const group = this.#groups.get(groupId);
    if (group === undefined) throw new GroupNotFoundError(`There is no group ${groupId}.`);
    return group;
  }

  #assertValid(spec: GroupSpec): void {
    if (!/^[a-z0-9-]{1,63}$/.test(spec.id)) this.#misuse(`group id ${spec.id} is not of the form [a-z0-9-]{1,63}`);
    if (spec.containers.length === 0) this.#misuse(`group ${spec.id} has no containers`);
    const names = spec.containers.map((container) => container.name);
    if (new Set(names).size !== names.length) this.#misuse(`group ${spec.id} names a container twice`);
    const mounted = spec.containers.flatMap((container) => container.mounts ?? []).map((mount) => mount.volume);
    const unknown = mounted.find((volume) => !spec.volumes?.includes(volume));
    if (unknown !== undefined) this.#misuse(`group ${spec.id} mounts ${unknown}, which is none of its volumes`);
  }

  #misuse(what: string): never {
    const error = new Error(`FakeEngine: ${what}`);
    this.#misuses.push(error);
    throw error;
  }

  /** Resolves at the next change, or when the signal aborts. */
  async #change(signal: AbortSignal | undefined): Promise<void> {
    try {
      await once(this.#changes, "change", { signal });
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }
}

function toState({ spec, containers }: FakeGroup): GroupState {
  return { id: spec.id, labels: spec.labels, containers: [...containers.values()].map((one) => one.state) };
}
