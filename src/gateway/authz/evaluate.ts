/**
 * Whether a request is allowed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 */
import type { CompiledPolicy, StatementRequest } from "./compile.ts";
import { onResource } from "./denied-resource.ts";
import type { RequestContext } from "./pattern.ts";
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
  /** What went wrong in the evaluation itself, which is then a denial. For the log, not for the client. */
  fault?: unknown;
}

const ALLOWED: Decision = { allowed: true, explicit: false };

/** Never throws: a fault is a denial. */
export function evaluate(request: AuthorizationRequest, policies: PolicySet): Decision {
  try {
    const statementRequest: StatementRequest = {
      action: request.action.toLowerCase(),
      resource: request.resource,
      principal: request.principal,
      context: request.context,
      bounded: policies.boundary !== undefined,
    };
    const explicit = explicitDenial(statementRequest, policies);
    if (explicit !== undefined) return { allowed: false, explicit: true, policyType: explicit };
    const lacking = missingAllow(statementRequest, request.resourceAccountId, policies);
    return lacking === undefined ? ALLOWED : { allowed: false, explicit: false, policyType: lacking };
  } catch (fault) {
    return { allowed: false, explicit: false, fault };
  }
}

/** Identity-based policies, boundaries, session policies and SCPs belong to principals of accounts only. */
function isAccountPrincipal(principal: PrincipalView): boolean {
  return principal.type !== "Service" && principal.type !== "Anonymous" && !isFederated(principal);
}

function explicitDenial(request: StatementRequest, policies: PolicySet): PolicyType | undefined {
  const denies = (policy: CompiledPolicy) => policy.denies(request);
  const ofAccount = isAccountPrincipal(request.principal);
  if (policies.rcps?.some((level) => level.some(denies))) return "resource control policy";
  if (ofAccount && policies.scps?.some((level) => level.some(denies))) return "service control policy";
  if (policies.resource?.denies(request)) return "resource-based policy";
  if (!ofAccount) return undefined;
  if (policies.identity.some(denies)) return "identity-based policy";
  if (policies.boundary?.denies(request)) return "permissions boundary";
  if (policies.session?.some(denies)) return "session policy";
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
  if (grant === "direct" && !isLimitedUser(request.principal, policies)) return undefined;
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

/** A session of the user or root with policies of its own (temporary delegation) goes by the ARN of the user, not by its own. */
function isLimitedUser({ type }: PrincipalView, { session }: PolicySet): boolean {
  return session !== undefined && (type === "User" || type === "Root");
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

const ARTICLE = {
  "identity-based policy": "an",
  "resource-based policy": "a",
  "permissions boundary": "a",
  "session policy": "a",
  "service control policy": "a",
  "resource control policy": "a",
} as const satisfies Record<PolicyType, string>;

/**
 * A denial in AWS's words.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function deniedMessage(request: AuthorizationRequest, decision: Decision): string {
  const { principal, action } = request;
  const user = userName(principal);
  const denied = `User: ${user} is not authorized to perform: ${action}${onResource(action, request.resource)}`;
  const { policyType } = decision;
  if (policyType === undefined) return denied;
  const trust = policyType === "resource-based policy" && action.startsWith("sts:AssumeRole");
  if (decision.explicit) {
    return `${denied} with an explicit deny in ${trust ? "the role trust policy" : `${ARTICLE[policyType]} ${policyType}`}`;
  }
  return `${denied} because no ${trust ? "role trust policy" : policyType} allows the ${action} action`;
}
