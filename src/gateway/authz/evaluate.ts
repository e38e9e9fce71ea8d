/**
 * Whether a request is allowed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 */
import type { CompiledPolicy, StatementRequest } from "./compile.ts";
import { onResource } from "./denied-resource.ts";
import type { RequestContext } from "./pattern.ts";
import type { Statement } from "./policy-document.ts";
import { isFederated, type PrincipalView } from "./principals.ts";

export type { PrincipalView } from "./principals.ts";

export interface AuthorizationRequest {
  /** `codebuild:StartBuild`. */
  action: string;
  /** An ARN or `*`. */
  resource: string;
  resourceAccountId: string;
  principal: PrincipalView;
  /** Keys in lower case: `aws:sourceip`, `aws:principaltag/team`. */
  context: RequestContext;
}

export interface PolicySet {
  /** Of the user and its groups, or of the role. */
  identity: readonly CompiledPolicy[];
  boundary?: CompiledPolicy;
  /** Passed when the session was made; absent where none was. */
  session?: readonly CompiledPolicy[];
  /** One list per level: root, organizational units, account. Each level must allow. Not for the management account. */
  scps?: readonly (readonly CompiledPolicy[])[];
  /** As SCPs, of the account that the resource is in; they hold for every principal. */
  rcps?: readonly (readonly CompiledPolicy[])[];
  resource?: CompiledPolicy;
  /** Trust policies and KMS key policies must allow by themselves: the identity policy alone is not enough. */
  resourcePolicyRequired?: boolean;
}

export type PolicyType =
  | "identity-based policy"
  | "resource-based policy"
  | "permissions boundary"
  | "session policy"
  | "service control policy"
  | "resource control policy";

export interface Decision {
  allowed: boolean;
  /** Denied by a Deny statement. */
  explicit: boolean;
  /** For denials: which type of policy denied, or lacks the allow. */
  policyType?: PolicyType;
  /** For explicit denials by a policy that has an ARN; of several, one. */
  policyArn?: string;
  /** What went wrong in the evaluation itself, which is then a denial. For the log, not for the client. */
  fault?: unknown;
}

const ALLOWED: Decision = { allowed: true, explicit: false };

/** Never throws: a fault is a denial. */
export function evaluate(request: AuthorizationRequest, policies: PolicySet): Decision {
  try {
    const tested = toStatementRequest(request, policies);
    const denied = explicitDenial(tested, policies);
    if (denied !== undefined) return denied;
    const lacking = missingAllow(tested, request.resourceAccountId, policies);
    return lacking === undefined ? ALLOWED : { allowed: false, explicit: false, policyType: lacking };
  } catch (fault) {
    return { allowed: false, explicit: false, fault };
  }
}

/** Keys in lower case that the request's context does not have, and on which the decision may hang. */
export function missingKeys(request: AuthorizationRequest, policies: PolicySet): string[] {
  const tested = toStatementRequest(request, policies);
  return allOf(policies).flatMap((policy) => policy.missingKeys(tested));
}

/** The Deny statements that apply to the request. */
export function denyingStatements(request: AuthorizationRequest, policies: PolicySet): Statement[] {
  const tested = toStatementRequest(request, policies);
  return allOf(policies).flatMap((policy) => policy.denying(tested));
}

function toStatementRequest(request: AuthorizationRequest, policies: PolicySet): StatementRequest {
  return {
    action: request.action.toLowerCase(),
    resource: request.resource,
    principal: request.principal,
    context: request.context,
    bounded: policies.boundary !== undefined,
  };
}

type Levels = readonly (readonly CompiledPolicy[])[];

const NO_LEVELS: Levels = [];

/** Of several explicit denials the first one in this order is told. Made once, for every request goes through it. */
const BY_TYPE: readonly (readonly [PolicyType, (policies: PolicySet) => Levels])[] = [
  ["resource control policy", ({ rcps }) => rcps ?? NO_LEVELS],
  ["service control policy", ({ scps }) => scps ?? NO_LEVELS],
  ["resource-based policy", ({ resource }) => (resource ? [[resource]] : NO_LEVELS)],
  ["identity-based policy", ({ identity }) => [identity]],
  ["permissions boundary", ({ boundary }) => (boundary ? [[boundary]] : NO_LEVELS)],
  ["session policy", ({ session }) => (session ? [session] : NO_LEVELS)],
];

function allOf(policies: PolicySet): CompiledPolicy[] {
  const all: CompiledPolicy[] = [];
  for (const [, levelsOf] of BY_TYPE) for (const level of levelsOf(policies)) all.push(...level);
  return all;
}

/** The other types belong to principals of accounts. */
const OF_RESOURCES: ReadonlySet<PolicyType> = new Set(["resource control policy", "resource-based policy"]);

function isAccountPrincipal(principal: PrincipalView): boolean {
  return principal.type !== "Service" && principal.type !== "Anonymous" && !isFederated(principal);
}

