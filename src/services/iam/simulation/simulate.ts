/** One action simulated on resources. https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html */
import { setImmediate } from "node:timers/promises";
import type * as sdk from "@aws-sdk/client-iam";
import { accountOf } from "#gateway/authorize.ts";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { type Decision, evaluate, type PolicySet, type PrincipalView } from "#gateway/authz/evaluate.ts";
import type { RequestContext } from "#gateway/authz/pattern.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { policyEvaluation } from "../errors.ts";
import { actionsOf } from "../service-reference.ts";
import { distinctKeys } from "./context-keys.ts";
import type { SimulatedPolicy } from "./simulated-policy.ts";

export interface Simulation {
  readonly principal: PrincipalView;
  readonly identity: readonly SimulatedPolicy[];
  readonly boundary: SimulatedPolicy | undefined;
  readonly resourcePolicy: SimulatedPolicy | undefined;
  readonly scps: PolicySet["scps"] | undefined;
  /** The account of resources whose ARN names none. */
  readonly resourceOwner: string;
  readonly context: RequestContext;
}

type Verdict = "allowed" | "explicitDeny" | "implicitDeny";

/** From the least restrictive on. */
const VERDICTS: readonly Verdict[] = ["allowed", "implicitDeny", "explicitDeny"];

interface Outcome {
  readonly resource: string;
  readonly verdict: Verdict;
  readonly matched: readonly sdk.Statement[];
  readonly missing: readonly string[];
  readonly allowedByBoundary: boolean | undefined;
  readonly allowedByOrganizations: boolean | undefined;
  /** By the type of policy; empty within one account. undefined where an SCP ended the evaluation. */
  readonly details: Readonly<Record<string, Verdict>> | undefined;
}

/**
 * `resources`: undefined or only "*": all of them. The result is about all resources together, the most restrictive
 * decision wins; what is decided on each one is in `ResourceSpecificResults`.
 */
export async function simulated(
  action: string,
  resources: readonly string[],
  simulation: Simulation,
): Promise<sdk.EvaluationResult> {
  const outcomes: Outcome[] = [];
  for (const resource of resources) {
    outcomes.push(outcomeOf(action, resource, simulation));
    await setImmediate(); // others have their turn: a policy may have a thousand statements
  }
  const verdict = strictest(outcomes.map((outcome) => outcome.verdict));
  const everything = resources.every((resource) => resource === "*");
  const detail = {
    ...(outcomes[0]?.allowedByOrganizations !== undefined && {
      OrganizationsDecisionDetail: {
        AllowedByOrganizations: outcomes.every(({ allowedByOrganizations }) => allowedByOrganizations),
      },
    }),
    ...boundaryDetail(outcomes),
  };
  const top = {
    EvalActionName: action,
    EvalResourceName: everything ? "*" : resourceTemplate(action),
    EvalDecision: verdict,
    MatchedStatements: distinctStatements(
      outcomes.filter((outcome) => outcome.verdict === verdict).flatMap((outcome) => decisive(outcome)),
    ),
    MissingContextValues: distinctKeys(outcomes.flatMap(({ missing }) => missing)),
    ...detail,
  };
  if (everything) return top;
  const details = outcomes.map((outcome) => outcome.details).filter((one) => one !== undefined);
  return {
    ...top,
    ...(details.length > 0 && { EvalDecisionDetails: strictestPerType(details) }),
    ResourceSpecificResults: outcomes.map((outcome) => ({
      EvalResourceName: outcome.resource,
      EvalResourceDecision: outcome.verdict,
      MatchedStatements: [...outcome.matched],
      MissingContextValues: [...outcome.missing],
      ...(outcome.details && Object.keys(outcome.details).length > 0 && { EvalDecisionDetails: outcome.details }),
      ...boundaryDetail([outcome]),
    })),
  };
}

function boundaryDetail(outcomes: readonly Outcome[]) {
  if (outcomes[0]?.allowedByBoundary === undefined) return {};
  return {
    PermissionsBoundaryDecisionDetail: {
      AllowedByPermissionsBoundary: outcomes.every(({ allowedByBoundary }) => allowedByBoundary),
    },
  };
}

