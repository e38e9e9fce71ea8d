import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { allSteps, summary } from "./demo.ts";

/** What is written to the terminal from now on. */
function written(t: TestContext): () => string {
  const write = t.mock.method(process.stdout, "write", () => true);
  return () => write.mock.calls.map(({ arguments: [text] }) => String(text)).join("");
}

test("a step that does not hold is shown with its reason, and nothing after it is begun", async (t) => {
  const begun: string[] = [];
  const step = (title: string, error?: Error) => ({
    title,
    run: async () => {
      begun.push(title);
      if (error) throw error;
    },
  });
  const text = written(t);
  const held = await allSteps(
    [step("First"), step("Second", new Error("no such cluster")), step("Third")],
    () => false,
  );
  assert.equal(held, false);
  assert.deepEqual(begun, ["First", "Second"]);
  assert.match(text(), /^✔ First [ .]+ \d+\.\d s\n✖ Second [ .]+ \d+\.\d s\n\nno such cluster\n$/);
});

test("all steps hold, each on a line of its own", async (t) => {
  const text = written(t);
  assert.equal(await allSteps([{ title: "One", run: async () => {} }], () => false), true);
  assert.match(text(), /^✔ One [ .]+ \d+\.\d s\n$/);
});

test("the demo tells its key to a person at a terminal, and to no log", () => {
  const running = {
    pid: 1,
    url: "http://127.0.0.1:4566",
    port: 4566,
    account: "387543059434",
    region: "ca-central-1",
    accessKeyId: "AKIAEXAMPLE",
    secretAccessKey: "a/b+c=",
    caBundle: "/tmp/bundle.pem",
  };
  const story = { target: undefined, badgeUrl: "http://127.0.0.1:4566/badges?uuid=1" };
  const tells = (text: string) => [running.accessKeyId, running.secretAccessKey].map((secret) => text.includes(secret));
  assert.deepEqual(tells(summary(story, running, true)), [true, true]);
  assert.deepEqual(tells(summary(story, running, false)), [false, false]);
});
