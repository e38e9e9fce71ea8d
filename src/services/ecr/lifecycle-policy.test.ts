import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { expirations, type LifecycleImage, parsedLifecyclePolicy } from "./lifecycle-policy.ts";

const NOW = new Date("2024-06-01T00:00:00Z");

/** Pushed so many days ago; the digest is the name. */
function image(digest: string, days: number, ...tags: string[]): LifecycleImage {
  return { digest, tags, pushedAt: new Date(NOW.getTime() - days * 86_400_000), isListed: false };
}

function policy(...rules: object[]): string {
  const numbered = rules.map((selection, index) => ({
    rulePriority: index + 1,
    selection,
    action: { type: "expire" },
  }));
  return JSON.stringify({ rules: numbered });
}

function expired(text: string, images: readonly LifecycleImage[]): string[] {
  return expirations(parsedLifecyclePolicy(text), images, NOW).map(
    ({ digest, rulePriority }) => `${digest}:${rulePriority}`,
  );
}

suite("evaluation", () => {
  test("by count, the oldest go", () => {
    const images = [image("old", 9, "a"), image("new", 1, "b"), image("middle", 5)];
    const rule = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 1 };
    assert.deepEqual(expired(policy(rule), images), ["middle:1", "old:1"]);
  });

  test("by age, exactly at the limit stays", () => {
    const rule = { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 };
    const images = [image("at", 14), image("over", 14.01), image("tagged", 30, "v1")];
    assert.deepEqual(expired(policy(rule), images), ["over:1"]);
  });

  test("an image must have a tag for every pattern and prefix", () => {
    const count = { countType: "imageCountMoreThan", countNumber: 1 };
    const patterns = { tagStatus: "tagged", tagPatternList: ["prod*", "*-eu"], ...count };
    const images = [image("both", 9, "prod1", "x-eu"), image("one", 8, "prod2"), image("single", 7, "prod-eu")];
    assert.deepEqual(expired(policy(patterns), images), ["both:1"]);
    const prefixes = { tagStatus: "tagged", tagPrefixList: ["prod"], ...count };
    assert.deepEqual(expired(policy(prefixes), images), ["one:1", "both:1"]);
  });

  // The page's own example: an image that a rule selects is out of reach of lower priorities, which still count it.
  test("a rule protects what it selects from the rules after it", () => {
    const images = [image("a", 9, "alpha"), image("b", 8, "beta"), image("c", 7, "alpha", "beta")];
    const rules = policy(
      { tagStatus: "tagged", tagPrefixList: ["alpha"], countType: "imageCountMoreThan", countNumber: 1 },
      { tagStatus: "tagged", tagPrefixList: ["beta"], countType: "imageCountMoreThan", countNumber: 1 },
    );
    assert.deepEqual(expired(rules, images), ["a:1", "b:2"]);
    const keepsAll = policy(
      { tagStatus: "tagged", tagPrefixList: ["alpha"], countType: "imageCountMoreThan", countNumber: 5 },
      { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 1 },
    );
    assert.deepEqual(expired(keepsAll, images), ["b:2"]);
  });

  test("what a manifest list names stays", () => {
    const images = [{ ...image("child", 30), isListed: true }, image("orphan", 29)];
    const rule = { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 1 };
    assert.deepEqual(expired(policy(rule), images), ["orphan:1"]);
  });
});

suite("validation", () => {
  const good = { tagStatus: "untagged", countType: "imageCountMoreThan", countNumber: 1 };
  const bad: readonly [reason: string, text: string, words: RegExp][] = [
    ["no JSON", "{", /Could not map policyString into LifecyclePolicy\.'$/],
    ["no rules", "{}", /object has missing required properties \(\["rules"\]\)'$/],
    ["empty rules", '{"rules":[]}', /array is too short/],
    ["a rule that is none", '{"rules":[1]}', /instance type \(number\) does not match any allowed primitive type/],
    [
      "an unknown member",
      policy({ ...good, color: 1 }),
      /properties which are not allowed by the schema: \(\["color"\]\)/,
    ],
    ["an unknown status", policy({ ...good, tagStatus: "some" }), /instance value \("some"\) not found in enum/],
    [
      "a count of nothing",
      policy({ ...good, countNumber: 0 }),
      /lower than the required minimum \(minimum: 1, found: 0\)/,
    ],
    [
      "a unit for a count",
      policy({ ...good, countUnit: "days" }),
      /failed to match exactly one schema \(matched 0 out of 2\)/,
    ],
    ["an age without unit", policy({ ...good, countType: "sinceImagePushed" }), /matched 0 out of 2/],
    [
      "tagged without tags",
      policy({ ...good, tagStatus: "tagged" }),
      /exactly one of tagPrefixList and tagPatternList/,
    ],
    ["untagged with tags", policy({ ...good, tagPrefixList: ["a"] }), /must be omitted/],
    ["two for untagged", policy(good, good), /only one rule/],
    ["any before another", policy({ ...good, tagStatus: "any" }, good), /must have the highest rulePriority/],
    ["five wildcards", policy({ ...good, tagStatus: "tagged", tagPatternList: ["*1*2*3*4*"] }), /at most 4 wildcards/],
  ];
  for (const [reason, text, words] of bad) {
    test(reason, () => {
      assert.throws(
        () => parsedLifecyclePolicy(text),
        (error: Error) => {
          assert.equal(error.name, "InvalidParameterException");
          assert.match(
            error.message,
            /^Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: /,
          );
          assert.match(error.message, words);
          return true;
        },
      );
    });
  }
});
