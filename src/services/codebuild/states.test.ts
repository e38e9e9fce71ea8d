import assert from "node:assert/strict";
import { test } from "node:test";
import type { Build, BuildPhaseType } from "@aws-sdk/client-codebuild";
import scenarios from "./scenarios/states.json" with { type: "json" };
import { type BuildEvent, hasReached, openPhase, type PhaseEnd, submittedPhases, toNextState } from "./states.ts";

const START = Date.parse("2026-03-01T10:00:00Z");

/** `entered PHASE SECOND`, `ended PHASE STATUS SECOND`, `completed SECOND` */
function toEvent(text: string): BuildEvent {
  const words = text.split(" ");
  const at = new Date(START + Number(words.at(-1)) * 1000);
  const phase = words[1] as BuildPhaseType;
  if (words[0] === "completed") return { type: "completed", at };
  if (words[0] === "entered") return { type: "entered", phase, at };
  return { type: "ended", phase, status: words[2] as PhaseEnd, at };
}

for (const scenario of scenarios) {
  test(scenario.about, () => {
    const submitted: Build = submittedPhases(new Date(START));
    const run = () => scenario.events.map(toEvent).reduce(toNextState, submitted);
    if (scenario.refused !== undefined) {
      assert.throws(run, { name: "BuildStateError", message: new RegExp(scenario.refused) });
      return;
    }
    const build = run();
    const shown = build.phases!.map(({ phaseType, phaseStatus, durationInSeconds }) =>
      [phaseType, phaseStatus, durationInSeconds].filter((part) => part !== undefined).join(" "),
    );
    assert.deepEqual(shown, scenario.phases);
    assert.equal(build.buildStatus, scenario.status);
    assert.equal(build.currentPhase, "COMPLETED");
    assert.equal(build.buildComplete, true);
    assert.deepEqual(build.endTime, build.phases!.at(-1)!.startTime);
  });
}

test("a build in a phase", () => {
  const build: Build = ["ended QUEUED SUCCEEDED 1", "entered PROVISIONING 1"]
    .map(toEvent)
    .reduce(toNextState, submittedPhases(new Date(START)));
  assert.equal(build.buildStatus, "IN_PROGRESS");
  assert.equal(openPhase(build)?.phaseType, "PROVISIONING");
  assert.equal(hasReached(build, "PROVISIONING"), true);
  assert.equal(hasReached(build, "DOWNLOAD_SOURCE"), false);
  const ended = toNextState(build, {
    type: "ended",
    phase: "PROVISIONING",
    status: "FAILED",
    at: new Date(START),
    contexts: [{ statusCode: "X", message: "y" }],
  });
  assert.deepEqual(ended.phases!.at(-1)!.contexts, [{ statusCode: "X", message: "y" }]);
  assert.equal(openPhase(ended), undefined);
});
