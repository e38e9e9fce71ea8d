import { deepEqual, equal } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { collectGarbage, releaseMemoryWhenIdle } from "./idle-memory.ts";

/** How often memory was collected after each look at a loop that was so busy. */
function collections(t: TestContext, ...busy: readonly number[]): number[] {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const left = [...busy];
  let collected = 0;
  let reset = false;
  releaseMemoryWhenIdle({
    busy() {
      if (!reset) return left.shift()!;
      reset = false;
      return 1; // what the collection itself took
    },
    collect() {
      collected++;
      reset = true;
    },
  });
  return busy.map(() => {
    t.mock.timers.tick(10_000);
    return collected;
  });
}

test("memory is given back once after a time of use, when Slipway idles", (t) => {
  deepEqual(collections(t, 0.2, 0.2, 0.001, 0.001, 0.001), [0, 0, 1, 1, 1]);
});

test("a little traffic never stops the process again", (t) => {
  equal(collections(t, 0.01, 0.02, 0.01, 0.02, 0.01).at(-1), 1);
});

test("it is given back again after the next time of use", (t) => {
  deepEqual(collections(t, 0.001, 0.3, 0.001), [1, 1, 2]);
});

test("V8 collects on demand", async () => {
  let thing: object | undefined = {};
  const reference = new WeakRef(thing);
  thing = undefined;
  await new Promise((later) => setImmediate(later)); // until then a new reference holds on to its thing
  collectGarbage();
  equal(reference.deref(), undefined);
});
