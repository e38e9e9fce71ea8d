/** Needs a Docker daemon at DOCKER_HOST, else at the default socket: the unit run leaves `*.docker.test.ts` out. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ContainerInfo, ContainerInspectInfo, ImageInfo, VolumeList } from "#docker/types.ts";
import { collected, engineContract } from "#engines/engine.contract.ts";
import { type ContainerSpec, ContainerStartError, EngineUnavailableError, type GroupSpec } from "#engines/engine.ts";
import { busyboxImage } from "#tests/helpers/busybox-image.ts";
import { DockerClient } from "./docker-client.ts";
import { DockerEngine } from "./docker-engine.ts";
import { referenceParts } from "./images.ts";
import { createContainer } from "./pause-image.ts";

const instance = `contract-${randomUUID().slice(0, 8)}`;
const client = new DockerClient(undefined);

const tag = (id: string, reference: string) => {
  const { repository: repo, tag } = referenceParts(reference);
  return client.call((docker) => docker.post(`/images/${id}/tag`, { query: { repo, tag } }));
};

engineContract(
  "docker",
  () => new DockerEngine({ instance }),
  busyboxImage,
  (_, id, reference) => tag(id, reference),
);

after(async () => {
  const filters = { reference: ["slipway-test/tagged"] };
  const images = await client.call((docker) => docker.get<ImageInfo[]>("/images/json", { query: { filters } }));
  for (const tag of images.flatMap((image) => image.RepoTags ?? [])) {
    if (tag.startsWith("slipway-test/tagged:")) await client.call((docker) => docker.delete(`/images/${tag}`));
  }
});

describe("docker engine, beyond the contract", () => {
  const engine = new DockerEngine({ instance });
  const created: string[] = [];
  let image: string;

  before(async () => {
    image = await busyboxImage();
  });

  afterEach(async () => {
    for (const id of created.splice(0)) await engine.remove(id);
  });

  /** Killed at once when it is stopped: a shell as first process does not heed SIGTERM. */
  function shell(script: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
    return {
      name: "main",
      image,
      entrypoint: ["sh", "-c"],
      command: [script],
      environment: {},
      stopTimeoutSeconds: 0,
      ...more,
    };
  }

  /** The id of a new image of this name, which differs from all others by its comment. */
  async function imageNamed(name: string): Promise<string> {
    const [repo, tag] = name.split(":");
    const container = await createContainer(client, { Image: image, Labels: {} });
    const query = { container, repo, tag, comment: name };
    const { Id: id } = await client.call((docker) => docker.post<{ Id: string }>("/commit", { query }));
    await client.call((docker) => docker.delete(`/containers/${container}`));
    return id;
  }

  async function started(containers: readonly ContainerSpec[], more: Partial<GroupSpec> = {}): Promise<string> {
    const id = `test-${randomUUID()}`;
    created.push(id);
    await engine.create({ id, labels: {}, containers, ...more });
    for (const container of containers) await engine.startContainer(id, container.name);
    return id;
  }

  async function output(id: string, container = "main"): Promise<string[]> {
    return (await collected(engine.logs(id, container, { skip: 0 }))).map((line) => line.text);
  }

  async function volumeNames(filters?: object): Promise<string[]> {
    const found = await client.call((docker) => docker.get<VolumeList>("/volumes", { query: { filters } }));
    return (found.Volumes ?? []).map(({ Name: name }) => name);
  }

  /** Containers and volumes that a group has left on the daemon. */
  async function remains(id: string): Promise<number> {
    const filters = { label: [`slipway.group=${id}`] };
    const containers = await client.call((docker) =>
      docker.get<ContainerInfo[]>("/containers/json", { query: { all: true, filters } }),
    );
    const volumes = await volumeNames(filters);
    return containers.length + volumes.length;
  }

  test("limits, environment, user and folder are those of the specification", async () => {
    const script = [
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max",
      "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max",
      "echo $WORD; pwd; busybox id -u; ulimit -n",
      "touch /file 2>&1",
    ].join("; ");
    const id = await started([
      shell(script, {
        memoryMiB: 64,
        cpus: 0.5,
        environment: { WORD: "a = b" },
        workingDirectory: "/tmp",
        user: "1000",
        ulimits: [{ name: "nofile", soft: 512, hard: 1024 }],
      }),
    ]);
    const lines = await output(id);
    assert.deepEqual(lines.slice(0, 6), [String(64 * 1024 * 1024), "50000", "a = b", "/tmp", "1000", "512"]);
  });

  test("more CPUs than the host has are as many as it has", async () => {
    const id = await started([shell("echo runs", { cpus: 4096 })]);
    assert.deepEqual(await output(id), ["runs"]);
  });

  test("a read-only root can be read and not written, its volumes can be written", async () => {
    const script = "exec 2>&1; echo x >/tmp/x; echo y >/data/y && cat /data/y";
    const mounts = [{ volume: "data", path: "/data" }];
    const id = await started([shell(script, { readonlyRootFilesystem: true, mounts })], { volumes: ["data"] });
    const lines = await output(id);
    assert.match(lines[0]!, /Read-only file system/);
    assert.equal(lines[1], "y");
  });

  test("what takes more memory than its limit is out of memory", async () => {
    const id = await started([shell("busybox tail -c 200m /dev/zero", { memoryMiB: 16 })]);
    const last = (await collected(engine.watch(id, new AbortController().signal))).at(-1);
    assert.equal(last?.containers[0]?.outOfMemory, true);
    assert.equal(last.containers[0].exitCode, 137);
  });

  test("containers of a group share localhost, host names and volumes, and leave nothing", async () => {
    const mounts = [{ volume: "shared", path: "/shared" }];
    const server = "cd /shared; echo hello >page; echo up; exec busybox httpd -f -p 8080 -h /shared";
    const reader = "until busybox wget -q -O - http://localhost:8080/page; do sleep 0.1; done";
    const id = await started(
      [
        shell(server, { name: "server", mounts }),
        shell(`${reader}; busybox wget -q -O - http://named:8080/page; cat /shared/page`, { name: "reader", mounts }),
      ],
      { volumes: ["shared"], hosts: { named: "127.0.0.1" } },
    );
    const lines = (await output(id, "reader")).filter((line) => !line.startsWith("wget:"));
    assert.deepEqual(lines, ["hello", "hello", "hello"]);

    const { host, port } = await engine.address(id, 8080);
    const response = await fetch(`http://${host}:${port}/page`);
    assert.equal(await response.text(), "hello\n");
    assert.equal((await engine.state(id))?.containers.length, 2);
    await engine.remove(id);
    assert.equal(await remains(id), 0);
  });

  test("containers reach a listener on the gateway", async () => {
    const gateway = await engine.gateway(0);
    const server = createServer((_, response) => response.end("control plane"));
    server.listen(0, gateway.listenAddresses[0]);
    await once(server, "listening");
    try {
      const { port } = server.address() as { port: number };
      const id = await started([shell(`busybox wget -q -O - http://${gateway.host}:${port}/`)]);
      assert.deepEqual(await output(id), ["control plane"]);
    } finally {
      server.close();
    }
  });

  test("a privileged container can mount, and has a volume for an inner daemon that goes with it", async () => {
    const script = "busybox mount -t tmpfs none /tmp && echo mounted; busybox grep -c ' /var/lib/docker ' /proc/mounts";
    const id = await started([shell(script, { privileged: true })]);
    assert.deepEqual(await output(id), ["mounted", "1"]);
    const container = await client.call((docker) =>
      docker.get<ContainerInspectInfo>(`/containers/slipway.${instance}.${id}.main/json`),
    );
    const volume = container.Mounts.find((mount) => mount.Destination === "/var/lib/docker")?.Name;
    assert.ok(volume && (await volumeNames()).includes(volume));
    await engine.remove(id);
    assert.ok(!(await volumeNames()).includes(volume));
  });

  test("a program that is missing is ContainerStartError, ends the group, and ends watch and logs", async () => {
    const id = `test-${randomUUID()}`;
    created.push(id);
    await engine.create({
      id,
      labels: {},
      containers: [{ name: "main", image, environment: {}, command: ["/absent"] }],
    });
    const states = collected(engine.watch(id, new AbortController().signal));
    const lines = output(id);
    await assert.rejects(engine.startContainer(id, "main"), (error) => {
      assert.ok(error instanceof ContainerStartError);
      assert.match(error.message, /\/absent/);
      return true;
    });
    const [container] = (await states).at(-1)!.containers;
    assert.equal(container?.status, "exited");
    assert.match(container.error!, /\/absent/);
    assert.deepEqual(await lines, []);
  });

  test("a failed creation of a group with volumes leaves nothing on the daemon", async () => {
    const id = `test-${randomUUID()}`;
    const mounts = [{ volume: "data", path: "/data" }];
    const containers = [shell("exit 0", { mounts }), shell("exit 0", { name: "side", image: "slipway-test/absent:1" })];
    await assert.rejects(engine.create({ id, labels: {}, containers, volumes: ["data"] }), /absent/);
    assert.equal(await remains(id), 0);
  });

  test("long lines arrive whole up to 256 KiB, whatever docker makes of them", async () => {
    const yes = (count: number) => `busybox yes ab€ | busybox tr -d '\\n' | busybox head -c ${count}`;
    const id = await started([shell(`${yes(250_000)}; echo; echo between; ${yes(500_000)}; echo; echo after`)]);
    const lines = await output(id);
    assert.equal(lines.length, 5);
    const [short, between, first, second, after] = lines;
    // Not equal(): its message would print them.
    assert.ok(between === "between" && after === "after", "the lines between are not what was written");
    assert.ok(short === "ab€".repeat(50_000), "the line of 250 kB is not what was written");
    assert.ok(`${first}${second}` === "ab€".repeat(100_000), "the line of 500 kB is not what was written");
  });

  test("a reader killed with -9 is continued by another process's without gap or repeat", async () => {
    const script = 'i=0; while [ $i -lt 200 ]; do echo "$i"; echo "$i" >&2; i=$((i+1)); sleep 0.01; done';
    const id = await started([shell(script)]);
    const helper = fileURLToPath(new URL("../../../tests/helpers/follow-log.ts", import.meta.url));
    const reader: ChildProcess = spawn(process.execPath, [helper, instance, id, "main"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const indexes: number[] = [];
    for await (const line of createInterface({ input: reader.stdout! })) {
      indexes.push(JSON.parse(line).index);
      if (indexes.length === 40) reader.kill("SIGKILL");
    }
    assert.ok(indexes.length < 400, "the reader reached the end before it was killed");
    const rest = await collected(engine.logs(id, "main", { skip: indexes.length }));
    indexes.push(...rest.map((line) => line.index));
    assert.deepEqual(
      indexes,
      Array.from({ length: 400 }, (_, index) => index),
    );
  });

  test("another instance on the daemon does not see the group", async () => {
    const id = await started([shell("sleep 100")], { labels: { run: instance } });
    const other = new DockerEngine({ instance: `${instance}-other` });
    assert.equal(await other.state(id), undefined);
    assert.deepEqual(await other.recover({ run: instance }), []);
    await other.remove(id);
    assert.equal((await engine.state(id))?.containers[0]?.status, "running");
    await engine.stop(id, { timeoutSeconds: 0 });
  });

  test("an image loses its last name while a container uses it, and goes with it after", async () => {
    for (const isStarted of [true, false]) {
      const name = `slipway-test/untagged:${randomUUID()}`;
      const own = await imageNamed(name);
      const id = `test-${randomUUID()}`;
      created.push(id);
      await engine.create({ id, labels: {}, containers: [shell("echo runs; sleep 100", { image: own })] });
      if (isStarted) await engine.startContainer(id, "main");
      await engine.untag(name);
      assert.equal(await engine.image(name), undefined);
      await engine.startContainer(id, "main");
      for await (const line of engine.logs(id, "main", { skip: 0 })) {
        assert.equal(line.text, "runs");
        break;
      }
      await engine.remove(id);
      if (await engine.image(own)) await client.call((docker) => docker.delete(`/images/${own}`));
    }
  });

  test("an image that no container uses goes with its last name", async () => {
    const name = `slipway-test/untagged:${randomUUID()}`;
    const own = await imageNamed(name);
    const second = name.replace("untagged", "tagged");
    await tag(own, second);
    await engine.untag(name);
    assert.ok(await engine.image(own));
    await engine.untag(second);
    assert.equal(await engine.image(own), undefined);
  });

  test("a daemon that is not there is EngineUnavailableError", async () => {
    const absent = new DockerEngine({ socketPath: "/nonexistent/docker.sock", instance });
    await assert.rejects(absent.check(), EngineUnavailableError);
    await assert.rejects(absent.state("any"), EngineUnavailableError);
    await assert.rejects(absent.pull("any"), EngineUnavailableError);
  });
});
