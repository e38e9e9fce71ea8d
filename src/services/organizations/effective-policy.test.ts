import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MalformedPolicyError } from "#gateway/authz/policy-document.ts";
import file from "./cases/effective-policies.json" with { type: "json" };
import { effectivePolicy, parseManagementPolicy, toPolicyContent } from "./effective-policy.ts";

describe("the effective policy", () => {
  for (const { name, levels, effective } of file.cases) {
    it(name, () => {
      const written = levels.map((level) => level.map((policy) => ({ id: "p-1", content: JSON.stringify(policy) })));
      for (const { content } of written.flat()) parseManagementPolicy(content);
      assert.deepEqual(JSON.parse(toPolicyContent(effectivePolicy(written)!)), effective);
    });
  }

  it("is none without policies", () => {
    assert.equal(effectivePolicy([[], []]), undefined);
  });
});

describe("a management policy", () => {
  for (const [what, content, place] of [
    ["is JSON", "{", /invalid Json/],
    ["is an object", "[]", /^Policy: /],
    ["has operators that there are", '{"tags":{"a":{"@@set":"x"}}}', /^Policy\.tags\.a\.@@set: /],
    ["has settings under operators only", '{"tags":{"a":"x"}}', /^Policy\.tags\.a: /],
    ["appends lists", '{"tags":{"a":{"@@append":"x"}}}', /^Policy\.tags\.a\.@@append: /],
    ["assigns values", '{"tags":{"a":{"@@assign":{"b":1}}}}', /^Policy\.tags\.a\.@@assign: /],
    [
      "restricts operators that there are",
      '{"tags":{"@@operators_allowed_for_child_policies":["all"]}}',
      /^Policy\.tags\.@@operators_allowed_for_child_policies: /,
    ],
    ["has a depth", `${'{"a":'.repeat(5000)}{}${"}".repeat(5000)}`, /nested too deeply/],
  ] as const) {
    it(what, () => {
      assert.throws(
        () => parseManagementPolicy(content),
        (error) => error instanceof MalformedPolicyError && place.test(error.message),
      );
    });
  }
});
