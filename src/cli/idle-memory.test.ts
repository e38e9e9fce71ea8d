import { equal } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { releaseMemoryWhenIdle } from "./idle-memory.ts";

const MB = 1024 * 1024;

function observed(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const state = { busy: 0, resident: 200 * MB, left: 120 * MB, collections: 0 };
  releaseMemoryWhenIdle({
    busy: () => state.busy,
    resident: () => state.resident,
    collect() {
      state.collections++;
      state.resident = state.left;
    },
  });
  return { state, later: () => t.mock.timers.tick(10_000) };
}

test("memory is given back when Slipway idles, once", (t) => {
  const { state, later } = observed(t);
  later();
  later();
  equal(state.collections, 1);
});

test("a busy Slipway is not stopped for it", (t) => {
  const { state, later } = observed(t);
  state.busy = 0.2;
  later();
  equal(state.collections, 0);
  state.busy = 0.001;
  later();
  equal(state.collections, 1);
});

test("it is given back again after more has been taken", (t) => {
  const { state, later } = observed(t);
  later();
  state.resident += 30 * MB;
  later();
  equal(state.collections, 2);
});
