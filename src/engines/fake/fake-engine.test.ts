import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  becomeHealthy,
  collected,
  container,
  engineContract,
  type ProgramName,
  programs,
} from "#engines/engine.contract.ts";
import { ContainerStartError, EngineUnavailableError, ImageUnavailableError } from "#engines/engine.ts";
import type { Behaviour } from "./fake-container.ts";
import { FakeEngine } from "./fake-engine.ts";

const image = "slipway-test/busybox:1";

/** What the contract's programs do. */
const behaviours: Readonly<Record<ProgramName, Behaviour>> = {
  exit3: (main) => main.exit(3),
  waitForTerm: (main) => {
    main.log("ready");
    main.onTerminate = () => main.exit(0);
    main.onExec = (command) => {
      if (command !== becomeHealthy) return { exitCode: 7, stdout: "out\n", stderr: "err\n" };
      main.health("healthy");
      return { exitCode: 0, stdout: "", stderr: "" };
    };
  },
  hundredLines: async (main) => {
    for (let index = 0; index < 100; index++) {
      main.log(`line ${index}`);
      await new Promise(setImmediate);
    }
    main.exit(0);
  },
  bothStreams: (main) => {
    main.log("to stdout");
    main.log("to stderr", "stderr");
    main.log("unfinished");
    main.exit(0);
  },
  writeFiles: (main) => {
    for (const folder of ["/out", "/link"]) {
      main.writeFile(`${folder}/a.txt`, "one");
      main.writeFile(`${folder}/deep/b.txt`, "two");
    }
    main.exit(0);
  },
  readInput: (main) => {
    main.log(main.files.get("/made/for/it/input.txt")!.toString().trimEnd());
    main.exit(0);
  },
};

function anEngine(): FakeEngine {
  const engine = new FakeEngine();
  const { id } = engine.addImage(image);
  const names = Object.keys(programs) as ProgramName[];
  engine.behave(id, (main) => {
    const name = names.find((candidate) => main.spec.command?.[0] === programs[candidate]);
    if (name !== undefined) behaviours[name](main);
  });
  return engine;
}

const contractEngine = anEngine();
engineContract(
  "fake",
  () => contractEngine,
  async () => image,
  async (engine, id, reference) => void engine.addImage(reference, { id }),
);

describe("fake engine, beyond the contract", () => {
  const idle = (id: string) => ({
    id,
    labels: {},
    containers: [{ ...container("exit3", `fake-image:${image}`), command: [] }],
  });

  test("the test makes containers do things", async () => {
    const engine = anEngine();
    const group = idle("by-hand");
    await engine.create(group);
    const started = engine.started("by-hand", "main");
    await engine.startContainer("by-hand", "main");
    const main = await started;
    main.log("one");
    main.exit(137, { outOfMemory: true });
    const lines = await collected(engine.logs("by-hand", "main", { skip: 0 }));
    assert.deepEqual(
      lines.map((line) => line.text),
      ["one"],
    );
    assert.equal((await engine.state("by-hand"))?.containers[0]?.outOfMemory, true);
    assert.throws(() => main.log("after the end"), /cannot log: it is exited/);
  });

  test("calls out of order throw, and are remembered for callers that swallow errors", async () => {
    const engine = anEngine();
    await engine.create(idle("early"));
    await assert.rejects(engine.address("early", 80), /none of whose containers runs/);
    await assert.rejects(engine.exec("early", "main", ["true"]), /which is created/);
    assert.throws(() => engine.assertNoMisuse(), /none of whose containers runs/);
  });

  test("images can be remote or refused, starts can fail, the engine can be away", async () => {
    const engine = anEngine();
    engine.addImage("remote:1", { remote: true });
    assert.equal(await engine.image("remote:1"), undefined);
    assert.equal((await engine.pull("remote:1")).id, "fake-image:remote:1");
    assert.ok(await engine.image("remote:1"));
    engine.refuseImage("private:1", "denied");
    await assert.rejects(engine.pull("private:1"), new ImageUnavailableError("denied"));

    await engine.create(idle("broken"));
    engine.failStart("main", "no such file");
    await assert.rejects(engine.startContainer("broken", "main"), ContainerStartError);
    const [state] = (await engine.state("broken"))!.containers;
    assert.deepEqual([state?.status, state?.error], ["exited", "no such file"]);

    engine.unavailable = true;
    await assert.rejects(engine.state("broken"), EngineUnavailableError);
  });
});
