/**
 * Every operator with a set operator, with and without IfExists, on every kind of set: the table is
 * condition-set-forms.json, which says of each form when it holds, and for each operator which values hold.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { compilePolicy } from "./compile.ts";
import forms from "./condition-set-forms.json" with { type: "json" };
import { CONDITION_OPERATORS } from "./conditions.ts";
import { type Decision, evaluate } from "./evaluate.ts";
import { parsePolicy } from "./policy-document.ts";

interface Values {
  readonly policy: readonly string[];
  readonly holds: readonly string[];
  readonly fails: readonly string[];
}

type ContextValue = string | readonly string[] | undefined;

const OPERATORS: Readonly<Record<string, Values>> = forms.operators;
const FORMS: Readonly<Record<string, Readonly<Record<string, boolean>>>> = forms.forms;
const NULL_CASES: readonly { operator: string; value: string; context?: string[]; holds: boolean }[] = forms.null;

/** What a request can have of a key, by the names of the table. */
function contexts({ holds, fails }: Values): Readonly<Record<string, ContextValue>> {
  return {
    "every value holds": holds,
    "one of two values holds": [fails[0]!, holds[0]!],
    "no value holds": fails,
    "one text that holds": holds[0],
    "one text that does not hold": fails[0],
    "no values": [],
    "the empty text alone": [""],
    "no key": undefined,
  };
}

function decided(operator: string, value: readonly string[] | string, context: ContextValue): Decision {
  const Condition = { [operator]: { "x:key": value } };
  const Statement = [{ Effect: "Allow", Action: "*", Resource: "*", Condition }];
  const policy = compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement }), "identity"));
  const request = {
    principal: {
      type: "User",
      arn: "arn:aws:iam::111122223333:user/dev",
      accountId: "111122223333",
      userId: "AIDADEV",
    },
    action: "codebuild:StartBuild",
    resource: "arn:aws:codebuild:ca-central-1:111122223333:project/cruddur",
    resourceAccountId: "111122223333",
    context: { "x:key": context },
  } as const;
  return evaluate(request, { identity: [policy] });
}

function expected(holds: boolean): Decision {
  return holds
    ? { allowed: true, explicit: false }
    : { allowed: false, explicit: false, policyType: "identity-based policy" };
}

for (const [form, expectations] of Object.entries(FORMS)) {
  suite(`IAM set forms: ${form}`, () => {
    for (const [operator, values] of Object.entries(OPERATORS)) {
      test(operator, () => {
        const found = contexts(values);
        assert.deepEqual(Object.keys(expectations), Object.keys(found));
        for (const [name, holds] of Object.entries(expectations)) {
          const decision = decided(form.replace("OPERATOR", operator), values.policy, found[name]);
          assert.deepEqual(decision, expected(holds), name);
        }
      });
    }
  });
}

suite("IAM set forms: Null", () => {
  for (const { operator, value, context, holds } of NULL_CASES) {
    test(`${operator} ${value} ${context ? "with the key" : "without it"}`, () => {
      assert.deepEqual(decided(operator, value, context), expected(holds));
    });
  }
});

suite("IAM set forms: no operators are", () => {
  for (const operator of forms.refused) {
    test(operator, () => {
      const message = `Statement[0].Condition.${operator}.x:key: Invalid Condition type : ${operator}`;
      assert.throws(() => decided(operator, "true", undefined), { message });
    });
  }
});

suite("IAM cases", () => {
  test("have every operator in every form", () => {
    assert.equal(CONDITION_OPERATORS.length, 26);
    assert.deepEqual(Object.keys(OPERATORS).sort(), CONDITION_OPERATORS.toSorted());
    assert.deepEqual(Object.keys(FORMS), [
      "ForAnyValue:OPERATOR",
      "ForAnyValue:OPERATORIfExists",
      "ForAllValues:OPERATOR",
      "ForAllValues:OPERATORIfExists",
    ]);
    const folder = new URL("cases/", import.meta.url);
    const text = readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => readFileSync(new URL(name, folder), "utf8"))
      .join("");
    for (const operator of CONDITION_OPERATORS) {
      for (const form of [operator, `${operator}IfExists`]) assert.ok(text.includes(`"${form}": {`), form);
    }
  });
});