/** What is not allowed for want of an allow has no statement that decided. */
function decisive({ verdict, matched }: Outcome): readonly sdk.Statement[] {
  return verdict === "implicitDeny" ? [] : matched;
}

function outcomeOf(action: string, resource: string, simulation: Simulation): Outcome {
  const { principal, identity, boundary, resourcePolicy, scps, context } = simulation;
  const resourceAccountId = accountOf(resource) || simulation.resourceOwner;
  const crossAccount = resourceAccountId !== principal.accountId;
  const decide = (policies: PolicySet, account = resourceAccountId): Verdict =>
    verdictOf(evaluate({ action, resource, resourceAccountId: account, principal, context }, policies));
  const identities = identity.map(({ compiled }) => compiled);
  const verdict = decide({
    identity: identities,
    ...(boundary && { boundary: boundary.compiled }),
    ...(resourcePolicy && { resource: resourcePolicy.compiled }),
    ...(scps && { scps }),
  });

  const ownAccount = principal.accountId;
  const byOrganizations = scps && decide({ identity: [ALLOW_ALL], scps }, ownAccount);
  const byBoundary = boundary && decide({ identity: [ALLOW_ALL], boundary: boundary.compiled }, ownAccount);
  const byIdentity = decide({ identity: identities }, ownAccount);
  const byResource = resourcePolicy
    ? decide({ identity: [ALLOW_ALL], resource: resourcePolicy.compiled })
    : "implicitDeny";

  const request = { action: action.toLowerCase(), resource, principal, context, bounded: boundary !== undefined };
  const policies = [...identity, ...(resourcePolicy ? [resourcePolicy] : [])];
  const matched = (effect: "Allow" | "Deny") =>
    policies.flatMap((policy) => policy.matched(effect, request, crossAccount));
  return {
    resource,
    verdict,
    matched:
      verdict === "explicitDeny" ? matched("Deny") : verdict === "allowed" || crossAccount ? matched("Allow") : [],
    missing: distinctKeys(policies.flatMap((policy) => policy.missingKeys(request))),
    allowedByBoundary: byBoundary && byBoundary === "allowed",
    allowedByOrganizations: byOrganizations && byOrganizations === "allowed",
    details:
      byOrganizations !== undefined && byOrganizations !== "allowed"
        ? undefined
        : crossAccount
          ? {
              "IAM Policy": byIdentity,
              "Resource Policy": byResource,
              ...(byBoundary && { "Permissions Boundary Policy": byBoundary }),
            }
          : {},
  };
}

/** Throws PolicyEvaluation where the evaluator fails. */
function verdictOf({ allowed, explicit, fault }: Decision): Verdict {
  if (fault !== undefined) throw policyEvaluation(`A policy could not be evaluated: ${String(fault)}`);
  if (allowed) return "allowed";
  return explicit ? "explicitDeny" : "implicitDeny";
}

const ALLOW_ALL: CompiledPolicy = compilePolicy(
  parsePolicy(
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] }),
    "identity",
  ),
);

function strictest(verdicts: readonly Verdict[]): Verdict {
  return VERDICTS.findLast((verdict) => verdicts.includes(verdict)) ?? "implicitDeny";
}

function strictestPerType(details: readonly Readonly<Record<string, Verdict>>[]): Record<string, Verdict> {
  const types = new Set(details.flatMap((one) => Object.keys(one)));
  const ofType = (type: string) => details.map((one) => one[type]).filter((verdict) => verdict !== undefined);
  return Object.fromEntries(Array.from(types, (type) => [type, strictest(ofType(type))]));
}

function distinctStatements(statements: readonly sdk.Statement[]): sdk.Statement[] {
  return [...new Map(statements.map((statement) => [JSON.stringify(statement), statement])).values()];
}

/** "The ARN template for the simulated resource type, or * if no ARN format is defined for the action." */
function resourceTemplate(action: string): string {
  const [prefix = "", name = ""] = action.toLowerCase().split(":");
  for (const [known, template] of actionsOf(prefix)) if (known.toLowerCase() === name) return template;
  return "*";
}
