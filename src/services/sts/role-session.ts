/**
 * The session of a role, however its caller was let in: what AssumeRole, AssumeRoleWithWebIdentity and AssumeRoleWithSAML
 * have in common. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage-assume.html
 */
import type * as sdk from "@aws-sdk/client-sts";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call, Principal } from "#gateway/context.ts";
import type { ContextKeys } from "#gateway/operation.ts";
import { issued, tokenSize } from "./issue.ts";
import { packedSize } from "./packed-size.ts";
import type { AssumableRole } from "./roles.ts";
import { sessionPolicies } from "./session-policies.ts";
import { sessionTags, type TagRequest, withOwnTags } from "./session-tags.ts";

export interface RoleSessionRequest {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: sdk.PolicyDescriptorType[] | undefined;
  readonly MinimumSessionTokenSize?: number | undefined;
}

export interface RoleSession {
  readonly sessionName: string;
  readonly sourceIdentity: string | undefined;
  /** Those that are passed; the role's own and the caller's transitive ones come by themselves. */
  readonly tags: TagRequest;
  readonly seconds: number;
  /** What the session's principal has beside. */
  readonly principal?: Pick<Principal, "federation" | "sessionKeys">;
}

interface RoleSessionAnswer {
  readonly Credentials: sdk.Credentials;
  readonly AssumedRoleUser: sdk.AssumedRoleUser;
  readonly PackedPolicySize?: number;
  readonly SourceIdentity?: string;
  readonly SessionTokenSize: number;
  readonly SessionTokenUtilization: number;
}

/** Throws ValidationError, InvalidParameterValue, MalformedPolicyDocument or PackedPolicyTooLarge. */
export async function roleSession(
  call: Call,
  role: AssumableRole,
  input: RoleSessionRequest,
  { sessionName, sourceIdentity, tags: passed, seconds, principal }: RoleSession,
): Promise<RoleSessionAnswer> {
  const { tags, transitiveKeys } = sessionTags(passed, call.principal);
  const principalTags = withOwnTags(role.tags, tags);
  const policies = await sessionPolicies(call, role.accountId, input);
  // Those that are inherited take their room too: https://github.com/aws/containers-roadmap/issues/2413
  const packed = packedSize({ ...input, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) });
  const arn = `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${sessionName}`;
  const userId = `${role.id}:${sessionName}`;
  const session = {
    principal: {
      type: "AssumedRole",
      arn,
      accountId: role.accountId,
      userId,
      roleArn: role.arn,
      sessionName,
      ...principal,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(Object.keys(principalTags).length > 0 && { tags: principalTags }),
    },
    ...(policies && { policies }),
    ...(transitiveKeys.length > 0 && { transitiveTagKeys: transitiveKeys }),
  } as const;
  const credentials = issued(call, seconds, session, input.MinimumSessionTokenSize);
  return {
    Credentials: credentials,
    AssumedRoleUser: { AssumedRoleId: userId, Arn: arn },
    ...(packed > 0 && { PackedPolicySize: packed }),
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    ...tokenSize(credentials),
  };
}

interface Brought {
  readonly tags: TagRequest;
  readonly sourceIdentity: string | undefined;
  readonly contexts?: readonly sdk.ProvidedContext[] | undefined;
}

/**
 * Bringing tags, a source identity or contexts are actions of their own, which the role's trust policy must allow too. So it is
 * with tags that a session inherits: https://github.com/aws/aws-cdk-cli/pull/762
 */
export async function requireFurtherAccess(
  call: Call,
  { arn, trustPolicy }: AssumableRole,
  context: ContextKeys,
  { tags, sourceIdentity, contexts }: Brought,
): Promise<void> {
  const trust = { context, resource: arn, resourcePolicy: trustPolicy, resourcePolicyRequired: true };
  const inherits = (call.principal.transitiveTagKeys?.length ?? 0) > 0;
  if (tags.Tags?.length || inherits) await requireAccess(call, { action: "sts:TagSession", ...trust });
  if (sourceIdentity !== undefined) await requireAccess(call, { action: "sts:SetSourceIdentity", ...trust });
  if (!contexts?.length) return;
  const providers = contexts.map(({ ProviderArn }) => ProviderArn).filter((arn) => arn !== undefined);
  const ofContexts = { ...context, "sts:requestcontextproviders": providers };
  await requireAccess(call, { action: "sts:SetContext", ...trust, context: ofContexts });
}
