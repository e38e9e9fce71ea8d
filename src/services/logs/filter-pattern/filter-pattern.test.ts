import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidParameterException } from "@aws-sdk/client-cloudwatch-logs";
import { filterPattern } from "./filter-pattern.ts";

/** The events of AWS's examples that the pattern finds. */
function found(pattern: string, messages: readonly string[]): string[] {
  return messages.filter(filterPattern(pattern));
}

const LINES = [
  "[ERROR 400] BAD REQUEST",
  "[ERROR 401] UNAUTHORIZED REQUEST",
  "[ERROR 419] MISSING ARGUMENTS",
  "[ERROR 420] INVALID ARGUMENTS",
  "[SUCCESS 200] AUTHORIZED REQUEST",
];

describe("terms", () => {
  const cases: readonly [pattern: string, indices: readonly number[]][] = [
    ["", [0, 1, 2, 3, 4]],
    ["ERROR", [0, 1, 2, 3]],
    ["error", []],
    ["ERROR ARGUMENTS", [2, 3]],
    ["?400 ?UNAUTHORIZED", [0, 1]],
    ["ERROR -401", [0, 2, 3]],
    ["-ERROR", [4]],
    ["?400 ERROR", [0, 1, 2, 3]],
    ['"INVALID ARGUMENTS"', [3]],
    ['-"INVALID ARGUMENTS" ERROR', [0, 1, 2]],
    ["AUTHORIZED", [4]],
    ["%AUTHORIZED%", [1, 4]],
    ["%^.SUCCESS|40[01]%", [0, 1, 4]],
  ];
  for (const [pattern, indices] of cases) {
    test(pattern || "(empty)", () => {
      assert.deepEqual(
        found(pattern, LINES),
        indices.map((index) => LINES[index]),
      );
    });
  }
});

describe("JSON", () => {
  const event = JSON.stringify({
    eventType: "UpdateTrail",
    sourceIPAddress: "111.111.111.111",
    arrayKey: ["value", "another value"],
    objectList: [
      { name: "a", id: 1 },
      { name: "b", id: 2 },
    ],
    SomeObject: null,
    ThisFlag: true,
    latency: 0.05,
    code: "400",
    "dotted.key": "x",
  });
  const cases: readonly [pattern: string, matches: boolean][] = [
    ['{ $.eventType = "UpdateTrail" }', true],
    ['{ $.eventType != "UpdateTrail" }', false],
    ["{ $.eventType = Update* }", true],
    ["{ $.eventType = *Trail }", true],
    ["{ $.eventType = *Trails }", false],
    ["{ $.sourceIPAddress != 123.123.* }", true],
    ["{ $.sourceIPAddress = 111.111.* }", true],
    ['{ $.arrayKey[0] = "value" }', true],
    ['{ $.arrayKey[1] = "value" }', false],
    ['{ $.arrayKey[*] = "another value" }', true],
    ["{ $.objectList[1].id = 2 }", true],
    ["{ $.objectList[*].id > 2 }", false],
    ["{ $.SomeObject IS NULL }", true],
    ["{ $.ThisFlag IS TRUE }", true],
    ["{ $.ThisFlag is false }", false],
    ["{ $.SomeOtherObject NOT EXISTS }", true],
    ["{ $.ThisFlag NOT EXISTS }", false],
    ["{ $.latency < 0.1 }", true],
    ["{ $.latency >= 1e-1 }", false],
    ["{ $.code = %4[0-9]{2}% }", true],
    ["{ $.code = 4* && $.latency = 0.05 }", true],
    ['{ ($.eventType = "x" || $.ThisFlag IS TRUE) && $.objectList[0].name = "a" }', true],
    ['{ $.eventType = "x" && $.ThisFlag IS TRUE || $.code = "400" }', true],
    ["{ $['dotted.key'] = x }", true],
    ["{ $.missing != 1 }", false],
  ];
  for (const [pattern, matches] of cases) {
    test(pattern, () => assert.equal(filterPattern(pattern)(event), matches));
  }

  test("events that are not JSON never match", () => {
    assert.deepEqual(found("{ $.a NOT EXISTS }", ["plain text", "{ broken", "{}"]), ["{}"]);
  });
});

describe("space-delimited", () => {
  const line = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534';
  const cases: readonly [pattern: string, matches: boolean][] = [
    ["[ip, user, username, timestamp, request, status_code, bytes]", true],
    ["[ip, user, username, timestamp, request, status_code]", false],
    ["[ip, user, username, timestamp, request, status_code=4*, bytes]", true],
    ["[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes > 1000]", true],
    ["[ip, user, username, timestamp, request, status_code=5* || status_code=404, bytes]", true],
    ["[ip!=127.0.0.1, ...]", false],
    ["[..., status_code=404, bytes]", true],
    ["[ip=%127\\.0\\.0\\.[1-9]%, ..., bytes < 1000]", false],
  ];
  for (const [pattern, matches] of cases) {
    test(pattern, () => assert.equal(filterPattern(pattern)(line), matches));
  }
});

describe("mistakes are InvalidParameterException", () => {
  const patterns = [
    '"open',
    "%open",
    "%(a)%",
    "%[z-a]%",
    "{ $.a }",
    "{ $.a = }",
    "{ $ = 1 }",
    "{ $.a = 1",
    "{ $.a = 1 } x",
    "{ ($.a = 1 }",
    '{ $.a > "x" }',
    "{ $.a IS 5 }",
    "[a, ..., b, ...]",
    "[a",
    "?",
  ];
  for (const pattern of patterns) {
    test(pattern, () => assert.throws(() => filterPattern(pattern), InvalidParameterException));
  }
});

test("a regular expression that would take backtracking engines for ever is answered", () => {
  assert.equal(filterPattern("%^[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*$%")(`${"a".repeat(5000)}!`), false);
});
