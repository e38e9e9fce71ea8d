/**
 * What every engine must do, run against each: `engineContract("docker", …)`. An engine that runs programs runs those
 * below in a POSIX shell; one that does not (the fake) is told what each of them does.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { extract, pack } from "tar-stream";
import {
  type ContainerSpec,
  type Engine,
  GroupNotFoundError,
  type GroupSpec,
  type GroupState,
  ImageUnavailableError,
  type LogLine,
} from "./engine.ts";

/** Commands of `sh -c`. */
export const programs = {
  exit3: "exit 3",
  /** Ends with 0 at SIGTERM. Says so first, because an earlier signal would find no trap. */
  waitForTerm: "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done",
  hundredLines: 'i=0; while [ $i -lt 100 ]; do echo "line $i"; i=$((i+1)); sleep 0.01; done',
  bothStreams: "echo to stdout; sleep 0.3; echo to stderr >&2; sleep 0.3; printf unfinished",
  writeFiles: "mkdir -p /out/deep; printf one >/out/a.txt; printf two >/out/deep/b.txt; ln -s /out /link",
  readInput: "cat /made/for/it/input.txt",
} as const;

export type ProgramName = keyof typeof programs;

/** What `exec` is asked to run in the contract; exits with 7. */
export const execCommand = ["sh", "-c", "echo out; echo err >&2; exit 7"] as const;
/** What makes a container healthy in the contract, run by `exec`. */
export const becomeHealthy = ["sh", "-c", "echo yes >/tmp/healthy"] as const;

export function container(program: ProgramName, image: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
  return { name: "main", image, entrypoint: ["sh", "-c"], command: [programs[program]], environment: {}, ...more };
}

/**
 * `makeEngine` gives a new engine object each time, of the same engine: what a process started after a crash would have.
 * `image` resolves to the reference of an image that the engine holds, `tag` gives one a further name.
 */
