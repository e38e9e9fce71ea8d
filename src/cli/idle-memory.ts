/**
 * Gives memory back when Slipway has nothing to do. V8 collects garbage while it allocates; what a delivery leaves behind,
 * garbage and code that ran once, would stay until the next one. The collection stops the process for some 0.1 s, so it
 * comes once after a time of use, when the event loop has been idle for a while.
 */
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_EVERY_MS = 10_000;
/** Share of that time in which something ran. Health checks of a few services and polling runners stay below it. */
const IDLE_BELOW = 0.03;

export interface EventLoop {
  /** Share of the time since it was asked last in which the loop was busy. */
  busy(): number;
  collect(): void;
}

/** For the life of the process; its start is its first use. */
export function releaseMemoryWhenIdle(loop: EventLoop = ownLoop()): void {
  let used = true;
  setInterval(() => {
    if (loop.busy() >= IDLE_BELOW) {
      used = true;
    } else if (used) {
      loop.collect();
      loop.busy(); // the collection is no use
      used = false;
    }
  }, LOOK_EVERY_MS).unref();
}

function ownLoop(): EventLoop {
  let last = performance.eventLoopUtilization();
  return {
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    collect: collectGarbage,
  };
}

/** Also drops compiled code that has not run lately, most of a start's: a plain collection would free next to nothing. */
export function collectGarbage(): void {
  // As an option of Node's it would have Node's own modules compiled anew at the start, 50 ms.
  setFlagsFromString("--expose-gc");
  const gc: (options: object) => void = runInNewContext("gc");
  gc({ type: "major", flavor: "last-resort" });
}
