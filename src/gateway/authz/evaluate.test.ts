import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type CompiledPolicy, compilePolicy } from "./compile.ts";
import {
  type AuthorizationRequest,
  deniedMessage,
  evaluate,
  missingKeys,
  type PolicySet,
  type PolicyType,
} from "./evaluate.ts";
import { type PolicyKind, parsePolicy } from "./policy-document.ts";

const REQUEST: AuthorizationRequest = {
  action: "ecr:GetAuthorizationToken",
  resource: "*",
  resourceAccountId: "111122223333",
  principal: { type: "User", accountId: "111122223333", arn: "arn:aws:iam::111122223333:user/alice" },
  context: {},
};

function denied(
  request: Partial<AuthorizationRequest>,
  policyType: PolicyType,
  explicit = false,
  policyArn?: string,
): string {
  const decision = { allowed: false, explicit, policyType, ...(policyArn !== undefined && { policyArn }) };
  return deniedMessage({ ...REQUEST, ...request }, decision);
}

function compiled(statement: object, kind: PolicyKind = "identity", arn?: string): CompiledPolicy {
  return compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement: statement }), kind), arn);
}

const EVERYTHING = { Effect: "Allow", Action: "*", Resource: "*" };

suite("evaluate", () => {
  test("an evaluation that fails is a denial, and says what failed", () => {
    const fault = new Error("broken policy");
    const broken = {
      denies: () => {
        throw fault;
      },
    } as unknown as CompiledPolicy;
    assert.deepEqual(evaluate(REQUEST, { identity: [compiled(EVERYTHING), broken] }), {
      allowed: false,
      explicit: false,
      fault,
    });
  });

  test("a variable named like a method of objects has no value", () => {
    const policy = compiled({ ...EVERYTHING, Condition: { StringLike: { "aws:x": "${a:constructor}*" } } });
    const context = Object.assign(Object.create(null), { "aws:x": "function" });
    assert.equal(evaluate({ ...REQUEST, context }, { identity: [policy] }).allowed, false);
    assert.equal(evaluate({ ...REQUEST, context: { "aws:x": "function" } }, { identity: [policy] }).allowed, false);
  });

  test("an explicit denial says which policy it is by, where that has an ARN", () => {
    const [ecr, s3] = ["ecr", "s3"].map((service) => ({ Effect: "Deny", Action: `${service}:*`, Resource: "*" }));
    const named = (statement: object | undefined, name: string, kind?: PolicyKind) =>
      compiled(statement!, kind, `arn:aws:iam::111122223333:policy/${name}`);
    const decisions = (policies: Partial<PolicySet>) => evaluate(REQUEST, { identity: [], ...policies }).policyArn;
    assert.equal(decisions({ identity: [named(s3, "s3"), named(ecr, "ecr")] }), "arn:aws:iam::111122223333:policy/ecr");
    assert.equal(decisions({ boundary: named(ecr, "b", "boundary") }), "arn:aws:iam::111122223333:policy/b");
    assert.equal(decisions({ session: [named(ecr, "s", "session")] }), "arn:aws:iam::111122223333:policy/s");
    assert.equal(decisions({ scps: [[named(s3, "r", "scp")], [named(ecr, "a", "scp")]] })?.at(-1), "a");
    assert.equal(decisions({ identity: [compiled(ecr!)] }), undefined);
    assert.equal(decisions({ identity: [named(s3, "s3")] }), undefined, "nothing denies explicitly");
  });
});

