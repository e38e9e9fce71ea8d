/**
 * What AssumeRoleWithWebIdentity and AssumeRoleWithSAML have in common: the caller is whom an identity provider vouches for,
 * the role's trust policy decides alone, and what the provider says becomes the session's name, tags and source identity.
 */
import type * as sdk from "@aws-sdk/client-sts";
import { requireAccess } from "#gateway/authorize.ts";
import type { Call, Federation, Principal } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import { accessDenied, invalidIdentityToken, validationError } from "./errors.ts";
import { issued } from "./issue.ts";
import { packedSize } from "./operations/assume-role.ts";
import { type AssumableRole, assumableRole } from "./roles.ts";
import { sessionPolicies } from "./session-policies.ts";
import { requestedTags, sessionTags, withRoleTags } from "./session-tags.ts";

const DEFAULT_SECONDS = 3600;
const MAX_TAGS = 50;
/** As the model has them for tags that are passed as parameters. */
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const NAME = /^[\w+=,.@-]{2,64}$/;

/** What the provider has proven. `Facts` are for the operation's own answer. */
export interface SignIn<Facts> {
  readonly sessionName: string;
  readonly sourceIdentity: string | undefined;
  readonly tags: { readonly Tags: readonly sdk.Tag[]; readonly TransitiveTagKeys: readonly string[] };
  /** Condition keys for the role's trust policy. */
  readonly keys: ContextKeys;
  /** The session ends then at the latest. */
  readonly until?: Date | undefined;
  readonly facts: Facts;
}

interface FederatedPrincipal<Facts> extends Principal {
  readonly signIn: SignIn<Facts>;
}

export function federatedPrincipal<Facts>(
  type: "WebIdentityUser" | "SAMLUser",
  accountId: string,
  userId: string,
  federation: Federation,
  signIn: SignIn<Facts>,
): FederatedPrincipal<Facts> {
  return { type, arn: federation.provider, accountId, userId, accessKeyId: undefined, federation, signIn };
}

/** Of a call whose operation has identified its caller. */
export function signInOf<Facts>(call: Call): SignIn<Facts> {
  return (call.principal as FederatedPrincipal<Facts>).signIn;
}

/** Throws ValidationError for what is no role's ARN. */
export function accountOfRole(roleArn: string): string {
  const account = /^arn:aws:iam::(\d{12}):role\/./.exec(roleArn)?.[1];
  if (account === undefined) throw validationError(`${roleArn} is invalid`);
  return account;
}

interface RoleRequest {
  readonly RoleArn: string | undefined;
  readonly DurationSeconds?: number | undefined;
  readonly Policy?: string | undefined;
  readonly PolicyArns?: sdk.PolicyDescriptorType[] | undefined;
}

export function trustOf<I extends RoleRequest>(action: string): Authorization<I> {
  return {
    action,
    resources: ({ RoleArn }) => [RoleArn!],
    context: (_input, call) => trustKeys(signInOf(call)),
    resourcePolicy: async (roleArn, _input, call) => (await assumableRole(call, roleArn))?.trustPolicy,
    resourcePolicyRequired: true,
  };
}

function trustKeys({ keys, sessionName, sourceIdentity, tags }: SignIn<unknown>): ContextKeys {
  return {
    ...keys,
    "sts:rolesessionname": sessionName,
    "sts:sourceidentity": sourceIdentity,
    ...requestedTags(tags),
  };
}

interface FederatedSession {
  readonly Credentials: sdk.Credentials;
  readonly AssumedRoleUser: sdk.AssumedRoleUser;
  readonly PackedPolicySize?: number;
  readonly SourceIdentity?: string;
}

/** The session of the role that the call was authorized for. */
export async function federatedSession(input: RoleRequest, call: Call): Promise<FederatedSession> {
  const signIn = signInOf(call);
  const { sessionName, sourceIdentity } = signIn;
  const role = await assumableRole(call, input.RoleArn!);
  if (!role) throw accessDenied(`Not authorized to perform sts:AssumeRole on ${input.RoleArn}`); // it has just gone
  await requireFurtherAccess(call, role, signIn);
  const seconds = sessionSeconds(input, call, role, signIn.until);
  const { tags, transitiveKeys } = sessionTags({ ...signIn.tags }, call.principal);
  const principalTags = withRoleTags(role.tags, tags);
  const policies = await sessionPolicies(call, role.accountId, input);
  const arn = `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${sessionName}`;
  const userId = `${role.id}:${sessionName}`;
  const credentials = issued(call, seconds, {
    principal: {
      type: "AssumedRole",
      arn,
      accountId: role.accountId,
      userId,
      roleArn: role.arn,
      sessionName,
      federation: call.principal.federation!,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(Object.keys(principalTags).length > 0 && { tags: principalTags }),
    },
    ...(policies && { policies }),
    ...(transitiveKeys.length > 0 && { transitiveTagKeys: transitiveKeys }),
  });
  const packed = { Policy: input.Policy, PolicyArns: input.PolicyArns, Tags: [...signIn.tags.Tags] };
  return {
    Credentials: credentials,
    AssumedRoleUser: { AssumedRoleId: userId, Arn: arn },
    ...((policies || signIn.tags.Tags.length > 0) && { PackedPolicySize: packedSize(packed) }),
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
  };
}

/** Bringing tags and a source identity are actions of their own, which the trust policy must allow too. */
async function requireFurtherAccess(call: Call, role: AssumableRole, signIn: SignIn<unknown>): Promise<void> {
  const actions = [
    ...(signIn.tags.Tags.length > 0 ? ["sts:TagSession"] : []),
    ...(signIn.sourceIdentity === undefined ? [] : ["sts:SetSourceIdentity"]),
  ];
  const context = trustKeys(signIn);
  for (const action of actions) {
    const trust = { resource: role.arn, resourcePolicy: role.trustPolicy, resourcePolicyRequired: true };
    await requireAccess(call, { action, context, ...trust });
  }
}

function sessionSeconds(
  { DurationSeconds = DEFAULT_SECONDS }: RoleRequest,
  call: Call,
  { maxSessionDuration }: AssumableRole,
  until: Date | undefined,
): number {
  if (DurationSeconds > maxSessionDuration) {
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  if (until === undefined) return DurationSeconds;
  return Math.min(DurationSeconds, Math.floor((until.getTime() - call.now.getTime()) / 1000));
}

/** Throws InvalidIdentityToken. `undefined` is none. */
export function checkedSourceIdentity(name: string | undefined): string | undefined {
  if (name !== undefined && (!NAME.test(name) || name.startsWith("aws:"))) {
    throw invalidIdentityToken('Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"');
  }
  return name;
}

export function isSessionName(name: string): boolean {
  return NAME.test(name);
}

/** Throws InvalidIdentityToken for tags that could not have been passed as parameters. */
export function requireTags(tags: readonly sdk.Tag[]): void {
  if (tags.length > MAX_TAGS) throw invalidIdentityToken(`A session has at most ${MAX_TAGS} tags.`);
  for (const { Key = "", Value = "" } of tags) {
    if (!TAG_KEY.test(Key) || !TAG_VALUE.test(Value)) {
      throw invalidIdentityToken("The key or the value of a session tag is not valid.");
    }
  }
}
