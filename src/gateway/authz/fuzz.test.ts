/** What nobody would write on purpose: the parser refuses in its own words, the evaluator denies, and neither takes long. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { compilePolicy } from "./compile.ts";
import { type AuthorizationRequest, evaluate } from "./evaluate.ts";
import { MalformedPolicyError, type PolicyDocument, type PolicyKind, parsePolicy } from "./policy-document.ts";

const KINDS: readonly PolicyKind[] = ["identity", "resource", "trust", "session", "boundary", "scp"];
const REQUEST: AuthorizationRequest = {
  action: "codebuild:StartBuild",
  resource: "arn:aws:codebuild:ca-central-1:111122223333:project/cruddur",
  resourceAccountId: "111122223333",
  principal: { type: "User", accountId: "111122223333", arn: "arn:aws:iam::111122223333:user/alice" },
  context: { "aws:username": "alice", "aws:tagkeys": ["env", ""], "aws:sourceip": "10.0.0.1" },
};

/** undefined for what is refused. Anything but MalformedPolicyError fails the test. */
function parsed(json: string, kind: PolicyKind): PolicyDocument | undefined {
  try {
    return parsePolicy(json, kind);
  } catch (error) {
    assert.ok(error instanceof MalformedPolicyError, String((error as Error).stack));
    return undefined;
  }
}

function evaluated(document: PolicyDocument, kind: PolicyKind, request = REQUEST) {
  const policy = compilePolicy(document);
  const ofResource = kind === "resource" || kind === "trust";
  const decision = evaluate(request, ofResource ? { identity: [], resource: policy } : { identity: [policy] });
  assert.equal(decision.fault, undefined);
  return decision;
}

const ODD_KEYS = ["__proto__", "constructor", "toString", "hasOwnProperty", "", "\ud800", "\ufeffVersion", "a\u0000b"];
const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(...ODD_KEYS, "${", "${}", "${aws:username", "${aws:username, 'x", "*", "?", "arn:", "1e400", "-0"),
);
const scalar = fc.oneof(oddText, fc.double(), fc.boolean(), fc.constant(null), fc.bigInt().map(Number));
const oneOrMany = <T>(value: fc.Arbitrary<T>) => fc.oneof(value, fc.array(value, { maxLength: 3 }));
const action = fc.oneof(fc.constantFrom("*", "codebuild:*", "codebuild:Start?uild", "sts:AssumeRole"), scalar);
const resource = fc.oneof(fc.constantFrom("*", "arn:aws:codebuild:*", "arn:aws:s3:::${aws:username}/*"), scalar);
const operator = fc.oneof(
  fc.constantFrom("StringLike", "ForAllValues:StringNotEquals", "ArnLike", "DateLessThan", "Null", "BinaryEquals"),
  fc.constantFrom("IpAddressIfExists", "NumericEquals", "Bool", "ForAnyValue:Bool", "ForAnyValue:Null"),
  oddText,
);
const contextKey = fc.oneof(fc.constantFrom("aws:username", "aws:TagKeys", "aws:SourceIp", "aws:__proto__"), oddText);
const condition = fc.dictionary(operator, fc.dictionary(contextKey, oneOrMany(scalar), { maxKeys: 2 }), { maxKeys: 2 });
const principal = fc.oneof(
  fc.constant("*"),
  fc.dictionary(fc.constantFrom("AWS", "Service"), oneOrMany(oddText)),
  scalar,
);
const statement = fc.record(
  {
    Sid: oddText,
    Effect: fc.oneof(fc.constantFrom("Allow", "Deny"), scalar),
    Principal: principal,
    NotPrincipal: principal,
    Action: oneOrMany(action),
    NotAction: oneOrMany(action),
    Resource: oneOrMany(resource),
    NotResource: oneOrMany(resource),
    Condition: fc.oneof(condition, scalar),
  },
  { requiredKeys: [] },
);
const likely = fc.record(
  {
    Effect: fc.constantFrom("Allow", "Deny"),
    Action: oneOrMany(fc.constantFrom("*", "codebuild:*", "iam:*")),
    Resource: oneOrMany(fc.constantFrom("*", "arn:aws:codebuild:*")),
    Condition: condition,
  },
  { requiredKeys: ["Effect", "Action", "Resource"] },
);
const policy = fc.record(
  {
    Version: fc.oneof(fc.constantFrom("2012-10-17", "2008-10-17"), scalar),
    Id: scalar,
    Statement: oneOrMany(fc.oneof(statement, likely)),
  },
  { requiredKeys: ["Statement"] },
);
const kind = fc.constantFrom(...KINDS);

