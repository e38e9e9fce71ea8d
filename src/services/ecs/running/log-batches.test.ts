import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogLine } from "#engines/engine.ts";
import { type LogBatch, logBatches } from "./log-batches.ts";

const line = (index: number, text: string, time = index): LogLine => ({
  stream: "stdout",
  timestamp: new Date(time),
  text,
  index,
});

async function batches(lines: readonly LogLine[]): Promise<LogBatch[]> {
  const gathered: LogBatch[] = [];
  for await (const batch of logBatches(from(lines))) gathered.push(batch);
  return gathered;
}

async function* from(lines: readonly LogLine[]): AsyncGenerator<LogLine> {
  yield* lines;
}

test("lines that come together go together, empty ones left out", async () => {
  const [batch, ...more] = await batches([line(0, "a"), line(1, ""), line(2, "b"), line(3, "")]);
  assert.deepEqual(batch, {
    events: [
      { timestamp: 0, message: "a" },
      { timestamp: 2, message: "b" },
    ],
    nextLine: 4,
  });
  assert.deepEqual(more, []);
});

test("no line is older than the one before it, across batches too", async () => {
  const gathered = await batches([
    line(0, "x".repeat(700_000), 50),
    line(1, "y".repeat(700_000), 40),
    line(2, "z", 60),
  ]);
  assert.deepEqual(
    gathered.map(({ events }) => events.map(({ timestamp }) => timestamp)),
    [[50], [50, 60]],
  );
});

test("a batch keeps to a megabyte, ten thousand events and a day", async () => {
  const many = Array.from({ length: 10_001 }, (_, index) => line(index, "x"));
  assert.deepEqual(
    (await batches(many)).map(({ events, nextLine }) => [events.length, nextLine]),
    [
      [10_000, 10_000],
      [1, 10_001],
    ],
  );
  const big = Array.from({ length: 5 }, (_, index) => line(index, "x".repeat(250_000)));
  assert.deepEqual(
    (await batches(big)).map(({ events }) => events.length),
    [4, 1],
  );
  const apart = [line(0, "x", 0), line(1, "y", 86_400_000)];
  assert.equal((await batches(apart)).length, 2);
});

test("a line that nothing follows is not held back", async () => {
  let finish = () => {};
  const lines = (async function* () {
    yield line(0, "first");
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    yield line(1, "second");
  })();
  const gathered = logBatches(lines);
  assert.equal((await gathered.next()).value.events[0].message, "first");
  finish();
  assert.equal((await gathered.next()).value.events[0].message, "second");
  assert.ok((await gathered.next()).done);
});
