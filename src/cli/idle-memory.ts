/**
 * Gives memory back when Slipway has nothing to do. V8 collects garbage while it allocates; what a delivery leaves behind,
 * garbage and code that ran once, would stay until the next one. The collection stops the process for some 0.1 s, so it
 * comes once after a time of use, and only when the event loop has been idle for a while.
 */
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_EVERY_MS = 10_000;
/** Share of that time in which something ran. Health checks of a few services and polling runners stay below it. */
const IDLE_BELOW = 0.03;
const WORTH_IT_BYTES = 6 * 1024 * 1024;

export interface MemoryUse {
  /** Share of the time since it was asked last in which the event loop was busy. */
  busy(): number;
  /** Bytes. */
  resident(): number;
  collect(): void;
}

/** For the life of the process. */
export function releaseMemoryWhenIdle(use: MemoryUse = ownUse()): void {
  let afterCollection = 0;
  setInterval(() => {
    if (use.busy() > IDLE_BELOW || use.resident() < afterCollection + WORTH_IT_BYTES) return;
    use.collect();
    afterCollection = use.resident();
  }, LOOK_EVERY_MS).unref();
}

function ownUse(): MemoryUse {
  let last = performance.eventLoopUtilization();
  return {
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    resident: () => process.memoryUsage.rss(),
    // Also drops compiled code that has not run lately, most of a start's; a plain collection would free next to nothing.
    collect: () => collector()({ type: "major", flavor: "last-resort" }),
  };
}

/** V8's `gc`. Node's own `--expose-gc` has Node's own modules compiled anew at the start, 50 ms. */
function collector(): (options: object) => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}
