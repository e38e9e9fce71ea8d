import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type CompiledPolicy, compilePolicy } from "./compile.ts";
import {
  type AuthorizationRequest,
  type Decision,
  evaluate,
  type PolicySet,
  type PolicyType,
  type PrincipalView,
} from "./evaluate.ts";
import { type PolicyKind, parsePolicy } from "./policy-document.ts";

/** A document, or the name of one of the file's `policies`. */
type PolicyReference = string | Readonly<Record<string, unknown>>;

/** The request as a case writes it: the principal by name. */
type CaseRequest = Omit<AuthorizationRequest, "principal"> & { principal: string };

interface CaseFile {
  source: string;
  policies?: Record<string, Readonly<Record<string, unknown>>>;
  base: CaseRequest;
  cases: {
    name: string;
    request?: Partial<CaseRequest>;
    given: {
      identity: PolicyReference[];
      boundary?: PolicyReference;
      session?: PolicyReference[];
      scps?: PolicyReference[][];
      resource?: PolicyReference;
      resourcePolicyRequired?: boolean;
    };
    expect: string | Decision;
  }[];
}

const FOLDER = new URL("cases/", import.meta.url);

function contents<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as T;
}

const PRINCIPALS = contents<Record<string, PrincipalView>>("principals.json");

function compiled(reference: PolicyReference, kind: PolicyKind, file: CaseFile): CompiledPolicy {
  const document = typeof reference === "string" ? file.policies?.[reference] : reference;
  assert.ok(document, `no policy named ${reference}`);
  return compilePolicy(parsePolicy(JSON.stringify({ Version: "2012-10-17", ...document }), kind));
}

function policySet(
  { identity, boundary, session, scps, resource, resourcePolicyRequired }: CaseFile["cases"][number]["given"],
  file: CaseFile,
): PolicySet {
  return {
    identity: identity.map((policy) => compiled(policy, "identity", file)),
    ...(boundary && { boundary: compiled(boundary, "boundary", file) }),
    ...(session && { session: session.map((policy) => compiled(policy, "session", file)) }),
    ...(scps && { scps: scps.map((level) => level.map((policy) => compiled(policy, "scp", file))) }),
    ...(resource && { resource: compiled(resource, "resource", file) }),
    ...(resourcePolicyRequired && { resourcePolicyRequired }),
  };
}

function decision(expected: string | Decision): Decision {
  if (typeof expected !== "string") return expected;
  if (expected === "allow") return { allowed: true, explicit: false };
  const match = /^(explicit )?deny: (.+)$/.exec(expected);
  assert.ok(match, `cannot read the expectation "${expected}"`);
  return { allowed: false, explicit: match[1] !== undefined, policyType: match[2] as PolicyType };
}

for (const name of readdirSync(FOLDER).filter((name) => name.endsWith(".json") && name !== "principals.json")) {
  const file = contents<CaseFile>(name);
  suite(`IAM cases: ${name.slice(0, -".json".length)}`, () => {
    for (const { name, request, given, expect } of file.cases) {
      test(name, () => {
        const merged = { ...file.base, ...request };
        const principal = PRINCIPALS[merged.principal];
        assert.ok(principal, `no principal named ${merged.principal}`);
        assert.deepEqual(evaluate({ ...merged, principal }, policySet(given, file)), decision(expect));
      });
    }
  });
}
