/**
 * What one decision of the policy evaluator takes: three identity-based statements (a variable, a condition, a deny), a
 * permissions boundary and SCPs at two levels. Beside it, in the same run and on the same case, iam-simulate: the public
 * evaluator that is nearest in what it covers, whose explanations cost time that ours does not spend.
 */
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { evaluate } from "#gateway/authz/evaluate.ts";
import { type PolicyKind, parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Conditions, Figure, Measurement } from "./measurement.ts";

const DECISIONS = 200_000;
const PEER_DECISIONS = 2_000;

export const authz: Measurement = { name: "authz", runs: 7, containers: false, measure };

const IDENTITY = policy([
  { Effect: "Allow", Action: ["codebuild:List*", "codebuild:Describe*"], Resource: "*" },
  {
    Effect: "Allow",
    Action: ["codebuild:BatchGet*", "codebuild:StartBuild"],
    Resource: "arn:aws:codebuild:*:111122223333:project/${aws:PrincipalTag/team}-*",
    Condition: { StringLike: { "aws:RequestedRegion": "ca-*" } },
  },
  { Effect: "Deny", Action: "codebuild:*", Resource: "*", Condition: { Bool: { "aws:SecureTransport": "false" } } },
]);
const BOUNDARY = policy([{ Effect: "Allow", Action: ["logs:*", "s3:*", "codebuild:*"], Resource: "*" }]);
const EVERYTHING = policy([{ Effect: "Allow", Action: "*", Resource: "*" }]);
const REGIONS = policy([
  {
    Effect: "Deny",
    NotAction: ["iam:*", "sts:*"],
    Resource: "*",
    Condition: { StringNotEquals: { "aws:RequestedRegion": ["ca-central-1", "us-east-1"] } },
  },
]);
const PRINCIPAL = { type: "User", accountId: "111122223333", arn: "arn:aws:iam::111122223333:user/alice" } as const;
const ACTION = "codebuild:StartBuild";
const RESOURCE = "arn:aws:codebuild:ca-central-1:111122223333:project/cruddur-backend";
const CONTEXT = {
  "aws:RequestedRegion": "ca-central-1",
  "aws:SecureTransport": "true",
  "aws:PrincipalTag/team": "cruddur",
};

async function measure({ runs, log }: Conditions): Promise<readonly Figure[]> {
  const decide = slipway();
  const peer = await iamSimulate();
  const own: number[] = [];
  const others: number[] = [];
  // The first round of each is for the compiler of V8.
  for (let run = -1; run < runs; run++) {
    const ownMicroseconds = await microseconds(DECISIONS, decide);
    const peerMicroseconds = await microseconds(PEER_DECISIONS, peer);
    if (run < 0) continue;
    log(`${ownMicroseconds.toFixed(2)} µs, iam-simulate ${peerMicroseconds.toFixed(0)} µs`);
    own.push(ownMicroseconds);
    others.push(peerMicroseconds);
  }
  return [
    { name: "a decision (3 statements, boundary, SCPs)", unit: "µs", values: own, goal: { atMost: 3 } },
    { name: "  iam-simulate on the same case", unit: "µs", values: others },
    { name: "  iam-simulate / Slipway", unit: "x", values: own.map((value, index) => others[index]! / value) },
  ];
}

/** Throws where the decision is not the expected one. */
async function microseconds(decisions: number, decide: () => boolean | Promise<boolean>): Promise<number> {
  const started = performance.now();
  for (let count = 0; count < decisions; count++) {
    const allowed = decide();
    if (!(typeof allowed === "boolean" ? allowed : await allowed)) throw new Error("The case should be allowed");
  }
  return ((performance.now() - started) * 1000) / decisions;
}

function slipway(): () => boolean {
  const compiled = (document: object, kind: PolicyKind) => compilePolicy(parsePolicy(JSON.stringify(document), kind));
  const everything = compiled(EVERYTHING, "scp");
  const policies = {
    identity: [compiled(IDENTITY, "identity")],
    boundary: compiled(BOUNDARY, "boundary"),
    scps: [[everything, compiled(REGIONS, "scp")], [everything]],
  };
  const context = Object.fromEntries(Object.entries(CONTEXT).map(([key, value]) => [key.toLowerCase(), value]));
  const request = {
    action: ACTION,
    resource: RESOURCE,
    resourceAccountId: "111122223333",
    principal: PRINCIPAL,
    context,
  };
  return () => evaluate(request, policies).allowed;
}

async function iamSimulate(): Promise<() => Promise<boolean>> {
  const named = (document: object, name: string) => ({ name, policy: document });
  const simulation: Parameters<typeof runSimulation>[0] = {
    request: {
      principal: PRINCIPAL.arn,
      action: ACTION,
      resource: { resource: RESOURCE, accountId: "111122223333" },
      contextVariables: CONTEXT,
    },
    identityPolicies: [named(IDENTITY, "identity")],
    permissionBoundaryPolicies: [named(BOUNDARY, "boundary")],
    serviceControlPolicies: [
      { orgIdentifier: "root", policies: [named(EVERYTHING, "everything"), named(REGIONS, "regions")] },
      { orgIdentifier: "account", policies: [named(EVERYTHING, "everything")] },
    ],
    resourceControlPolicies: [],
  };
  return async () => {
    const answer = await runSimulation(simulation, {});
    return answer.resultType === "single" && answer.overallResult === "Allowed";
  };
}

function policy(statements: readonly object[]): object {
  return { Version: "2012-10-17", Statement: statements };
}
