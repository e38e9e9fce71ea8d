import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogLine } from "#engines/engine.ts";
import { logBatches } from "./log-batches.ts";

const line = (text: string, index: number, stream: LogLine["stream"] = "stdout"): LogLine => ({
  stream,
  text,
  index,
  timestamp: new Date(0),
});
const isEvent = ({ stream }: LogLine) => stream === "stderr";
/** So long that no test waits for it. */
const patient = { lines: 100, bytes: 1000, waitMs: 3_600_000 };

async function* source(...lines: LogLine[]) {
  yield* lines;
}

async function texts(batches: AsyncIterable<readonly LogLine[]>): Promise<string[][]> {
  const collected: string[][] = [];
  for await (const batch of batches) collected.push(batch.map(({ text }) => text));
  return collected;
}

test("lines stay together until an event, a full batch or the end", async () => {
  const lines = [line("a", 0), line("b", 1), line("event", 2, "stderr"), line("c", 3), line("d", 4), line("e", 5)];
  assert.deepEqual(await texts(logBatches(source(...lines), isEvent, { ...patient, lines: 3 })), [
    ["a", "b", "event"],
    ["c", "d", "e"],
  ]);
  assert.deepEqual(await texts(logBatches(source(), isEvent, patient)), []);
});

test("a batch has at most so many bytes, unless one line alone is larger", async () => {
  const lines = ["é".repeat(300), "x".repeat(500), "y", "z".repeat(2000), "w"].map((text, index) => line(text, index));
  const sizes = (await texts(logBatches(source(...lines), isEvent, patient))).map((batch) =>
    batch.map((text) => text.length),
  );
  assert.deepEqual(sizes, [[300], [500, 1], [2000], [1]]);
});

test("a line does not wait for others for ever", async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* slow() {
    yield line("first", 0);
    await released;
    yield line("second", 1);
  }
  const batches = logBatches(slow(), isEvent, { ...patient, waitMs: 1 });
  assert.deepEqual(
    (await batches.next()).value?.map(({ text }: LogLine) => text),
    ["first"],
  );
  release();
  assert.deepEqual(
    (await batches.next()).value?.map(({ text }: LogLine) => text),
    ["second"],
  );
  assert.equal((await batches.next()).done, true);
});

test("the source is closed when nobody wants more, and its errors come through", async () => {
  let closed = false;
  async function* endless() {
    try {
      for (let index = 0; ; index++) yield line("x", index, "stderr");
    } finally {
      closed = true;
    }
  }
  for await (const _ of logBatches(endless(), isEvent, patient)) break;
  assert.equal(closed, true);
  async function* broken() {
    yield line("x", 0);
    throw new Error("the engine failed");
  }
  await assert.rejects(texts(logBatches(broken(), isEvent, patient)), /the engine failed/);
});