function explicitDenial(request: StatementRequest, policies: PolicySet): Decision | undefined {
  const ofAccount = isAccountPrincipal(request.principal);
  for (const [policyType, levelsOf] of BY_TYPE) {
    if (!ofAccount && !OF_RESOURCES.has(policyType)) continue;
    for (const level of levelsOf(policies)) {
      const policy = level.find((one) => one.denies(request));
      if (policy === undefined) continue;
      return { allowed: false, explicit: true, policyType, ...(policy.arn !== undefined && { policyArn: policy.arn }) };
    }
  }
  return undefined;
}

/** The type of policy for want of whose allow the request is denied, or undefined where it is allowed. */
function missingAllow(
  request: StatementRequest,
  resourceAccountId: string,
  policies: PolicySet,
): PolicyType | undefined {
  if (policies.rcps?.some((level) => !level.some((policy) => policy.allows(request)))) return "resource control policy";
  const grant = policies.resource?.grant(request) ?? "none";
  if (!isAccountPrincipal(request.principal)) return grant === "direct" ? undefined : "resource-based policy";

  const allows = (policy: CompiledPolicy) => policy.allows(request);
  if (policies.scps?.some((level) => !level.some(allows))) return "service control policy";

  if (request.principal.accountId !== resourceAccountId) {
    // Both accounts must allow, each with its own policies.
    return missingIdentityAllow(request, policies) ?? (grant === "none" ? "resource-based policy" : undefined);
  }
  // Within an account a resource-based policy that names the user or session itself is not limited by what the other
  // policies leave unsaid; one that names the session's role is limited by boundary and session policy.
  if (grant === "direct" && !isInAnothersName(request.principal, policies)) return undefined;
  if (grant === "direct" || grant === "role") return missingLimitAllow(request, policies);
  if (grant === "none" && policies.resourcePolicyRequired) return "resource-based policy";
  return missingIdentityAllow(request, policies);
}

function missingIdentityAllow(request: StatementRequest, policies: PolicySet): PolicyType | undefined {
  // The root user has full access to its account, without any identity-based policy.
  const isRoot = request.principal.type === "Root";
  if (!isRoot && !policies.identity.some((policy) => policy.allows(request))) return "identity-based policy";
  return missingLimitAllow(request, policies);
}

/**
 * A partner's session by temporary delegation goes by the ARN of the user or session that accepted, and root's for a task by the
 * root's: who is meant by that ARN, or by everybody, is not the session, whose policies go on limiting it.
 */
function isInAnothersName({ type, delegateAccountId }: PrincipalView, { session }: PolicySet): boolean {
  return session !== undefined && (type === "User" || type === "Root" || delegateAccountId !== undefined);
}

function missingLimitAllow(request: StatementRequest, policies: PolicySet): PolicyType | undefined {
  if (policies.boundary !== undefined && !policies.boundary.allows(request)) return "permissions boundary";
  // A federated user has no permissions but those of the session policy; a role session without one has the role's.
  const session = policies.session ?? (request.principal.type === "FederatedUser" ? [] : undefined);
  if (session !== undefined && !session.some((policy) => policy.allows(request))) return "session policy";
  return undefined;
}

function userName({ type, arn, service }: PrincipalView): string {
  if (type === "Anonymous") return "anonymous";
  return type === "Service" ? (service ?? arn) : arn;
}

/**
 * "The ARN of the denying policy is only provided in same-account and same-organization scenarios."
 * https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
 * S3 does as the others since August 2026. Its guide writes ", with policy ARN: …"; its answers have the colon alone.
 */
function tellsArn({ principal, resourceAccountId, context }: AuthorizationRequest): boolean {
  if (!isAccountPrincipal(principal)) return false;
  const organization = context["aws:principalorgid"];
  const sameOrganization = organization !== undefined && organization === context["aws:resourceorgid"];
  return principal.accountId === resourceAccountId || sameOrganization;
}

/**
 * A denial in AWS's words.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function deniedMessage(request: AuthorizationRequest, decision: Decision): string {
  const { principal, action } = request;
  const user = userName(principal);
  const denied = `User: ${user} is not authorized to perform: ${action}${onResource(action, request.resource)}`;
  const { policyType, policyArn } = decision;
  if (policyType === undefined) return denied;
  const trust = policyType === "resource-based policy" && action.startsWith("sts:AssumeRole");
  if (decision.explicit) {
    const article = policyType === "identity-based policy" ? "an" : "a";
    const arn = policyArn !== undefined && tellsArn(request) ? `: ${policyArn}` : "";
    return `${denied} with an explicit deny in ${trust ? "the role trust policy" : `${article} ${policyType}`}${arn}`;
  }
  return `${denied} because no ${trust ? "role trust policy" : policyType} allows the ${action} action`;
}
