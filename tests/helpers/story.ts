/** The demo's story on a Slipway of the test's own. */
import { Story } from "#demo/story.ts";
import { configuredSocket } from "#setup/container-engine.ts";
import { imageReference } from "#setup/image-recipe.ts";
import type { SlipwayProcess } from "./slipway-process.ts";

export const OWNER = "omenking";

export function storyOn(slipway: Pick<SlipwayProcess, "running" | "repositories">): Story {
  const socketPath = configuredSocket(process.env.DOCKER_HOST);
  if (!socketPath) throw new Error("DOCKER_HOST must name the engine's socket; npm test sets it");
  return new Story({
    ...slipway.running,
    owner: OWNER,
    repositories: slipway.repositories,
    socketPath,
    baseImage: imageReference("cruddur-python"),
  });
}

/** Runs steps in order; the failing step's title leads its message. */
export async function runSteps(steps: ReturnType<Story["setUp"]>): Promise<void> {
  for (const { title, run } of steps) {
    await run().catch((error: unknown) => {
      throw new Error(`${title}: ${error instanceof Error ? error.message : error}`, { cause: error });
    });
  }
}
