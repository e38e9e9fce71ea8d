/**
 * The account's credential report: a line for the root user and one for each user, in the order of their names.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
 */
import type { Database } from "#store/database.ts";
import { type AccessKey, arnOf, type Entity } from "./model.ts";
import { expiryOf, type PasswordPolicy } from "./password-rules.ts";
import { listAccessKeysOfAccount } from "./store/access-keys.ts";
import { accountSettings } from "./store/account-settings.ts";
import { EVERYTHING, keyOf, listEntities } from "./store/entities.ts";
import { type LoginProfile, listLoginProfiles } from "./store/login-profiles.ts";
import { listMfaDevices } from "./store/mfa-devices.ts";
import { listUserCredentials, type UserCredential } from "./store/user-credentials.ts";

const HEADER = [
  "user",
  "arn",
  "user_creation_time",
  "password_enabled",
  "password_last_used",
  "password_last_changed",
  "password_next_rotation",
  "mfa_active",
  "access_key_1_active",
  "access_key_1_last_rotated",
  "access_key_1_last_used_date",
  "access_key_1_last_used_region",
  "access_key_1_last_used_service",
  "access_key_2_active",
  "access_key_2_last_rotated",
  "access_key_2_last_used_date",
  "access_key_2_last_used_region",
  "access_key_2_last_used_service",
  "cert_1_active",
  "cert_1_last_rotated",
  "cert_2_active",
  "cert_2_last_rotated",
];
/** "not applicable" */
const NONE = "N/A";
/** Nobody signs in to a Slipway with a password. */
const NEVER_USED = "no_information";
const NOT_SUPPORTED = "not_supported";

/** CSV; lines end with a line feed but for the last. */
export async function credentialReport(db: Database, accountId: string): Promise<string> {
  const [users, keys, profiles, devices, certificates, { passwordPolicy }] = await Promise.all([
    listEntities(db, accountId, "user", "/", EVERYTHING),
    listAccessKeysOfAccount(db, accountId),
    listLoginProfiles(db, accountId),
    listMfaDevices(db, accountId, "Assigned", EVERYTHING),
    listUserCredentials(db, accountId, "signing"),
    accountSettings(db, accountId),
  ]);
  const keysOf = Map.groupBy(keys, ({ userName }) => keyOf(userName));
  const certificatesOf = Map.groupBy(certificates, ({ userId }) => userId);
  const profileOf = new Map(profiles.map((profile) => [profile.userId, profile]));
  const withMfa = new Set(devices.map(({ enabled }) => enabled?.userId));
  const lines = users.map((user) => [
    ...identity(user),
    ...password(profileOf.get(user.id), passwordPolicy),
    String(withMfa.has(user.id)),
    ...accessKeys(keysOf.get(keyOf(user.name)) ?? []),
    ...signingCertificates(certificatesOf.get(user.id) ?? []),
  ]);
  return [HEADER, rootLine(accountId), ...lines].map((line) => line.join(",")).join("\n");
}

/** The root user has no credentials of its own here, and its account began when nobody knows. */
function rootLine(accountId: string): string[] {
  return [
    "<root_account>",
    `arn:aws:iam::${accountId}:root`,
    time(new Date(0)),
    NOT_SUPPORTED,
    NEVER_USED,
    NOT_SUPPORTED,
    NOT_SUPPORTED,
    "false",
    ...accessKeys([]),
    ...signingCertificates([]),
  ];
}

function identity(user: Entity): string[] {
  // A comma is the one thing in names that CSV must have in quotes.
  return [quoted(user.name), quoted(arnOf(user)), time(user.createdAt)];
}

function password(profile: LoginProfile | undefined, policy: PasswordPolicy | undefined): string[] {
  if (!profile) return ["false", NONE, NONE, NONE];
  const expiry = expiryOf(profile.changedAt, policy);
  return ["true", NEVER_USED, time(profile.changedAt), expiry ? time(expiry) : NONE];
}

function accessKeys(keys: readonly AccessKey[]): string[] {
  const sorted = keys.toSorted((a, b) => (a.accessKeyId < b.accessKeyId ? -1 : 1));
  return [sorted[0], sorted[1]].flatMap((key) => {
    if (!key) return ["false", NONE, NONE, NONE, NONE];
    const { lastUsed } = key;
    return [
      String(key.status === "Active"),
      time(key.createdAt),
      ...(lastUsed ? [time(lastUsed.at), lastUsed.region, lastUsed.service] : [NONE, NONE, NONE]),
    ];
  });
}

function signingCertificates(certificates: readonly UserCredential[]): string[] {
  return [certificates[0], certificates[1]].flatMap((certificate) =>
    certificate ? [String(certificate.status === "Active"), time(certificate.createdAt)] : ["false", NONE],
  );
}

function quoted(text: string): string {
  return text.includes(",") ? `"${text}"` : text;
}

function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
