import assert from "node:assert/strict";
import { test } from "node:test";
import { type KeySource, withAskedKeys } from "./asked-keys.ts";

function source(keys: Readonly<Record<string, string>>): KeySource & { reads: number } {
  return {
    reads: 0,
    supplies: (key) => key in keys,
    read() {
      this.reads++;
      return keys;
    },
  };
}

test("a source is read once and only where its key is asked for", async () => {
  const [tags, own] = [source({ "aws:resourcetag/team": "red" }), source({ "s3:prefix": "home/" })];
  const known = { "aws:userid": "u" };
  const first = await withAskedKeys(known, [tags, own], (context) => context["aws:userid"]);
  assert.deepEqual([first, tags.reads, own.reads], ["u", 0, 0]);
  // The second key is asked for only once the first is known.
  const both = await withAskedKeys(known, [tags, own], (context) =>
    context["s3:prefix"] === undefined ? "no" : `${context["s3:prefix"]}${context["aws:resourcetag/team"]}`,
  );
  assert.deepEqual([both, tags.reads, own.reads], ["home/red", 1, 1]);
});

test("all ways to ask for a key count, and what nobody has stays absent", async () => {
  const asks: ((context: object) => unknown)[] = [
    (context) => Object.hasOwn(context, "k"),
    (context) => "k" in context,
    (context) => (context as { k?: string }).k !== undefined,
  ];
  for (const ask of asks) {
    const own = source({ k: "v" });
    assert.deepEqual([await withAskedKeys({}, [own], ask), own.reads], [true, 1]);
    assert.equal(await withAskedKeys({}, [source({ other: "v" })], ask), false);
  }
  assert.equal(await withAskedKeys({}, [], (context) => "toString" in context), false);
});
