import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MalformedPolicyError, type PolicyKind, parsePolicy } from "./policy-document.ts";

type Raw = Record<string, unknown>;
const ALLOW_ALL = { Effect: "Allow", Action: "*", Resource: "*" } as const;
const TRUST = { Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" } as const;

function policy(...statements: Raw[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function without(raw: Raw, element: string): Raw {
  return Object.fromEntries(Object.entries(raw).filter(([key]) => key !== element));
}

function refusal(json: string, kind: PolicyKind): string {
  try {
    parsePolicy(json, kind);
  } catch (error) {
    assert.ok(error instanceof MalformedPolicyError, String(error));
    return error.message;
  }
  assert.fail("was not refused");
}

suite("parsePolicy takes", () => {
  test("one statement or many, one value or many", () => {
    const one = parsePolicy(JSON.stringify({ Statement: ALLOW_ALL }), "identity");
    assert.equal(one.version, "2008-10-17");
    assert.deepEqual(one.statements[0]?.actions, ["*"]);
    const many = parsePolicy(policy({ ...ALLOW_ALL, Action: ["s3:Get*", "s3:List*"] }, ALLOW_ALL), "identity");
    assert.equal(many.statements.length, 2);
    assert.deepEqual(many.statements[0]?.actions, ["s3:Get*", "s3:List*"]);
  });

  test("a trust policy as the console writes it", () => {
    const { statements } = parsePolicy(policy(TRUST), "trust");
    assert.deepEqual(statements[0]?.principal, {
      AWS: [],
      Service: ["codebuild.amazonaws.com"],
      Federated: [],
      CanonicalUser: [],
    });
  });

  test("numbers and booleans without quotation marks in conditions", () => {
    const Condition = { Bool: { "aws:SecureTransport": true }, NumericLessThan: { "s3:max-keys": 10 } };
    const { statements } = parsePolicy(policy({ ...ALLOW_ALL, Condition }), "identity");
    assert.deepEqual(
      statements[0]?.conditions.map(({ values }) => values),
      [["true"], ["10"]],
    );
  });

  test("statements without Sid, and empty ones", () => {
    parsePolicy(policy({ ...ALLOW_ALL, Sid: "" }, { ...ALLOW_ALL, Sid: "" }, ALLOW_ALL), "identity");
  });

  test("every way to name a principal", () => {
    const AWS = [
      "123456789012",
      "arn:aws:iam::123456789012:root",
      "arn:aws:iam::123456789012:user/a/b",
      "arn:aws:sts::123456789012:assumed-role/role/session@example.com",
      "AROAEXAMPLEID1234567",
      "*",
    ];
    const Federated = ["token.actions.githubusercontent.com", "arn:aws:iam::123456789012:oidc-provider/example.com/x"];
    parsePolicy(policy({ ...ALLOW_ALL, Principal: { AWS, Federated } }), "resource");
    parsePolicy(policy({ ...ALLOW_ALL, Principal: "*" }), "resource");
  });
});

const REFUSED: [what: string, json: string, kind: PolicyKind, message: RegExp][] = [
  ["text that is not JSON", "{", "identity", /^This policy contains invalid Json/],
  ["something else than an object", "[]", "identity", /^Policy: Syntax errors in policy\./],
  ["a policy without statements", "{}", "identity", /^Statement: .*Missing required field Statement/],
  ["an empty list of statements", '{"Statement":[]}', "identity", /^Statement: /],
  ["a wrong version", '{"Version":"2012-10-18","Statement":[]}', "identity", /^Version: /],
  [
    "a key given twice",
    '{"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}',
    "identity",
    /"Effect" occurs twice/,
  ],
  [
    "a key given twice, once escaped",
    '{"Statement":{"Effect":"Deny","Effec\\u0074":"Allow","Action":"*","Resource":"*"}}',
    "identity",
    /"Effect" occurs twice/,
  ],
  ["an unknown element of the policy", '{"Statment":[]}', "identity", /^Statment: .*Unknown field/],
  [
    "an unknown element of a statement",
    policy({ ...ALLOW_ALL, Actions: "*" }),
    "identity",
    /^Statement\[0\]\.Actions: .*Unknown field/,
  ],
  [
    "a missing effect",
    policy(without(ALLOW_ALL, "Effect")),
    "identity",
    /^Statement\[0\]: .*Missing required field Effect/,
  ],
  ["an effect in lower case", policy({ ...ALLOW_ALL, Effect: "allow" }), "identity", /^Statement\[0\]\.Effect: /],
  [
    "a statement without action",
    policy(without(ALLOW_ALL, "Action")),
    "identity",
    /^Statement\[0\]: Policy statement must contain actions\.$/,
  ],
  [
    "both Action and NotAction",
    policy({ ...ALLOW_ALL, NotAction: "s3:*" }),
    "identity",
    /already has instance of Action/,
  ],
  [
    "both Resource and NotResource",
    policy({ ...ALLOW_ALL, NotResource: "*" }),
    "identity",
    /already has instance of Resource/,
  ],
  ["an empty list of actions", policy({ ...ALLOW_ALL, Action: [] }), "identity", /^Statement\[0\]\.Action: /],
  [
    "an action without service",
    policy(ALLOW_ALL, { ...ALLOW_ALL, Action: "GetObject" }),
    "identity",
    /^Statement\[1\]\.Action: Actions\/Conditions must be prefaced by a vendor, e\.g\., iam, sdb, ec2, etc\.$/,
  ],
  [
    "an action with two colons",
    policy({ ...ALLOW_ALL, Action: "s3:Get:Object" }),
    "identity",
    /Actions\/Condition can contain only one colon\.$/,
  ],
  ["a wildcard in the service", policy({ ...ALLOW_ALL, Action: "s*:Get" }), "identity", /Vendor s\* is not valid$/],
  [
    "an action that is no string",
    policy({ ...ALLOW_ALL, Action: [{ Ref: "X" }] }),
    "identity",
    /^Statement\[0\]\.Action\[0\]: .*Expected a string/,
  ],
  [
    "a statement without resource",
    policy(without(ALLOW_ALL, "Resource")),
    "identity",
    /^Statement\[0\]: Policy statement must contain resources\.$/,
  ],
  [
    "a resource that is no ARN",
    policy({ ...ALLOW_ALL, Resource: "bucket" }),
    "identity",
    /^Statement\[0\]\.Resource: Resource bucket must be in ARN format or "\*"\.$/,
  ],
  [
    "an unknown partition",
    policy({ ...ALLOW_ALL, Resource: "arn:aws:s3:::a" }).replace("arn:aws:", "arn:was:"),
    "identity",
    /Partition "was" is not valid for resource "arn:was:s3:::a"\.$/,
  ],
  [
    "a resource without service",
    policy({ ...ALLOW_ALL, Resource: "arn:aws" }),
    "identity",
    /Resource vendor must be fully qualified/,
  ],
  [
    "an IAM resource with a region",
    policy({ ...ALLOW_ALL, Resource: "arn:aws:iam:us-east-1:123456789012:role/x" }),
    "identity",
    /IAM resource .* cannot contain region information\.$/,
  ],
  [
    "a duplicate Sid",
    policy({ ...ALLOW_ALL, Sid: "A" }, { ...ALLOW_ALL, Sid: "A" }),
    "identity",
    /^Statement\[1\]\.Sid: Statement IDs \(SID\) in a single policy must be unique\.$/,
  ],
  ["a Sid with other characters", policy({ ...ALLOW_ALL, Sid: "a-b" }), "identity", /must be alpha-numeric/],
  [
    "a principal in an identity policy",
    policy({ ...ALLOW_ALL, Principal: "*" }),
    "identity",
    /Policy document should not specify a principal\.$/,
  ],
  ["a principal in an SCP", policy({ ...ALLOW_ALL, Principal: "*" }), "scp", /should not specify a principal/],
  ["a resource policy without principal", policy(ALLOW_ALL), "resource", /Missing required field Principal$/],
  [
    "a trust policy with a resource",
    policy({ ...TRUST, Resource: "*" }),
    "trust",
    /^Statement\[0\]: Has prohibited field Resource$/,
  ],
  [
    "a trust policy for other actions",
    policy({ ...TRUST, Action: "s3:*" }),
    "trust",
    /AssumeRole policy may only specify STS AssumeRole actions\.$/,
  ],
  [
    "NotPrincipal in a trust policy",
    policy({ ...without(TRUST, "Principal"), NotPrincipal: { AWS: "*" } }),
    "trust",
    /prohibited field NotPrincipal/,
  ],
  [
    "a malformed principal ARN",
    policy({ ...TRUST, Principal: { AWS: "arn:aws::iam::123456789012:root" } }),
    "trust",
    /^Statement\[0\]\.Principal\.AWS: Invalid principal in policy: "AWS":"arn:aws::iam::123456789012:root"$/,
  ],
  [
    "a wildcard in a principal",
    policy({ ...TRUST, Principal: { AWS: "arn:aws:iam::123456789012:role/*" } }),
    "trust",
    /Invalid principal/,
  ],
  [
    "a principal that is a bare ARN",
    policy({ ...TRUST, Principal: "arn:aws:iam::123456789012:root" }),
    "trust",
    /Invalid principal/,
  ],
  [
    "an unknown type of principal",
    policy({ ...TRUST, Principal: { User: "x" } }),
    "trust",
    /^Statement\[0\]\.Principal\.User: /,
  ],
  [
    "an unknown operator",
    policy({ ...ALLOW_ALL, Condition: { StringMatches: { "aws:username": "a" } } }),
    "identity",
    /^Statement\[0\]\.Condition\.StringMatches\.aws:username: Invalid Condition type : StringMatches$/,
  ],
  [
    "an operator named like a property of objects",
    policy({ ...ALLOW_ALL, Condition: { constructor: { "aws:username": "a" } } }),
    "identity",
    /Invalid Condition type : constructor$/,
  ],
  [
    "an unknown set operator",
    policy({ ...ALLOW_ALL, Condition: { "ForSomeValues:StringLike": { "aws:username": "a" } } }),
    "identity",
    /Invalid Condition type/,
  ],
  [
    "Null with IfExists",
    policy({ ...ALLOW_ALL, Condition: { NullIfExists: { "aws:username": "true" } } }),
    "identity",
    /Invalid Condition type/,
  ],
  [
    "a condition key without service",
    policy({ ...ALLOW_ALL, Condition: { StringEquals: { username: "a" } } }),
    "identity",
    /must be prefaced by a vendor/,
  ],
  [
    "a number that is none",
    policy({ ...ALLOW_ALL, Condition: { NumericEquals: { "s3:max-keys": "few" } } }),
    "identity",
    /"few" is not a number/,
  ],
  [
    "a date that is none",
    policy({ ...ALLOW_ALL, Condition: { DateLessThan: { "aws:CurrentTime": "tomorrow" } } }),
    "identity",
    /neither an ISO 8601 date/,
  ],
  [
    "an address range that is none",
    policy({ ...ALLOW_ALL, Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/33" } } }),
    "identity",
    /is not an IP address range/,
  ],
  [
    "a value of Null other than true and false",
    policy({ ...ALLOW_ALL, Condition: { Null: { "aws:username": "yes" } } }),
    "identity",
    /must be true or false/,
  ],
  [
    "an object as a condition's value",
    policy({ ...ALLOW_ALL, Condition: { StringEquals: { "aws:username": {} } } }),
    "identity",
    /Expected a string/,
  ],
  [
    "a variable without closing brace",
    policy({ ...ALLOW_ALL, Resource: "arn:aws:s3:::a/${aws:username" }),
    "identity",
    /^Statement\[0\]\.Resource: .*closing curly brace/,
  ],
  ["an empty variable", policy({ ...ALLOW_ALL, Resource: "arn:aws:s3:::a/${}" }), "identity", /malformed/],
  ["a document too long", policy({ ...ALLOW_ALL, Sid: "a".repeat(131_072) }), "identity", /longer than/],
  [
    "deep nesting",
    `{"Statement":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
    "identity",
    /^Statement\[0\]: .*Expected an object/,
  ],
];

suite("parsePolicy refuses", () => {
  for (const [what, json, kind, message] of REFUSED) {
    test(what, () => assert.match(refusal(json, kind), message));
  }
});
