import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Random } from "#tests/fuzz/random.ts";
import { jsonMistakePlace } from "./json-position.ts";

const PLACES: readonly [what: string, json: string, place: string][] = [
  ["nothing", "", "line 1 column 1 (position 0)"],
  ["no JSON at all", "hello", "line 1 column 1 (position 0)"],
  ["a value without quotation marks", '{"Version": hello}', "line 1 column 13 (position 12)"],
  ["a comma too many", '{\n  "a": 1,\n}', "line 3 column 1 (position 12)"],
  ["a comma too few", "[\n1 2]", "line 2 column 3 (position 4)"],
  ["a colon too few", '{"a" 1}', "line 1 column 6 (position 5)"],
  ["a key that is no text", '{"a":1,2:3}', "line 1 column 8 (position 7)"],
  ["apostrophes", "{'a':1}", "line 1 column 2 (position 1)"],
  ["a leading zero", '{"a":01}', "line 1 column 7 (position 6)"],
  ["a text over two lines", '{"a":"x\ny"}', "line 1 column 6 (position 5)"],
  ["a text without end", '{"a":"x', "line 1 column 6 (position 5)"],
  ["an escape that there is not", '["\\x"]', "line 1 column 2 (position 1)"],
  ["an object without end", '{"a":[1]', "line 1 column 9 (position 8)"],
  ["the wrong bracket", '{"a":[1}', "line 1 column 8 (position 7)"],
  ["an end too many", "[]]", "line 1 column 3 (position 2)"],
  ["something after the end", "{} \n x", "line 2 column 2 (position 5)"],
  ["a comment", '{/* */"a":1}', "line 1 column 2 (position 1)"],
];

suite("where a text stops being JSON", () => {
  for (const [what, json, place] of PLACES) {
    test(what, () => {
      assert.throws(() => JSON.parse(json), SyntaxError);
      assert.equal(jsonMistakePlace(json), place);
    });
  }

  test("nesting without end", () => {
    assert.equal(jsonMistakePlace("[".repeat(100_000)), "line 1 column 100001 (position 100000)");
  });

  test("is where JSON.parse finds it, where that says so", () => {
    const random = new Random(7);
    const sound = '{"a":[1,-2.5e3,true,null,"x\\n\\u00e9"],"b":{"c":{},"d":[]},"e":"\u007f"}';
    let compared = 0;
    for (let round = 0; round < 5_000; round++) {
      const at = random.below(sound.length);
      const json = sound.slice(0, at) + random.pick(["", ",", "}", "]", "1", '"', ":", "[", "{"]) + sound.slice(at + 1);
      const message = mistakeOf(json);
      // Of a text or number that is broken it names the place inside.
      const position = /^Expected [^']*'.* at position (\d+)/.exec(message ?? "")?.[1];
      if (position === undefined) continue;
      assert.match(jsonMistakePlace(json), new RegExp(`\\(position ${position}\\)$`), json);
      compared++;
    }
    assert.ok(compared > 500, String(compared));
  });
});

function mistakeOf(json: string): string | undefined {
  try {
    JSON.parse(json);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
