/**
 * What AssumeRoleWithWebIdentity and AssumeRoleWithSAML have in common: the caller is whom an identity provider vouches for,
 * the role's trust policy decides alone, and what the provider says becomes the session's name, tags and source identity.
 */
import type * as sdk from "@aws-sdk/client-sts";
import type { Call, Federation, Principal } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import { accessDenied, invalidIdentityToken, validationError } from "./errors.ts";
import { type RoleSessionRequest, requireFurtherAccess, roleSession } from "./role-session.ts";
import { type AssumableRole, assumableRole } from "./roles.ts";
import { requestedTags } from "./session-tags.ts";

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

/** Throws ValidationError, in AWS's words for these operations, for what is no role's ARN. */
export function accountOfRole(roleArn: string): string {
  const account = /^arn:aws:iam::(\d{12}):role\/./.exec(roleArn)?.[1];
  if (account === undefined) throw validationError("Request ARN is invalid");
  return account;
}

interface RoleRequest extends RoleSessionRequest {
  readonly RoleArn: string | undefined;
  readonly DurationSeconds?: number | undefined;
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

/** The session of the role that the call was authorized for. */
export async function federatedSession(input: RoleRequest, call: Call): ReturnType<typeof roleSession> {
  const signIn = signInOf(call);
  const { sessionName, sourceIdentity, tags } = signIn;
  const role = await assumableRole(call, input.RoleArn!);
  if (!role) throw accessDenied(`Not authorized to perform sts:AssumeRole on ${input.RoleArn}`); // it has just gone
  await requireFurtherAccess(call, role, trustKeys(signIn), { tags, sourceIdentity });
  const seconds = sessionSeconds(input, call, role, signIn.until);
  const principal = { federation: call.principal.federation! };
  return roleSession(call, role, input, { sessionName, sourceIdentity, tags, seconds, principal });
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
