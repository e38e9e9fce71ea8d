/**
 * What lets a container run a container daemon of its own. Docker's `Privileged` asks for every capability there is and
 * fails where the daemon itself was given fewer (a sandboxed virtual machine, a nested container). There the same is
 * put together from its parts, with the capabilities that the host does have.
 */
import { readFile, stat } from "node:fs/promises";
import type { HostConfig } from "#docker/types.ts";
import { type DockerClient, refusalStatus } from "./docker-client.ts";
import { createPauseContainer } from "./pause-image.ts";

/**
 * In bit order (include/uapi/linux/capability.h), up to the last one that docker 20.10 knows by name. What came after
 * (PERFMON, BPF, CHECKPOINT_RESTORE) was split off SYS_ADMIN, which still implies it (capabilities(7)).
 */
const capabilities = [
  ..."CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE".split(" "),
  ..."NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT".split(" "),
  ..."SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE".split(" "),
  ..."AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ".split(" "),
] as const;

/** The names of the capabilities in the bounding set that a /proc/PID/status states. */
export function boundingCapabilities(status: string): readonly string[] {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (mask === undefined) throw new Error("/proc/self/status states no CapBnd");
  const bits = BigInt(`0x${mask}`);
  return capabilities.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
}

/** The part of a container's HostConfig that stands in for `Privileged` where that cannot be granted. */
export function assembledPrivileges(granted: readonly string[], cgroupVersion1: boolean): HostConfig {
  return {
    CapAdd: [...granted],
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    MaskedPaths: [],
    ReadonlyPaths: [],
    DeviceCgroupRules: ["a *:* rwm"],
    // The container's own cgroup mounts are read-only without Privileged; version 2 is remounted from inside.
    ...(cgroupVersion1 ? { Binds: ["/sys/fs/cgroup:/sys/fs/cgroup:rw"] } : {}),
  };
}

/** Finds out once what the daemon can grant. */
export class Privileges {
  readonly #client: DockerClient;
  #granted: Promise<HostConfig> | undefined;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  hostConfig(): Promise<HostConfig> {
    this.#granted ??= this.#detect().catch((error) => {
      this.#granted = undefined;
      throw error;
    });
    return this.#granted;
  }

  async #detect(): Promise<HostConfig> {
    // A daemon in a virtual machine (Docker Desktop) is not bound by what this process may do.
    if (process.platform !== "linux") return { Privileged: true };
    const granted = boundingCapabilities(await readFile("/proc/self/status", "utf8"));
    if (granted.length === capabilities.length) return { Privileged: true };
    if (await this.#privilegedStarts()) return { Privileged: true };
    return assembledPrivileges(granted, await isCgroupVersion1());
  }

  /** Tries it: this process may lack what the daemon has. */
  async #privilegedStarts(): Promise<boolean> {
    const options = { HostConfig: { Privileged: true, NetworkMode: "none" } };
    const trial = await createPauseContainer(this.#client, options);
    try {
      await this.#client.call((docker) => docker.post(`/containers/${trial}/start`));
      return true;
    } catch (error) {
      if (refusalStatus(error) === undefined) throw error;
      return false;
    } finally {
      await this.#client.call((docker) => docker.delete(`/containers/${trial}`, { query: { force: true } }));
    }
  }
}

/** Version 2 is mounted as one hierarchy, which has this file at its root (cgroups(7)). */
async function isCgroupVersion1(): Promise<boolean> {
  try {
    await stat("/sys/fs/cgroup/cgroup.controllers");
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}
