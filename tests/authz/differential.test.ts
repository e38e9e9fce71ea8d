/**
 * Slipway's evaluator and `@cloud-copilot/iam-simulate` decide the same 10,000 random cases. Where they disagree, AWS's
 * documentation must say why: see `explanations.ts`.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { evaluate, missingKeys } from "#gateway/authz/evaluate.ts";
import { inOurForm, oracle, ours, type Verdict } from "./deciders.ts";
import { EXPLANATIONS, rewritten } from "./explanations.ts";
import { Random, type RandomCase, randomCase } from "./random-case.ts";

const CASES = 10_000;
const SEED = 20_261_125;

interface Difference {
  readonly oracle: string;
  readonly slipway: string;
  readonly source: string;
  readonly because: string;
}

const DIFFERENCES = JSON.parse(readFileSync(new URL("differences.json", import.meta.url), "utf8")) as Record<
  string,
  Difference
>;

suite("the evaluator against another", () => {
  test("every explanation names its source, and the other way round", () => {
    assert.deepEqual(Object.keys(EXPLANATIONS).sort(), Object.keys(DIFFERENCES).sort());
    for (const { source } of Object.values(DIFFERENCES)) assert.match(source, /^https:\/\/docs\.aws\.amazon\.com\//);
  });

  test(`${CASES} random cases: no disagreement that AWS's documentation does not explain`, async () => {
    const random = new Random(SEED);
    const tally: Record<Verdict, number> = { allow: 0, deny: 0, "explicit deny": 0 };
    const used = new Set<string>();
    const unexplained: object[] = [];
    for (let count = 0; count < CASES; count++) {
      const given = randomCase(random);
      const verdict = ours(given);
      tally[verdict] += 1;
      if ((await oracle(given)) === verdict) continue;
      const alone = await whichAlone(given, verdict);
      if (alone !== undefined) {
        used.add(alone);
        continue;
      }
      const { inOtherWords, names } = rewritten(given);
      if (ours(inOtherWords) === verdict && (await oracle(inOtherWords)) === verdict) continue;
      unexplained.push({ given, slipway: verdict, oracle: await oracle(given), tried: names });
    }
    assert.deepEqual(unexplained.slice(0, 3), []);
    // Each verdict occurs often enough, and each explanation is the whole reason at least once.
    for (const [verdict, count] of Object.entries(tally)) assert.ok(count > CASES / 20, `${verdict}: ${count}`);
    assert.deepEqual([...used].sort(), Object.keys(EXPLANATIONS).sort());
  });
});

/** What lets the gateway decide without knowing anything of a request but its action, resource and principal. */
test(`${CASES} random cases: where no policy asks for a key, the keys change nothing`, () => {
  const random = new Random(SEED);
  let without = 0;
  for (let count = 0; count < CASES; count++) {
    const given = randomCase(random);
    const { request, policies } = inOurForm(given);
    const bare = { ...request, context: {} };
    if (missingKeys(bare, policies).length > 0) continue;
    without += 1;
    assert.deepEqual(evaluate(bare, policies), evaluate(request, policies), JSON.stringify(given));
  }
  assert.ok(without > CASES / 20 && without < CASES, `${without} without`);
});

/** The one explanation that suffices; undefined where it takes several. */
async function whichAlone(given: RandomCase, verdict: Verdict): Promise<string | undefined> {
  for (const [name, rewrite] of Object.entries(EXPLANATIONS)) {
    const inOtherWords = rewrite(given);
    if ((await oracle(inOtherWords)) === verdict && ours(inOtherWords) === verdict) return name;
  }
  return undefined;
}
