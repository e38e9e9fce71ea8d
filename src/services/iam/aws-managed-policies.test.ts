import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { awsManagedPolicies, awsManagedPolicy } from "./aws-managed-policies.ts";

/** Longer than a policy may be that is put through the API; only AWS's support has it. */
const TOO_LONG = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy";

test("every policy of AWS's is as the index says, and the evaluator understands it", () => {
  const policies = awsManagedPolicies();
  assert.ok(policies.length > 1500);
  for (const listed of policies) {
    const { document, ...policy } = awsManagedPolicy(listed.arn)!;
    assert.deepEqual(policy, listed);
    if (listed.arn !== TOO_LONG) {
      assert.doesNotThrow(() => compilePolicy(parsePolicy(document, "identity")), listed.arn);
    }
  }
});

test("paths and names are those of the ARN", () => {
  const { path, name, id, defaultVersionId } = awsManagedPolicy(
    "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
  )!;
  assert.deepEqual([path, name, defaultVersionId], ["/service-role/", "AmazonECSTaskExecutionRolePolicy", "v1"]);
  assert.match(id, /^ANPA[A-Z2-7]{17}$/);
});

test("a policy is found by its exact ARN only", () => {
  assert.equal(awsManagedPolicy("arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy"), undefined);
  assert.equal(awsManagedPolicy("arn:aws:iam::111122223333:policy/AdministratorAccess"), undefined);
  assert.equal(awsManagedPolicy("arn:aws:iam::aws:policy/NoSuchPolicy"), undefined);
});

test("an ARN reaches no other file", () => {
  assert.equal(awsManagedPolicy("arn:aws:iam::aws:policy/index.generated"), undefined);
  assert.equal(awsManagedPolicy("arn:aws:iam::aws:policy/.."), undefined);
});
