/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
import type * as sdk from "@aws-sdk/client-sts";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys, OperationOf } from "#gateway/operation.ts";
import { accessDenied, validationError } from "../errors.ts";
import { issued } from "../issue.ts";
import { provesMfa } from "../mfa.ts";
import { type AssumableRole, assumableRole } from "../roles.ts";
import { sessionPolicies } from "../session-policies.ts";
import { sessionTags, withRoleTags } from "../session-tags.ts";

const DEFAULT_SECONDS = 3600;
/** "Role chaining limits your AWS CLI or AWS API role session to a maximum of one hour." */
const MAX_CHAINED_SECONDS = 3600;

/** "The temporary credentials returned by AssumeRole do not include MFA information": these are for the call alone. */
const PROVED_NOW: ContextKeys = { "aws:multifactorauthpresent": "true", "aws:multifactorauthage": "0" };

type Input = sdk.AssumeRoleCommand["input"];

export const AssumeRole: OperationOf<sdk.AssumeRoleCommand> = {
  authorize: {
    action: "sts:AssumeRole",
    resources: (input) => [input.RoleArn!],
    async context(input, call) {
      // The code is taken here and nowhere else: the trust policy asks for it, and it counts once.
      return (await provesMfa(input, call)) ? { ...requestContext(input), ...PROVED_NOW } : requestContext(input);
    },
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
    await requireFurtherAccess(input, call, role, sourceIdentity);
    const seconds = sessionSeconds(input, call, role);
    const { tags, transitiveKeys } = sessionTags(input, call.principal);
    const principalTags = withRoleTags(role.tags, tags);
    const policies = await sessionPolicies(call, role.accountId, input);

    const arn = `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${input.RoleSessionName}`;
    const userId = `${role.id}:${input.RoleSessionName}`;
    const credentials = issued(call, seconds, {
      principal: {
        type: "AssumedRole",
        arn,
        accountId: role.accountId,
        userId,
        roleArn: role.arn,
        sessionName: input.RoleSessionName!,
        ...(sourceIdentity !== undefined && { sourceIdentity }),
        ...(call.principal.type === "Service" && call.sessionKeys && { sessionKeys: call.sessionKeys }),
        ...(Object.keys(principalTags).length > 0 && { tags: principalTags }),
      },
      ...(policies && { policies }),
      ...(transitiveKeys.length > 0 && { transitiveTagKeys: transitiveKeys }),
    });
    return {
      Credentials: credentials,
      AssumedRoleUser: { AssumedRoleId: userId, Arn: arn },
      ...(policies && { PackedPolicySize: packedSize(input) }),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    };
  },
};

/** Condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html */
function requestContext(input: Input): ContextKeys {
  const tags = input.Tags ?? [];
  return {
    "sts:externalid": input.ExternalId,
    "sts:rolesessionname": input.RoleSessionName,
    "sts:sourceidentity": input.SourceIdentity,
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:requesttag/${Key!.toLowerCase()}`, Value])),
    ...(tags.length > 0 && { "aws:tagkeys": tags.map(({ Key }) => Key!) }),
    ...(input.TransitiveTagKeys && { "sts:transitivetagkeys": input.TransitiveTagKeys }),
  };
}

/** Passing tags and setting a source identity are actions of their own on the role. */
async function requireFurtherAccess(
  input: Input,
  call: Call,
  role: AssumableRole,
  sourceIdentity: string | undefined,
): Promise<void> {
  const further = [
    ...(input.Tags?.length ? ["sts:TagSession"] : []),
    ...(sourceIdentity !== undefined ? ["sts:SetSourceIdentity"] : []),
  ];
  for (const action of further) {
    await requireAccess(call, {
      action,
      resource: role.arn,
      context: { ...requestContext(input), ...(input.TokenCode !== undefined && PROVED_NOW) },
      resourcePolicy: role.trustPolicy,
      resourcePolicyRequired: true,
    });
  }
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

/** Percent of what policies and tags may take. */
export function packedSize(input: Pick<Input, "Policy" | "PolicyArns" | "Tags">): number {
  const characters = JSON.stringify([input.Policy, input.PolicyArns, input.Tags]).length;
  return Math.min(100, Math.ceil((characters / 4096) * 100));
}
