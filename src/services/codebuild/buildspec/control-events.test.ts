import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { agentLine, buildspecLines } from "./agent-log.ts";
import { parseControlLine, phaseContext } from "./control-events.ts";
import { parseBuildspec } from "./parse-buildspec.ts";

const nonce = "abc123";
const ended = `{"event":"phase-ended","time":"2023/03/01 10:00:00.123456","phase":"BUILD","status":"FAILED","exitStatus":2,"command":"${Buffer.from('echo "ü"\n').toString("hex")}"}`;

describe("parseControlLine", () => {
  it("reads a failed phase and words its context", () => {
    const event = parseControlLine(`${nonce} ${ended}`, nonce);
    assert.ok(event?.event === "phase-ended");
    assert.deepEqual(event, {
      event: "phase-ended",
      time: new Date("2023-03-01T10:00:00.123Z"),
      phase: "BUILD",
      status: "FAILED",
      exitStatus: 2,
      command: 'echo "ü"\n',
    });
    assert.deepEqual(phaseContext(event), {
      statusCode: "COMMAND_EXECUTION_ERROR",
      message: 'Error while executing command: echo "ü"\n. Reason: exit status 2',
    });
  });

  it("finds the event after foreign text without a newline", () => {
    assert.ok(parseControlLine(`noise${nonce} ${ended}`, nonce));
  });

  for (const line of [
    "",
    ended,
    `other ${ended}`,
    `${nonce} {"event":`,
    `${nonce} {"event":"unknown","time":""}`,
    `${nonce} 5`,
  ]) {
    it(`ignores ${JSON.stringify(line.slice(0, 30))}`, () => assert.equal(parseControlLine(line, nonce), undefined));
  }

  it("takes nothing for an event without a nonce", () => assert.equal(parseControlLine(` ${ended}`, ""), undefined));
});

describe("the agent's log lines", () => {
  it("stamps like CodeBuild", () => {
    assert.equal(
      agentLine(new Date("2023-03-01T10:00:00.123Z"), "Waiting for agent ping"),
      "[Container] 2023/03/01 10:00:00.123000 Waiting for agent ping",
    );
  });

  it("tells runtimes and phases", () => {
    const buildspec = parseBuildspec(
      "version: 0.2\nphases:\n  install: {runtime-versions: {docker: 20}}\n  build: {commands: [a, b]}",
    );
    assert.deepEqual(buildspecLines(buildspec, "/src"), [
      "Processing environment variables",
      "Selecting 'docker' runtime version '20' based on manual selections...",
      "Moving to directory /src",
      "Cache is not defined in the buildspec",
      "Registering with agent",
      "Phases found in YAML: 2",
      " INSTALL: 0 commands",
      " BUILD: 2 commands",
      "Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED",
      "Phase context status code:  Message: ",
    ]);
  });
});
