/**
 * Who makes a request, and whether a Principal element of a resource-based policy means them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
import type { Principals } from "./policy-document.ts";

export interface PrincipalView {
  /** `arn:aws:iam::…:user/x`, `arn:aws:sts::…:assumed-role/x/session`, …; for a service its name will do. */
  arn: string;
  accountId: string;
  type: "User" | "AssumedRole" | "FederatedUser" | "Root" | "Service" | "Anonymous" | FederatedType;
  /** For an assumed role session: the role's ARN. */
  roleArn?: string;
  /** For a service: `codebuild.amazonaws.com`. */
  service?: string;
  /** Of who signs in at an identity provider: the provider's ARN, which Federated entries name. */
  federation?: { readonly provider: string };
  /** Of a session that a partner got by temporary delegation: the partner's account. */
  delegateAccountId?: string;
}

/** Who calls AssumeRoleWithWebIdentity and AssumeRoleWithSAML, by CloudTrail's names; the sessions are AssumedRole. */
type FederatedType = "WebIdentityUser" | "SAMLUser";

export function isFederated({ type }: Pick<PrincipalView, "type">): boolean {
  return type === "WebIdentityUser" || type === "SAMLUser";
}

/**
 * How closely a principal is meant, from not at all to by itself:
 * - `account`: only its account, which delegates the decision to the account's own identity-based policies;
 * - `role`: the role of the session, whose boundary and session policy go on limiting it;
 * - `direct`: the user, session or service itself, or everybody.
 */
const GRANTS = ["none", "account", "role", "direct"] as const;
export type Grant = (typeof GRANTS)[number];

export type PrincipalMatcher = (principal: PrincipalView) => Grant;

export function stronger(a: Grant, b: Grant): Grant {
  return GRANTS.indexOf(a) >= GRANTS.indexOf(b) ? a : b;
}

/** CanonicalUser entries mean nobody: Slipway's accounts have no canonical ids. */
export function principalMatcher(principals: Principals): PrincipalMatcher {
  if (principals === "*" || principals.AWS.includes("*")) {
    // Whoever signs in elsewhere is let in by an entry that names the provider, never by one that means everybody.
    return (principal) => (isFederated(principal) ? "none" : "direct");
  }
  const arns = new Set(principals.AWS);
  const providers = new Set(principals.Federated);
  const services = new Set(principals.Service);
  const accounts = new Set(principals.AWS.map(accountOf).filter((account) => account !== undefined));
  return (principal) => {
    if (principal.type === "Anonymous") return "none";
    if (isFederated(principal)) return providers.has(principal.federation?.provider ?? "") ? "direct" : "none";
    if (principal.type === "Service") return services.has(principal.service ?? principal.arn) ? "direct" : "none";
    if (arns.has(principal.arn)) return "direct";
    if (principal.roleArn !== undefined && arns.has(principal.roleArn)) return "role";
    if (!accounts.has(principal.accountId)) return "none";
    return principal.type === "Root" ? "direct" : "account";
  };
}

/** `123456789012` and `arn:aws:iam::123456789012:root` both mean the account. */
function accountOf(principal: string): string | undefined {
  return /^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?$/.exec(principal)?.[1];
}

/**
 * NotPrincipal: everybody but those named. Naming the account does not except its users and roles, they must be named
 * themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
export function notPrincipalMatcher(principals: Principals): PrincipalMatcher {
  const matcher = principalMatcher(principals);
  return (principal) => {
    const named = matcher(principal);
    return named === "direct" || named === "role" ? "none" : "direct";
  };
}
