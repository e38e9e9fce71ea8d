/**
 * What the sessions of users may not call, whatever their policies say. Sessions of roles are not limited here: what they
 * cannot call (GetSessionToken, GetFederationToken) nobody can without long-term credentials.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
 */
import { authenticationError } from "./auth-errors.ts";
import { AccessDeniedError } from "./authorize.ts";
import type { Principal } from "./context.ts";
import type { Service } from "./service.ts";

/** "You cannot call any AWS STS API except AssumeRole or GetCallerIdentity." */
const OF_SESSION_TOKENS: ReadonlySet<string> = new Set(["AssumeRole", "GetCallerIdentity"]);
/** "You cannot call any AWS STS API operations except GetCallerIdentity." */
const OF_FEDERATED_USERS: ReadonlySet<string> = new Set(["GetCallerIdentity"]);

/**
 * Of a caller's own request; what a service does on somebody's behalf is not that. Throws what AWS answers: IAM does not
 * know the key (https://github.com/99designs/aws-vault/issues/15), STS denies access.
 */
export function requireCallableBySession(service: Service, operation: string, principal: Principal): void {
  const callable = callableOfSts(principal);
  if (!callable) return;
  if (service.name === "iam" && principal.mfaAuthenticatedAt === undefined) {
    throw authenticationError(service, "invalid-token");
  }
  if (service.name === "sts" && !callable.has(operation)) {
    throw new AccessDeniedError(`Cannot call ${operation} with session credentials`);
  }
}

/**
 * undefined for those who are no session of a user's own: AssumeRoot's, which is the root's for a task, and a partner's by
 * temporary delegation always have policies.
 */
function callableOfSts(principal: Principal): ReadonlySet<string> | undefined {
  const { type, sessionExpiration, sessionPolicies } = principal;
  if (type === "FederatedUser") return OF_FEDERATED_USERS;
  const ofSessionToken = (type === "User" || type === "Root") && sessionExpiration !== undefined && !sessionPolicies;
  return ofSessionToken ? OF_SESSION_TOKENS : undefined;
}
