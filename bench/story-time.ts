/**
 * The story's time from webhook to new version served, and beside it the same docker and git commands run by hand for the
 * same commit, in turn. A merge starts two builds, the webhook's and the pipeline's, and so two are run by hand too.
 */

import type { Story } from "#demo/story.ts";
import * as verification from "#demo/verification.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import { runSteps, storyOn } from "#tests/helpers/story.ts";
import { ByHand } from "./by-hand.ts";
import type { Conditions, Figure, Measurement } from "./measurement.ts";

const BUILDS = 2;

export const storyTime: Measurement = { name: "story", runs: 3, containers: true, measure };

async function measure({ runs, log }: Conditions): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const { slipway, story } = await preparedStory(stack);
  const byHand = stack.use(await ByHand.prepare(story, slipway.running));
  const delivered: number[] = [];
  const commanded: number[] = [];
  for (let round = 0; round < runs; round++) {
    const version = String(round + 2);
    delivered.push(await delivery(story, version));
    commanded.push(await byHand.delivery(version, BUILDS));
    log(`version ${version}: Slipway ${delivered.at(-1)!.toFixed(1)} s, by hand ${commanded.at(-1)!.toFixed(1)} s`);
  }
  const ratios = delivered.map((seconds, index) => seconds / commanded[index]!);
  return [
    { name: "story over the same commands by hand", unit: "x", values: ratios, goal: { atMost: 1.3 } },
    { name: "  story, merge and webhook to new version served", unit: "s", values: delivered },
    { name: "  by hand, clone to new version served", unit: "s", values: commanded },
  ];
}

/** A Slipway of its own on which the story is set up; the stack takes both away again. */
export async function preparedStory(stack: AsyncDisposableStack): Promise<{ slipway: SlipwayProcess; story: Story }> {
  const slipway = await SlipwayProcess.start();
  const story = storyOn(slipway);
  // In the other order: images go when no container uses them any more.
  stack.defer(() => story.cleanUp());
  stack.use(slipway);
  await runSteps(story.setUp());
  return { slipway, story };
}

/** Seconds from the merge on, which takes a tenth itself. Returns when everything that it set off has ended. */
export async function delivery(story: Story, version: string): Promise<number> {
  const started = performance.now();
  await story.release(version);
  await story.serves(version);
  const seconds = (performance.now() - started) / 1000;
  await verification.stageSucceeded(story, "Deploy");
  await story.stopCaller();
  await verification.buildsSucceeded(story);
  return seconds;
}