suite("missingKeys", () => {
  const ABOUT_TAG = { StringEquals: { "aws:ResourceTag/Team": "red" } };
  const ARN = "arn:aws:ecr:us-east-1:111122223333:repository/a";
  const CASES: [name: string, statement: object, missing: string[]][] = [
    ["of a condition, in lower case", { ...EVERYTHING, Condition: ABOUT_TAG }, ["aws:resourcetag/team"]],
    ["of a Deny statement too", { ...EVERYTHING, Effect: "Deny", Condition: ABOUT_TAG }, ["aws:resourcetag/team"]],
    ["not of one about another action", { ...EVERYTHING, Action: "s3:*", Condition: ABOUT_TAG }, []],
    ["not of one about another resource", { ...EVERYTHING, Resource: `${ARN}b`, Condition: ABOUT_TAG }, []],
    ["not what the context has", { ...EVERYTHING, Condition: { Bool: { "AWS:SecureTransport": "true" } } }, []],
    ["nor has without a value", { ...EVERYTHING, Condition: { Null: { "aws:Referer": "true" } } }, []],
    ["of a resource's variable", { ...EVERYTHING, Resource: "arn:aws:ecr:*:*:repository/${ecr:X}" }, ["ecr:x"]],
    [
      "of the conditions behind a resource's variable",
      { ...EVERYTHING, Resource: "arn:aws:ecr:*:*:${ecr:X, 'z'}", Condition: ABOUT_TAG },
      ["ecr:x", "aws:resourcetag/team"],
    ],
    [
      "of a NotResource and a value",
      {
        Effect: "Allow",
        Action: "ecr:*",
        NotResource: "arn:aws:ecr:::${ecr:X}",
        Condition: { ArnLike: { "aws:y": "${aws:Z}${*}" } },
      },
      ["ecr:x", "aws:y", "aws:z"],
    ],
  ];
  for (const [name, statement, missing] of CASES) {
    test(name, () => {
      const context = { "aws:securetransport": "true", "aws:referer": undefined };
      const request = { ...REQUEST, action: "ecr:DescribeImages", resource: ARN, context };
      assert.deepEqual(missingKeys(request, { identity: [compiled(statement)] }), missing);
    });
  }

  test("of every type of policy", () => {
    const about = (key: string, kind: PolicyKind) =>
      compiled(
        { ...EVERYTHING, ...(kind === "resource" && { Principal: "*" }), Condition: { Null: { [key]: "false" } } },
        kind,
      );
    const policies: PolicySet = {
      identity: [about("a:i", "identity")],
      boundary: about("a:b", "boundary"),
      session: [about("a:s", "session")],
      scps: [[about("a:root", "scp")], [about("a:unit", "scp")]],
      rcps: [[about("a:rcp", "resource")]],
      resource: about("a:r", "resource"),
    };
    const expected = ["a:b", "a:i", "a:r", "a:rcp", "a:root", "a:s", "a:unit"];
    assert.deepEqual(missingKeys(REQUEST, policies).sort(), expected);
  });

  test("none where variables are plain text", () => {
    const document = { Version: "2008-10-17", Statement: { ...EVERYTHING, Resource: "arn:aws:ecr:::${ecr:X}" } };
    const policy = compilePolicy(parsePolicy(JSON.stringify(document), "identity"));
    assert.deepEqual(missingKeys(REQUEST, { identity: [policy] }), []);
  });
});

