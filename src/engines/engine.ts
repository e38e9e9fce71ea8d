/**
 * What Slipway asks of whatever runs containers. The unit is a *group*: containers that share one network namespace and
 * named volumes, are labelled alike and are removed together. A build environment is a group of one; an ECS task is a
 * group of its containers.
 *
 * Order: `pull` what the specification names → `create` → `copyIn` as needed → `startContainer` per container in the
 * caller's order → `watch` / `logs` / `exec` → `stop` → `copyOut` as needed → `remove`.
 *
 * Concurrency: methods may be called at the same time, for the same group too. Idempotency: every method may be repeated
 * after a crash: `create` of an existing group, `startContainer` of a started container, `stop` of a stopped group and
 * `remove` of a missing group change nothing and succeed. Cleanup: `remove` is never cancelled by the work's own signal.
 *
 * Nothing here assumes that the engine shares a filesystem or a network with the control plane: files travel as tar
 * streams, and `address` says how the control plane reaches a container's port.
 */
import type { Readable } from "node:stream";

/** An image as the engine holds it. `id` is what `ContainerSpec.image` takes. */
export interface EngineImage {
  readonly id: string;
  /** `sha256:…` of the manifest where the engine knows it, else undefined. */
  readonly digest: string | undefined;
  /** The image's own defaults, for callers that must merge them (ECS, CodeBuild). */
  readonly command: readonly string[];
  readonly entrypoint: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

export interface HealthCheckSpec {
  /** As in a task definition: `["CMD", …]`, `["CMD-SHELL", "…"]` or `["NONE"]`. */
  readonly command: readonly string[];
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly startPeriodSeconds: number;
}

export interface ContainerSpec {
  /** Unique in its group. */
  readonly name: string;
  /** `EngineImage.id`. */
  readonly image: string;
  /** undefined: the image's own. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: string;
  /** Hard limits; undefined: none. More CPUs than the engine's host has are as many as it has. */
  readonly cpus?: number;
  readonly memoryMiB?: number;
  /** The container may run a container daemon of its own inside: the build environment's privileged mode. */
  readonly privileged?: boolean;
  /** May not be written to, volumes apart. */
  readonly readonlyRootFilesystem?: boolean;
  readonly mounts?: readonly { readonly volume: string; readonly path: string; readonly readOnly?: boolean }[];
  readonly healthCheck?: HealthCheckSpec;
  /** Between SIGTERM and SIGKILL; 30 where absent. */
  readonly stopTimeoutSeconds?: number;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
}

export interface GroupSpec {
  /** Unique per engine and stable over restarts; `[a-z0-9-]{1,63}`. The idempotency key of `create`. */
  readonly id: string;
  /** What `recover` finds the group by. Keys are given without prefix; the engine adds its own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly containers: readonly ContainerSpec[];
  /** Names of volumes that live as long as the group. */
  readonly volumes?: readonly string[];
  /** Resolved inside the group beside the engine's own DNS: host name → address. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export interface ContainerState {
  readonly name: string;
  readonly status: "created" | "running" | "exited";
  /** null until exited. */
  readonly exitCode: number | null;
  readonly outOfMemory: boolean;
  /** "none" where the container has no health check. */
  readonly health: "none" | "starting" | "healthy" | "unhealthy";
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Why the engine could not start it, else undefined. */
  readonly error: string | undefined;
}

export interface GroupState {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** In the specification's order. */
  readonly containers: readonly ContainerState[];
}

export interface LogLine {
  readonly stream: "stdout" | "stderr";
  readonly timestamp: Date;
  /** One line without its newline. Longer than 256 KiB is split. Bytes that are not UTF-8 become U+FFFD. */
  readonly text: string;
  /** How many lines of this container precede this one: resume with `skip: index + 1`. */
  readonly index: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The image does not exist, may not be read, or its registry does not answer. `message` is the engine's own sentence. */
export class ImageUnavailableError extends Error {
  override readonly name = "ImageUnavailableError";
}
/** No such group or container. */
export class GroupNotFoundError extends Error {
  override readonly name = "GroupNotFoundError";
}
/** The image is there but its program could not be started (a missing executable, say). `message` is the engine's own. */
export class ContainerStartError extends Error {
  override readonly name = "ContainerStartError";
}
/** The engine itself does not answer. Retried by runners; never a fault of the user's build or task. */
export class EngineUnavailableError extends Error {
  override readonly name = "EngineUnavailableError";
}

export interface Engine {
  readonly name: string;

