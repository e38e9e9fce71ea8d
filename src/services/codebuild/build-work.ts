/** Takes up builds that wait. What runs them is loaded with the first one: a start is faster without it. */
import { EngineUnavailableError } from "#engines/engine.ts";
import type { System } from "#gateway/context.ts";
import { BUILD_WORK } from "./submit-build.ts";

const ENGINE_RETRY_MS = 1_000;

export function registerBuilds(system: System): void {
  system.work.register(BUILD_WORK, async (item, signal) => {
    const { runBuild } = await import("./runner.ts");
    try {
      return await runBuild(system, item, signal);
    } catch (error) {
      // The engine is away: no fault of the build's, which goes on when it is back.
      if (!(error instanceof EngineUnavailableError)) throw error;
      system.log("warn", "the container engine does not answer; builds wait for it", { build: item.id });
      return new Date(Date.now() + ENGINE_RETRY_MS);
    }
  });
}