suite("deniedMessage", () => {
  const FOREIGN = { resourceAccountId: "999988887777" };
  const SCP = "arn:aws:organizations::444455556666:policy/o-a/service_control_policy/p-1";
  const BY_SCP = ["service control policy", true, SCP] as const;
  const user = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform:";
  const CASES: [message: string, expected: string][] = [
    [
      denied({}, "identity-based policy"),
      `${user} ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action`,
    ],
    [
      denied({}, "service control policy", true),
      `${user} ecr:GetAuthorizationToken on resource: * with an explicit deny in a service control policy`,
    ],
    [
      denied({}, "identity-based policy", true),
      `${user} ecr:GetAuthorizationToken on resource: * with an explicit deny in an identity-based policy`,
    ],
    [
      denied({}, "identity-based policy", true, "arn:aws:iam::111122223333:policy/guard"),
      `${user} ecr:GetAuthorizationToken on resource: * with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/guard`,
    ],
    [
      denied(FOREIGN, ...BY_SCP),
      `${user} ecr:GetAuthorizationToken on resource: * with an explicit deny in a service control policy`,
    ],
    [
      denied({ ...FOREIGN, context: { "aws:principalorgid": "o-a", "aws:resourceorgid": "o-b" } }, ...BY_SCP),
      `${user} ecr:GetAuthorizationToken on resource: * with an explicit deny in a service control policy`,
    ],
    [
      denied({ ...FOREIGN, context: { "aws:principalorgid": "o-a", "aws:resourceorgid": "o-a" } }, ...BY_SCP),
      `${user} ecr:GetAuthorizationToken on resource: * with an explicit deny in a service control policy: ${SCP}`,
    ],
    [
      denied({ principal: { type: "Anonymous", accountId: "111122223333", arn: "" } }, ...BY_SCP),
      "User: anonymous is not authorized to perform: ecr:GetAuthorizationToken on resource: * with an explicit deny in a service control policy",
    ],
    [
      denied({}, "permissions boundary"),
      `${user} ecr:GetAuthorizationToken on resource: * because no permissions boundary allows the ecr:GetAuthorizationToken action`,
    ],
    [
      denied({ action: "s3:ListBucket", resource: "arn:aws:s3:::cruddur" }, "resource-based policy", true),
      `${user} s3:ListBucket on resource: "arn:aws:s3:::cruddur" with an explicit deny in a resource-based policy`,
    ],
    [
      denied({ action: "sts:AssumeRole", resource: "arn:aws:iam::111122223333:role/r" }, "resource-based policy"),
      `${user} sts:AssumeRole on resource: arn:aws:iam::111122223333:role/r because no role trust policy allows the sts:AssumeRole action`,
    ],
    [
      denied(
        { action: "iam:GetRole", resource: "arn:aws:iam::111122223333:role/service-role/build" },
        "identity-based policy",
      ),
      `${user} iam:GetRole on resource: role build because no identity-based policy allows the iam:GetRole action`,
    ],
    [
      denied(
        { action: "iam:AddRoleToInstanceProfile", resource: "arn:aws:iam::111122223333:instance-profile/web" },
        "permissions boundary",
        true,
      ),
      `${user} iam:AddRoleToInstanceProfile on resource: instance profile web with an explicit deny in a permissions boundary`,
    ],
    [
      denied({ action: "iam:GetPolicy", resource: "arn:aws:iam::aws:policy/ReadOnlyAccess" }, "session policy"),
      `${user} iam:GetPolicy on resource: policy arn:aws:iam::aws:policy/ReadOnlyAccess because no session policy allows the iam:GetPolicy action`,
    ],
    [
      denied({ action: "iam:CreatePolicy", resource: "arn:aws:iam::111122223333:policy/p" }, "permissions boundary"),
      `${user} iam:CreatePolicy on resource: policy p because no permissions boundary allows the iam:CreatePolicy action`,
    ],
    [
      denied({ action: "iam:PassRole", resource: "arn:aws:iam::111122223333:role/build" }, "identity-based policy"),
      `${user} iam:PassRole on resource: arn:aws:iam::111122223333:role/build because no identity-based policy allows the iam:PassRole action`,
    ],
    [
      denied({ action: "iam:ListUsers", resource: "arn:aws:iam::111122223333:user/" }, "identity-based policy"),
      `${user} iam:ListUsers on resource: arn:aws:iam::111122223333:user/ because no identity-based policy allows the iam:ListUsers action`,
    ],
    [
      denied({ action: "elasticloadbalancing:DescribeRules", resource: "*" }, "identity-based policy"),
      `${user} elasticloadbalancing:DescribeRules because no identity-based policy allows the elasticloadbalancing:DescribeRules action`,
    ],
    [
      denied({ principal: { type: "Anonymous", accountId: "", arn: "" } }, "resource-based policy"),
      "User: anonymous is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no resource-based policy allows the ecr:GetAuthorizationToken action",
    ],
  ];
  for (const [message, expected] of CASES) test(expected, () => assert.equal(message, expected));

  test("without a policy to blame it gives no reason", () => {
    assert.equal(
      deniedMessage(REQUEST, { allowed: false, explicit: false }),
      `${user} ecr:GetAuthorizationToken on resource: *`,
    );
  });
});
