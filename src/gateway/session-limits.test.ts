import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePolicy } from "./authz/compile.ts";
import { parsePolicy } from "./authz/policy-document.ts";
import type { Principal } from "./context.ts";
import type { Service } from "./service.ts";
import { requireCallableBySession } from "./session-limits.ts";

const now = new Date();
const USER: Principal = { type: "User", arn: "arn:…", accountId: "1", userId: "AIDA", accessKeyId: "ASIA" };
const SESSION: Principal = { ...USER, sessionExpiration: now };
const FEDERATED: Principal = { ...SESSION, type: "FederatedUser" };
const TASK = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }] });
const POLICIES = [compilePolicy(parsePolicy(TASK, "session"))];

const may = (principal: Principal, name: string, operation: string) =>
  requireCallableBySession({ name, protocol: "awsQuery" } as Service, operation, principal);

const NO_KEY = {
  name: "InvalidClientTokenId",
  message: "The security token included in the request is invalid.",
};

test("a session token's holder needs MFA for IAM, and has little of STS either way", () => {
  for (const type of ["User", "Root"] as const) {
    const session = { ...SESSION, type };
    assert.throws(() => may(session, "iam", "ListUsers"), NO_KEY);
    may({ ...session, mfaAuthenticatedAt: now }, "iam", "ListUsers");
    for (const principal of [session, { ...session, mfaAuthenticatedAt: now }]) {
      may(principal, "sts", "AssumeRole");
      may(principal, "sts", "GetCallerIdentity");
      may(principal, "codebuild", "ListProjects");
      for (const operation of ["GetSessionToken", "GetFederationToken", "DecodeAuthorizationMessage", "AssumeRoot"]) {
        const message = `Cannot call ${operation} with session credentials`;
        assert.throws(() => may(principal, "sts", operation), { name: "AccessDenied", message });
      }
    }
  }
});

test("a federated user has neither IAM nor STS, but knows who it is", () => {
  assert.throws(() => may(FEDERATED, "iam", "GetUser"), NO_KEY);
  assert.throws(() => may(FEDERATED, "sts", "AssumeRole"), { name: "AccessDenied" });
  may(FEDERATED, "sts", "GetCallerIdentity");
  may(FEDERATED, "codebuild", "ListProjects");
});

test("long-term keys, roles, a root session for a task and services are not limited", () => {
  const role: Principal = { ...SESSION, type: "AssumedRole" };
  const task: Principal = { ...SESSION, type: "Root", sessionPolicies: POLICIES };
  const ecs: Principal = { ...USER, type: "Service" };
  for (const principal of [USER, { ...USER, type: "Root" } as Principal, role, task, ecs]) {
    may(principal, "iam", "CreateUser");
    may(principal, "sts", "DecodeAuthorizationMessage");
  }
});