export function engineContract<AnEngine extends Engine>(
  name: string,
  makeEngine: () => AnEngine,
  image: () => Promise<string>,
  tag: (engine: AnEngine, imageId: string, reference: string) => Promise<void>,
): void {
  describe(`${name} engine`, () => {
    const created: string[] = [];
    let engine: AnEngine;
    let imageId: string;

    before(async () => {
      engine = makeEngine();
      await engine.check();
      const found = await engine.image(await image());
      assert.ok(found, "the engine does not hold the image for its contract");
      imageId = found.id;
    });

    afterEach(async () => {
      for (const id of created.splice(0)) await engine.remove(id);
    });

    function aGroup(containers: readonly ContainerSpec[], more: Partial<GroupSpec> = {}): GroupSpec {
      const group = { id: `test-${randomUUID()}`, labels: {}, containers, ...more };
      created.push(group.id);
      return group;
    }

    async function running(program: ProgramName, more: Partial<ContainerSpec> = {}): Promise<string> {
      const group = aGroup([container(program, imageId, more)]);
      await engine.create(group);
      await engine.startContainer(group.id, "main");
      return group.id;
    }

    async function ended(program: ProgramName): Promise<string> {
      const id = await running(program);
      await lastState(engine, id);
      return id;
    }

    test("runs a group from creation to removal", async () => {
      const group = aGroup([container("exit3", imageId)], { labels: { service: "codebuild" } });
      assert.equal(await engine.state(group.id), undefined);
      await engine.create(group);
      const before = await engine.state(group.id);
      assert.deepEqual(before?.labels, { service: "codebuild" });
      assert.deepEqual(before.containers, [
        {
          name: "main",
          status: "created",
          exitCode: null,
          outOfMemory: false,
          health: "none",
          startedAt: null,
          finishedAt: null,
          error: undefined,
        },
      ]);
      await engine.startContainer(group.id, "main");
      const [after] = (await lastState(engine, group.id)).containers;
      assert.equal(after?.status, "exited");
      assert.equal(after.exitCode, 3);
      // Docker notes the start after the process has begun: a short one may have ended before.
      assert.ok(after.startedAt && after.finishedAt);
      await engine.remove(group.id);
      assert.equal(await engine.state(group.id), undefined);
    });

    test("repeated calls change nothing", async () => {
      const group = aGroup([container("waitForTerm", imageId)]);
      await Promise.all([engine.create(group), engine.create(group)]);
      await engine.create(group);
      await Promise.all([engine.startContainer(group.id, "main"), engine.startContainer(group.id, "main")]);
      await engine.startContainer(group.id, "main");
      await firstLine(engine, group.id);
      await engine.stop(group.id);
      const stopped = await engine.state(group.id);
      assert.equal(stopped?.containers[0]?.exitCode, 0);
      await engine.stop(group.id);
      await engine.startContainer(group.id, "main");
      await engine.create(group);
      assert.deepEqual(await engine.state(group.id), stopped);
      await engine.remove(group.id);
      await engine.remove(group.id);
    });

    test("what does not exist is GroupNotFoundError, except to state and remove", async () => {
      const id = `test-${randomUUID()}`;
      assert.equal(await engine.state(id), undefined);
      await engine.remove(id);
      const calls: readonly (() => Promise<unknown>)[] = [
        () => engine.startContainer(id, "main"),
        () => engine.copyIn(id, "main", "/tmp", tarOf({})),
        () => engine.copyOut(id, "main", "/tmp"),
        () => engine.exec(id, "main", execCommand),
        () => engine.stop(id),
        () => engine.address(id, 80),
        () => collected(engine.watch(id, new AbortController().signal)),
        () => collected(engine.logs(id, "main", { skip: 0 })),
      ];
      for (const call of calls) await assert.rejects(call, GroupNotFoundError);
    });

    test("a group with an image that is missing is not created at all", async () => {
      const group = aGroup([
        container("waitForTerm", imageId),
        container("waitForTerm", "slipway-test/absent:1", { name: "side" }),
      ]);
      await assert.rejects(engine.create(group), ImageUnavailableError);
      assert.equal(await engine.state(group.id), undefined);
    });

    test("logs have every line of both streams, the unfinished last one too", async () => {
      const lines = await collected(engine.logs(await running("bothStreams"), "main", { skip: 0 }));
      assert.deepEqual(
        lines.map(({ stream, text, index }) => [stream, text, index]),
        [
          ["stdout", "to stdout", 0],
          ["stderr", "to stderr", 1],
          ["stdout", "unfinished", 2],
        ],
      );
    });

    test("logs wait for the start", async () => {
      const group = aGroup([container("bothStreams", imageId)]);
      await engine.create(group);
      const lines = collected(engine.logs(group.id, "main", { skip: 0 }));
      await engine.startContainer(group.id, "main");
      assert.equal((await lines).length, 3);
    });

    test("logs go on without gap or repeat with another engine object, after an abort midway", async () => {
      const id = await running("hundredLines");
      const abort = new AbortController();
      const lines: LogLine[] = [];
      for await (const line of engine.logs(id, "main", { skip: 0, signal: abort.signal })) {
        lines.push(line);
        if (line.index === 20) abort.abort();
      }
      assert.ok(lines.length < 100, "the abort did not end the log");
      const skip = lines.at(-1)!.index + 1;
      lines.push(...(await collected(makeEngine().logs(id, "main", { skip }))));
      assert.deepEqual(
        lines.map(({ text, index }) => [text, index]),
        hundredLines,
      );
    });

    test("logs of an exited container can be read again", async () => {
      const id = await ended("hundredLines");
      const lines = await collected(engine.logs(id, "main", { skip: 97 }));
      assert.deepEqual(
        lines.map(({ text, index }) => [text, index]),
        hundredLines.slice(97),
      );
      assert.deepEqual(await collected(engine.logs(id, "main", { skip: 100 })), []);
    });

    test("copyIn makes the folder and takes plain and gzipped tar", async () => {
      for (const compress of [(tar: Buffer) => tar, gzipSync]) {
        const group = aGroup([container("readInput", imageId)]);
        await engine.create(group);
        const tar = compress(await buffer(tarOf({ "input.txt": "given\n" })));
        await engine.copyIn(group.id, "main", "/made/for/it", Readable.from([tar]));
        await engine.startContainer(group.id, "main");
        const lines = await collected(engine.logs(group.id, "main", { skip: 0 }));
        assert.deepEqual(
          lines.map((line) => line.text),
          ["given"],
        );
      }
    });

    test("copyIn into a running container can be copied out again", async () => {
      const id = await running("waitForTerm");
      await engine.copyIn(id, "main", "/made/later", tarOf({ "x.txt": "x" }));
      assert.deepEqual(await filesOf(await engine.copyOut(id, "main", "/made")), { "later/x.txt": "x" });
    });

    test("copyIn fails when its source breaks off", async () => {
      const id = await running("waitForTerm");
      const broken = new Readable({ read() {} });
      setImmediate(() => broken.destroy(new Error("the source broke")));
      await assert.rejects(engine.copyIn(id, "main", "/tmp", broken), /the source broke/);
    });

    test("copyOut gives a folder's contents, one file, or what a link leads to, of an exited container", async () => {
      const id = await ended("writeFiles");
      const folder = { "a.txt": "one", "deep/b.txt": "two" };
      assert.deepEqual(await filesOf(await engine.copyOut(id, "main", "/out")), folder);
      assert.deepEqual(await filesOf(await engine.copyOut(id, "main", "/link")), folder);
      assert.deepEqual(await filesOf(await engine.copyOut(id, "main", "/out/a.txt")), { "a.txt": "one" });
      await assert.rejects(engine.copyOut(id, "main", "/absent"), { code: "ENOENT" });
    });

    test("exec gives exit code and output", async () => {
      const id = await running("waitForTerm");
      assert.deepEqual(await engine.exec(id, "main", execCommand), { exitCode: 7, stdout: "out\n", stderr: "err\n" });
    });

    test("watch tells of start, health and exit", async () => {
      const group = aGroup([
        container("waitForTerm", imageId, {
          healthCheck: {
            command: ["CMD-SHELL", "test -f /tmp/healthy"],
            intervalSeconds: 1,
            timeoutSeconds: 5,
            retries: 20,
            startPeriodSeconds: 0,
          },
        }),
      ]);
      await engine.create(group);
      const seen: string[] = [];
      for await (const { containers } of engine.watch(group.id, new AbortController().signal)) {
        const { status, health } = containers[0]!;
        seen.push(status === "running" ? health : status);
        if (status === "created") await engine.startContainer(group.id, "main");
        if (status === "running" && health === "starting") await engine.exec(group.id, "main", becomeHealthy);
        if (status === "running" && health === "healthy") await engine.stop(group.id);
      }
      assert.deepEqual([...new Set(seen)], ["created", "starting", "healthy", "exited"]);
    });

    test("watch ends without an error at abort and at removal", async () => {
      const id = await running("waitForTerm");
      const abort = new AbortController();
      for await (const _ of engine.watch(id, abort.signal)) abort.abort();
      let removal: Promise<void> | undefined;
      for await (const _ of engine.watch(id, new AbortController().signal)) removal ??= engine.remove(id);
      await removal;
    });

    test("a group of several is stated in the specification's order and ends when all have", async () => {
      const group = aGroup([
        container("waitForTerm", imageId, { name: "zulu" }),
        container("exit3", imageId, { name: "alpha" }),
      ]);
      await engine.create(group);
      await engine.startContainer(group.id, "alpha");
      await engine.startContainer(group.id, "zulu");
      await firstLine(engine, group.id, "zulu");
      await engine.stop(group.id);
      const { containers } = await lastState(engine, group.id);
      assert.deepEqual(
        containers.map(({ name, exitCode }) => [name, exitCode]),
        [
          ["zulu", 0],
          ["alpha", 3],
        ],
      );
    });

    test("another engine object recovers by labels what is created, running or exited", async () => {
      const run = randomUUID();
      const labels = { run, service: "ecs" };
      const groups = [0, 1, 2].map(() => aGroup([container("waitForTerm", imageId)], { labels }));
      const other = aGroup([container("waitForTerm", imageId)], { labels: { run, service: "codebuild" } });
      const ids = groups.map((group) => group.id);
      for (const group of [...groups, other]) await engine.create(group);
      await engine.startContainer(ids[1]!, "main");
      await engine.startContainer(ids[2]!, "main");
      await firstLine(engine, ids[2]!);
      await engine.stop(ids[2]!);

      const recovered = await makeEngine().recover(labels);
      const statuses = new Map(recovered.map((state) => [state.id, state.containers[0]!.status]));
      assert.deepEqual(
        ids.map((id) => statuses.get(id)),
        ["created", "running", "exited"],
      );
      assert.equal(recovered.length, 3);
      assert.deepEqual(recovered[0]!.labels, labels);
      assert.equal((await engine.recover({ run })).length, 4);
    });

    test("an image loses a name, and its other names stay", async () => {
      const [first, second] = [randomUUID(), randomUUID()].map((name) => `slipway-test/tagged:${name}`);
      await tag(engine, imageId, first!);
      await tag(engine, imageId, second!);
      await engine.untag(first!);
      assert.equal(await engine.image(first!), undefined);
      assert.equal((await engine.image(second!))?.id, imageId);
      await engine.untag(first!);
      await engine.untag(second!);
      await engine.untag(`slipway-test/absent@sha256:${"0".repeat(64)}`);
      assert.ok(await engine.image(await image()));
    });

    test("images are found and missed", async () => {
      const tagged = `slipway-test/tagged:${randomUUID()}`;
      assert.equal(await engine.image(tagged), undefined);
      await tag(engine, imageId, tagged);
      assert.equal((await engine.image(tagged))?.id, imageId);
      await assert.rejects(engine.pull("127.0.0.1:9/slipway-test/absent:1"), ImageUnavailableError);
      const aborted = engine.pull("127.0.0.1:9/slipway-test/absent:1", { signal: AbortSignal.abort("enough") });
      await assert.rejects(aborted, (reason) => reason === "enough");
    });
  });
}

const hundredLines = Array.from({ length: 100 }, (_, index) => [`line ${index}`, index]);

async function lastState(engine: Engine, groupId: string): Promise<GroupState> {
  const states = await collected(engine.watch(groupId, new AbortController().signal));
  return states.at(-1)!;
}

/** Waits until the container has said something. */
async function firstLine(engine: Engine, groupId: string, container = "main"): Promise<void> {
  for await (const _ of engine.logs(groupId, container, { skip: 0 })) return;
}

export function tarOf(files: Readonly<Record<string, string>>): Readable {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  return Readable.from(archive);
}

/** The files of a tar stream by name, without folders and the leading `./`. */
export async function filesOf(tar: Readable): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const entry of tar.pipe(extract())) {
    const content = (await buffer(entry)).toString("utf8");
    if (entry.header.type === "file") files[entry.header.name.replace(/^\.\//, "")] = content;
  }
  return files;
}

export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
