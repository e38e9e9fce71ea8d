/** The two that decide a case: Slipway's evaluator and the oracle, which is here and nowhere else. */
import { anonymousPrincipal, runSimulation } from "@cloud-copilot/iam-simulate";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { type AuthorizationRequest, evaluate, type PolicySet } from "#gateway/authz/evaluate.ts";
import { type PolicyKind, parsePolicy } from "#gateway/authz/policy-document.ts";
import { PRINCIPALS, type RandomCase, type RawPolicy } from "./random-case.ts";

export type Verdict = "allow" | "deny" | "explicit deny";

export function ours(given: RandomCase): Verdict {
  const { request, policies } = inOurForm(given);
  const decision = evaluate(request, policies);
  if (decision.fault !== undefined) throw decision.fault;
  return decision.allowed ? "allow" : decision.explicit ? "explicit deny" : "deny";
}

export function inOurForm(given: RandomCase): { request: AuthorizationRequest; policies: PolicySet } {
  const compiled = (policy: RawPolicy, kind: PolicyKind) => compilePolicy(parsePolicy(JSON.stringify(policy), kind));
  const { boundary, session, scps, resourcePolicy, resourcePolicyRequired } = given;
  return {
    request: {
      action: given.action,
      resource: given.resource,
      resourceAccountId: given.resourceAccountId,
      principal: PRINCIPALS[given.principal],
      context: Object.fromEntries(Object.entries(given.context).map(([key, value]) => [key.toLowerCase(), value])),
    },
    policies: {
      identity: given.identity.map((policy) => compiled(policy, "identity")),
      ...(boundary && { boundary: compiled(boundary, "boundary") }),
      ...(session && { session: [compiled(session, "session")] }),
      ...(scps && { scps: scps.map((level) => level.map((policy) => compiled(policy, "scp"))) }),
      ...(resourcePolicy && { resource: compiled(resourcePolicy, "resource") }),
      resourcePolicyRequired,
    },
  };
}

const VERDICTS = { Allowed: "allow", ImplicitlyDenied: "deny", ExplicitlyDenied: "explicit deny" } as const;

/** Throws where the oracle finds the case itself invalid: nothing is passed over. */
export async function oracle(given: RandomCase): Promise<Verdict> {
  const named = (policy: RawPolicy, index: number) => ({ name: `policy${index}`, policy });
  const anonymous = given.principal === "anonymous";
  const answer = await runSimulation(
    {
      request: {
        principal: anonymous ? anonymousPrincipal : PRINCIPALS[given.principal].arn,
        action: given.action,
        resource: { resource: given.resource, accountId: given.resourceAccountId },
        contextVariables: given.context,
      },
      // The oracle refuses policies of a principal that can have none.
      identityPolicies: anonymous ? [] : given.identity.map(named),
      serviceControlPolicies: anonymous
        ? []
        : (given.scps ?? []).map((level, index) => ({ orgIdentifier: `level${index}`, policies: level.map(named) })),
      resourceControlPolicies: [],
      ...(given.resourcePolicy && { resourcePolicy: given.resourcePolicy }),
      ...(given.boundary && !anonymous && { permissionBoundaryPolicies: [named(given.boundary, 0)] }),
      ...(given.session && !anonymous && { sessionPolicy: given.session }),
    } as Parameters<typeof runSimulation>[0],
    {},
  );
  if (answer.resultType !== "single") throw new Error(`The oracle refuses the case: ${JSON.stringify(answer)}`);
  return VERDICTS[answer.overallResult];
}
