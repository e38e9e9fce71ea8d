import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { globMatcher } from "./glob.ts";

const cases: [pattern: string, matching: string[], others: string[]][] = [
  ["a.txt", ["a.txt"], ["aXtxt", "b/a.txt", "a.txt/b"]],
  ["*.txt", ["a.txt", ".txt"], ["a/b.txt", "a.txtx"]],
  ["**/*", ["a", "a/b/c", ".git/config"], []],
  ["**", ["a", "a/b"], []],
  ["src/**/*.js", ["src/a.js", "src/b/c/a.js"], ["src/a.ts", "xsrc/a.js"]],
  ["src/**", ["src/a", "src/b/c"], ["src", "other/a"]],
  ["**/target/*.jar", ["target/a.jar", "x/y/target/a.jar"], ["xtarget/a.jar", "target/x/a.jar"]],
  ["a**b", ["ab", "axb"], ["a/b"]],
  ["file?.[ch]", ["file1.c", "file2.h"], ["file.c", "file1.x", "file/.c"]],
  ["[!a]*", ["b", "bc"], ["a", "/"]],
  ["[]a]x", ["]x", "ax"], ["bx"]],
  ["{a,b/*}.{js,ts}", ["a.js", "b/x.ts"], ["c.js", "b.ts"]],
  ["a,b}", ["a,b}"], ["a"]],
  ["\\*+(x)$", ["*+(x)$"], ["a+(x)$", "*x"]],
  ["größe/*", ["größe/ü"], ["grösse/ü"]],
];

describe("globMatcher", () => {
  for (const [pattern, matching, others] of cases) {
    it(pattern, () => {
      const matches = globMatcher(pattern);
      assert.deepEqual(
        matching.filter((path) => !matches(path)),
        [],
      );
      assert.deepEqual(others.filter(matches), []);
    });
  }

  it("answers at once where a backtracking engine takes minutes", () => {
    assert.equal(globMatcher(`${"*a".repeat(30)}b`)("a".repeat(200)), false);
  });
});
