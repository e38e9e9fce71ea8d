/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
import type * as sdk from "@aws-sdk/client-sts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys, OperationOf } from "#gateway/operation.ts";
import { accessDenied, validationError } from "../errors.ts";
import { provesMfa } from "../mfa.ts";
import { requireFurtherAccess, roleSession } from "../role-session.ts";
import { type AssumableRole, assumableRole } from "../roles.ts";
import { requestedTags } from "../session-tags.ts";

const DEFAULT_SECONDS = 3600;
/**
 * "Role chaining limits your AWS CLI or AWS API role session to a maximum of one hour." To AWS sessions of users are links of
 * such a chain too: https://github.com/99designs/aws-vault/issues/263
 */
const MAX_CHAINED_SECONDS = 3600;
/** What AWS takes for an ARN here; whether it is a role's is left to authorization. */
const ARN = /^arn:[^:]+:[^:]+:[^:]*:[^:]*:./;

type Input = sdk.AssumeRoleCommand["input"];

export const AssumeRole: OperationOf<sdk.AssumeRoleCommand> = {
  /** "The temporary credentials returned by AssumeRole do not include MFA information": it is for the trust policy alone. */
  async identify(input, call) {
    return (await provesMfa(input, call)) ? { ...call.principal, mfaAuthenticatedAt: call.now } : call.principal;
  },
  authorize: {
    action: "sts:AssumeRole",
    resources: ({ RoleArn }) => {
      if (!ARN.test(RoleArn!)) throw validationError(`${RoleArn} is invalid`);
      return [RoleArn!];
    },
    context: requestContext,
    resourcePolicy: async (roleArn, _input, call) => (await assumableRole(call, roleArn))?.trustPolicy,
    resourcePolicyRequired: true,
  },
  async run(input, call) {
    const role = await assumableRole(call, input.RoleArn!);
    // Root may assume no role; with `--accept-any-credentials` root stands for whoever calls.
    if (call.principal.type === "Root" && !call.system.config.acceptAnyCredentials) {
      throw accessDenied("Roles may not be assumed by root accounts.");
    }
    if (!role) throw accessDenied(`Not authorized to perform sts:AssumeRole on ${input.RoleArn}`);
    const sourceIdentity = sourceIdentityOf(input, call);
    const brought = { tags: input, sourceIdentity, contexts: input.ProvidedContexts };
    await requireFurtherAccess(call, role, requestContext(input), brought);
    requireNoContexts(input);
    const seconds = sessionSeconds(input, call, role);
    const sessionName = input.RoleSessionName!;
    const principal = call.principal.type === "Service" && call.sessionKeys ? { sessionKeys: call.sessionKeys } : {};
    return roleSession(call, role, input, { sessionName, sourceIdentity, tags: input, seconds, principal });
  },
};

/** Condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html */
function requestContext(input: Input): ContextKeys {
  return {
    "sts:externalid": input.ExternalId,
    "sts:rolesessionname": input.RoleSessionName,
    "sts:sourceidentity": input.SourceIdentity,
    ...requestedTags(input),
  };
}

/**
 * IAM Identity Center is the one provider of contexts; its assertions are "signed and encrypted by AWS STS", and no Slipway has
 * made one.
 */
function requireNoContexts({ ProvidedContexts: contexts = [] }: Input): void {
  const [context] = contexts;
  if (context) throw validationError(`The context assertion of ${context.ProviderArn ?? "no provider"} is not valid`);
}

/** Once set it goes along through all sessions of a chain and cannot be changed. */
function sourceIdentityOf(input: Input, call: Call): string | undefined {
  const inherited = call.principal.sourceIdentity;
  if (inherited !== undefined && input.SourceIdentity !== undefined && inherited !== input.SourceIdentity) {
    throw accessDenied("The source identity of the calling session cannot be changed.");
  }
  return inherited ?? input.SourceIdentity;
}

function sessionSeconds(input: Input, call: Call, role: AssumableRole): number {
  const seconds = input.DurationSeconds ?? DEFAULT_SECONDS;
  const chained = call.principal.sessionExpiration !== undefined;
  if (chained && seconds > MAX_CHAINED_SECONDS) {
    throw validationError(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  }
  if (seconds > role.maxSessionDuration) {
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return seconds;
}