suite("whatever comes", () => {
  test("any text is parsed or refused", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), kind, (text, kind) => void parsed(text, kind)));
    fc.assert(fc.property(fc.json(), kind, (text, kind) => void parsed(text, kind)));
  });

  test("a policy of odd parts is refused, or evaluated without a fault", () => {
    const run = (raw: unknown, kind: PolicyKind) => {
      const document = parsed(JSON.stringify(raw), kind);
      if (document) evaluated(document, kind);
    };
    fc.assert(fc.property(policy, kind, run), { numRuns: 2_000 });
  });

  test("a policy that is parsed means the same when it is written anew", () => {
    fc.assert(
      fc.property(fc.array(likely, { minLength: 1, maxLength: 4 }), (Statement) => {
        const document = parsed(JSON.stringify({ Version: "2012-10-17", Statement }), "identity");
        if (!document) return;
        const again = parsed(JSON.stringify({ Version: "2012-10-17", Statement }, null, 4), "identity");
        assert.deepEqual(evaluated(again!, "identity"), evaluated(document, "identity"));
      }),
    );
  });

  test("any request gets a decision, and none is allowed that no statement allows", () => {
    const denying = compilePolicy(
      parsePolicy('{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}', "identity"),
    );
    const context = fc.dictionary(oddText, fc.oneof(oddText, fc.array(oddText)));
    const request = fc.record({ action: oddText, resource: oddText, context });
    fc.assert(
      fc.property(request, (odd) => {
        assert.equal(evaluate({ ...REQUEST, ...odd }, { identity: [] }).allowed, false);
        assert.equal(evaluate({ ...REQUEST, ...odd }, { identity: [denying] }).explicit, true);
      }),
    );
  });

  test("what is not a request at all is denied", () => {
    const everything = compilePolicy(
      parsePolicy('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', "identity"),
    );
    const broken = { ...REQUEST, action: undefined } as unknown as AuthorizationRequest;
    const decision = evaluate(broken, { identity: [everything] });
    assert.equal(decision.allowed, false);
    assert.ok(decision.fault instanceof TypeError);
  });
});

suite("hostile size", () => {
  const statementWith = (more: object) =>
    JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*", ...more } });

  test("10,000 values of a condition", () => {
    const values = Array.from({ length: 10_000 }, (_, index) => `v${index}`);
    const Condition = { StringLike: { "aws:username": [...values, "ali*"] } };
    assert.equal(evaluated(parsePolicy(statementWith({ Condition }), "identity"), "identity").allowed, true);
  });

  test("a text as long as a policy may be", () => {
    const Condition = { StringEquals: { "aws:username": "a".repeat(130_000) } };
    assert.equal(evaluated(parsePolicy(statementWith({ Condition }), "identity"), "identity").allowed, false);
  });

  test("10,000 statements", () => {
    const Statement = Array.from({ length: 2_500 }, () => ({ Effect: "Allow", Action: "a:b", Resource: "*" }));
    const document = parsePolicy(JSON.stringify({ Statement }), "identity");
    assert.equal(evaluated(document, "identity").allowed, false);
    const more = JSON.stringify({ Statement: Array(10_000).fill({ Effect: "Allow", Action: "a:b", Resource: "*" }) });
    assert.throws(() => parsePolicy(more, "identity"), MalformedPolicyError);
  });

  test("a pattern of nothing but wildcards, on a long text", () => {
    const Condition = { StringLike: { "aws:username": `${"*a".repeat(2_000)}b` } };
    const request = { ...REQUEST, context: { "aws:username": "a".repeat(20_000) } };
    const document = parsePolicy(statementWith({ Condition }), "identity");
    assert.equal(evaluated(document, "identity", request).allowed, false);
  });

  test("nesting without end, numbers beyond all bounds, a byte order mark, half a character", () => {
    for (const json of [
      `${"[".repeat(60_000)}${"]".repeat(60_000)}`,
      `{"Statement":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`,
      `\ufeff${statementWith({})}`,
      statementWith({ Sid: "\ud800" }),
      statementWith({ Action: 1e308 }),
    ]) {
      assert.equal(parsed(json, "identity"), undefined);
    }
    const huge = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":${"9".repeat(1000)}}}}}`;
    assert.equal(parsed(huge, "identity"), undefined);
  });
});