  /** One sentence for `slipway status`; throws EngineUnavailableError. */
  check(): Promise<{ version: string; cpus: number; memoryMiB: number }>;

  /**
   * The host and port at which a group's containers reach the control plane, which listens on `port` of every address
   * that `listenAddresses` names. Prepares the group network at first use.
   */
  gateway(port: number): Promise<{ host: string; port: number; listenAddresses: readonly string[] }>;

  /** The image if the engine holds it under this reference or id, else undefined. No network. */
  image(reference: string): Promise<EngineImage | undefined>;
  /** Fetches the image anew (a tag may have moved). Throws ImageUnavailableError. Aborting leaves nothing running. */
  pull(reference: string, options?: { credentials?: RegistryCredentials; signal?: AbortSignal }): Promise<EngineImage>;
  /**
   * Removes a name (`NAME:TAG` or `NAME@DIGEST`), and with its last name the image. Where a container runs of the image,
   * only the name goes. Changes nothing where there is no such name.
   */
  untag(reference: string): Promise<void>;

  /** Creates the group's network namespace, volumes and containers without starting them. All or nothing. */
  create(group: GroupSpec): Promise<void>;
  /**
   * A container starts at most once: repeating this for one that runs or has exited changes nothing. Throws
   * ContainerStartError; the container's state is then "exited" with `error` set.
   */
  startContainer(groupId: string, container: string): Promise<void>;
  /** Unpacks a tar stream (plain or gzip) at `path`, which is made if missing. Before or after the start. */
  copyIn(groupId: string, container: string, path: string, tar: Readable): Promise<void>;
  /**
   * A tar stream of `path`; entries are relative to `path` itself (the folder's own contents, or the one file) and may
   * begin with `./`. A path that is a symbolic link is followed. Works on exited containers. Throws
   * GroupNotFoundError, or an error whose `code` is ENOENT where the path is missing.
   */
  copyOut(groupId: string, container: string, path: string): Promise<Readable>;
  /**
   * Runs a command inside a running container to its end. Aborting rejects with the signal's reason and stops waiting;
   * whether the command then goes on is the engine's affair.
   */
  exec(
    groupId: string,
    container: string,
    command: readonly string[],
    options?: { signal?: AbortSignal },
  ): Promise<ExecResult>;

  /** undefined where no such group exists. */
  state(groupId: string): Promise<GroupState | undefined>;
  /**
   * Yields the group's state at once and after every change, until all its containers have exited, the group is removed,
   * or the signal aborts (which ends the loop without an error). Throws GroupNotFoundError where there is none to begin
   * with. Reconnects by itself when the engine goes away for a while.
   */
  watch(groupId: string, signal: AbortSignal): AsyncIterable<GroupState>;
  /**
   * Every line from `skip` on, following until the container exits, is removed or the signal aborts; no gap, no repeat.
   * Waits for the start of a container that has not started. Reconnects by itself, as `watch` does.
   */
  logs(groupId: string, container: string, options: { skip: number; signal?: AbortSignal }): AsyncIterable<LogLine>;
  /** How the control plane reaches a container port of a started group. Stable while the group runs. */
  address(groupId: string, port: number): Promise<{ host: string; port: number }>;

  /** SIGTERM to every container, SIGKILL after its stop timeout (or `timeoutSeconds`). Returns when none runs. */
  stop(groupId: string, options?: { timeoutSeconds?: number }): Promise<void>;
  /** Stops what still runs, then deletes containers, volumes and network. */
  remove(groupId: string): Promise<void>;
  /** Every group whose labels include these, started or not, in any state. */
  recover(labels: Readonly<Record<string, string>>): Promise<readonly GroupState[]>;
}
