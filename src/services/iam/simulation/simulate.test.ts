import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { policy } from "../testing.ts";
import { type Simulation, simulated } from "./simulate.ts";
import { SimulatedPolicy } from "./simulated-policy.ts";

const ACCOUNT = "111122223333";
const OBJECT = "arn:aws:s3:::bucket/key";

function simulation(scp: string, more: Partial<Simulation> = {}): Simulation {
  return {
    principal: { type: "User", arn: `arn:aws:iam::${ACCOUNT}:user/ana`, accountId: ACCOUNT },
    identity: [new SimulatedPolicy("own", "IAM Policy", policy("Allow", "s3:*"))],
    boundary: undefined,
    resourcePolicy: undefined,
    scps: [[compilePolicy(parsePolicy(policy("Allow", "*"), "scp"))], [compilePolicy(parsePolicy(scp, "scp"))]],
    resourceOwner: ACCOUNT,
    context: {},
    ...more,
  };
}

test("a service control policy that does not allow is told", async () => {
  const result = await simulated("s3:GetObject", [OBJECT], simulation(policy("Allow", "ec2:*")));
  assert.deepEqual(
    [result.EvalDecision, result.OrganizationsDecisionDetail, result.EvalDecisionDetails],
    ["implicitDeny", { AllowedByOrganizations: false }, undefined],
  );
});

test("one that denies makes it an explicit deny, and is no matched statement", async () => {
  const result = await simulated("s3:GetObject", ["*"], simulation(policy("Deny", "s3:GetObject")));
  assert.deepEqual(
    [result.EvalDecision, result.OrganizationsDecisionDetail, result.MatchedStatements],
    ["explicitDeny", { AllowedByOrganizations: false }, []],
  );
});

test("one that allows leaves the decision to the others", async () => {
  const allowed = await simulated("s3:GetObject", [OBJECT], simulation(policy("Allow", "s3:*")));
  assert.deepEqual(
    [allowed.EvalDecision, allowed.OrganizationsDecisionDetail, allowed.EvalDecisionDetails],
    ["allowed", { AllowedByOrganizations: true }, {}],
  );
  const identity = [new SimulatedPolicy("own", "IAM Policy", policy("Allow", "ec2:*"))];
  const denied = await simulated("s3:GetObject", [OBJECT], simulation(policy("Allow", "s3:*"), { identity }));
  assert.deepEqual(
    [denied.EvalDecision, denied.OrganizationsDecisionDetail],
    ["implicitDeny", { AllowedByOrganizations: true }],
  );
});

test("an action that AWS does not have is about everything", async () => {
  for (const action of ["s3:Juggle", "../x:Y"]) {
    const { EvalResourceName } = await simulated(action, [OBJECT], simulation(policy("Allow", "*")));
    assert.equal(EvalResourceName, "*");
  }
});
