/**
 * What passwords of users must be: the account's policy, or AWS's default one where it has none.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
 */
import type * as sdk from "@aws-sdk/client-iam";
import { passwordPolicyViolation } from "./errors.ts";
import { isPassword } from "./password-hash.ts";

/** What was put, with the defaults of what was not: "that parameter's value reverts to its default value". */
export interface PasswordPolicy {
  readonly MinimumPasswordLength: number;
  readonly RequireSymbols: boolean;
  readonly RequireNumbers: boolean;
  readonly RequireUppercaseCharacters: boolean;
  readonly RequireLowercaseCharacters: boolean;
  readonly AllowUsersToChangePassword: boolean;
  /** Days. */
  readonly MaxPasswordAge?: number | undefined;
  readonly PasswordReusePrevention?: number | undefined;
  readonly HardExpiry?: boolean | undefined;
}

/** "You can specify … a maximum number of 24 previous passwords that can't be repeated." */
export const MAX_REMEMBERED = 24;

const DAY_MS = 86_400_000;
/** In the words of AWS. Symbols are "! @ # $ % ^ & * ( ) _ + - = [ ] { } | '". */
const CLASSES = [
  { required: "RequireUppercaseCharacters", pattern: /[A-Z]/, name: "uppercase letter" },
  { required: "RequireLowercaseCharacters", pattern: /[a-z]/, name: "lowercase letter" },
  { required: "RequireNumbers", pattern: /[0-9]/, name: "number" },
  { required: "RequireSymbols", pattern: /[!@#$%^&*()_+\-=[\]{}|']/, name: "symbol" },
] as const;
/** "Minimum password length of 8 characters", "minimum of three of the following mix of character types". */
const DEFAULT_LENGTH = 8;
const DEFAULT_CLASSES = 3;

/** Throws PasswordPolicyViolation. `accountNames` are the account's id and alias, which the default policy refuses. */
export function requireStrong(password: string, policy: PasswordPolicy | undefined, accountNames: string[]): void {
  const lacking = CLASSES.filter(({ pattern }) => !pattern.test(password));
  const demands = policy ? lacking.filter(({ required }) => policy[required]).map(demandOf) : defaultDemands(lacking);
  const length = policy?.MinimumPasswordLength ?? DEFAULT_LENGTH;
  if (password.length < length) demands.unshift(`Password should have a minimum length of ${length}`);
  if (demands.length > 0) throw passwordPolicyViolation(demands.join(", "));
  if (!policy && accountNames.includes(password)) {
    throw passwordPolicyViolation("Password does not conform to the account password policy.");
  }
}

/** Throws PasswordPolicyViolation for one of the last passwords; `hashes` are theirs, the newest first. */
export async function requireNew(
  password: string,
  policy: PasswordPolicy | undefined,
  hashes: readonly string[],
): Promise<void> {
  const remembered = hashes.slice(0, policy?.PasswordReusePrevention ?? 0);
  const reused = await Promise.all(remembered.map((hash) => isPassword(password, hash)));
  if (reused.includes(true)) {
    throw passwordPolicyViolation("Policy constraint violation with password reuse prevention during password change.");
  }
}

/** When a password that was set at `changedAt` must be replaced; undefined: never. */
export function expiryOf(changedAt: Date, policy: PasswordPolicy | undefined): Date | undefined {
  if (!policy?.MaxPasswordAge) return undefined;
  return new Date(changedAt.getTime() + policy.MaxPasswordAge * DAY_MS);
}

export function toPasswordPolicy(policy: PasswordPolicy): sdk.PasswordPolicy {
  const { MaxPasswordAge, PasswordReusePrevention, HardExpiry, ...always } = policy;
  return {
    ...always,
    ExpirePasswords: MaxPasswordAge !== undefined,
    ...(MaxPasswordAge !== undefined && { MaxPasswordAge }),
    ...(PasswordReusePrevention !== undefined && { PasswordReusePrevention }),
    ...(HardExpiry !== undefined && { HardExpiry }),
  };
}

type CharacterClass = (typeof CLASSES)[number];

function demandOf({ name }: CharacterClass): string {
  return `Password should have at least one ${name}`;
}

function defaultDemands(lacking: readonly CharacterClass[]): string[] {
  const more = DEFAULT_CLASSES - (CLASSES.length - lacking.length);
  if (more <= 0) return [];
  return [`Password should meet ${more} more of the following requirements: ${lacking.map(demandOf).join(", ")}`];
}
