import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type CompiledPolicy, compilePolicy } from "./compile.ts";
import { type AuthorizationRequest, deniedMessage, evaluate, type PolicyType } from "./evaluate.ts";
import { parsePolicy } from "./policy-document.ts";

const REQUEST: AuthorizationRequest = {
  action: "ecr:GetAuthorizationToken",
  resource: "*",
  resourceAccountId: "111122223333",
  principal: { type: "User", accountId: "111122223333", arn: "arn:aws:iam::111122223333:user/alice" },
  context: {},
};

function denied(request: Partial<AuthorizationRequest>, policyType: PolicyType, explicit = false): string {
  return deniedMessage({ ...REQUEST, ...request }, { allowed: false, explicit, policyType });
}

suite("evaluate", () => {
  test("an evaluation that fails is a denial, and says what failed", () => {
    const fault = new Error("broken policy");
    const broken = {
      denies: () => {
        throw fault;
      },
    } as unknown as CompiledPolicy;
    const allowed = compilePolicy(
      parsePolicy('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', "identity"),
    );
    assert.deepEqual(evaluate(REQUEST, { identity: [allowed, broken] }), { allowed: false, explicit: false, fault });
  });

  test("a variable named like a method of objects has no value", () => {
    const json =
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:x":"${a:constructor}*"}}}}';
    const policy = compilePolicy(parsePolicy(json, "identity"));
    const context = Object.assign(Object.create(null), { "aws:x": "function" });
    assert.equal(evaluate({ ...REQUEST, context }, { identity: [policy] }).allowed, false);
    assert.equal(evaluate({ ...REQUEST, context: { "aws:x": "function" } }, { identity: [policy] }).allowed, false);
  });
});

suite("deniedMessage", () => {
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
