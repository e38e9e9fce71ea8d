import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { awsManagedPolicies, awsManagedPolicy } from "./aws-managed-policies.ts";

test("every policy of AWS's is understood by the evaluator", () => {
  const policies = awsManagedPolicies();
  assert.ok(policies.length > 40);
  for (const { arn, document } of policies) {
    assert.doesNotThrow(() => compilePolicy(parsePolicy(document, "identity")), arn);
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
