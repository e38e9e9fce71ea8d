/**
 * The password of `docker login`: it says, sealed with the master key, as whom the registry shall act. Nothing is stored,
 * so it survives a restart and is good on every process that shares the key.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
 */

import type { Cipher } from "#gateway/cipher.ts";
import type { Call, Principal, System } from "#gateway/context.ts";
import { invalidParameter } from "./errors.ts";

const PASSWORD = "ecr-password";
const LAYER = "ecr-layer";
const TWELVE_HOURS_MS = 12 * 60 * 60 * 1000;
const ONE_HOUR_MS = 60 * 60 * 1000;

interface Password {
  readonly expiresAt: number;
  /** The caller's own credentials without the secret: authenticated anew with every request, so that revoking counts. */
  readonly credentials?: { readonly accessKeyId: string; readonly sessionToken?: string | undefined };
  /** For callers inside this process, who have no session token to show. */
  readonly principal?: Principal;
  /** On whose behalf a service asks; repository policies may depend on it. */
  readonly sourceArn?: string | undefined;
}

export interface Bearer {
  readonly principal: Principal;
  readonly sourceArn?: string | undefined;
}

/** Good for twelve hours, and no longer than the caller's session. */
export function sealedPassword(call: Call): { password: string; expiresAt: Date } {
  const { principal, now, system } = call;
  const session = principal.sessionExpiration?.getTime() ?? Number.POSITIVE_INFINITY;
  const expiresAt = Math.min(now.getTime() + TWELVE_HOURS_MS, session);
  const password: Password = { expiresAt, ...bearer(call), sourceArn: call.sourceArn };
  return { password: system.cipher.seal(PASSWORD, JSON.stringify(password)), expiresAt: new Date(expiresAt) };
}

function bearer({ principal, http, system }: Call): Pick<Password, "credentials" | "principal"> {
  const sessionToken = http?.headers["x-amz-security-token"];
  const isSession = principal.type === "AssumedRole" || principal.type === "FederatedUser";
  // The root of --accept-any-credentials has a key that nobody can look up later.
  const isUnknownKey = principal.type === "Root" && system.config.acceptAnyCredentials;
  const canAuthenticate = http !== undefined && !isUnknownKey && (sessionToken !== undefined || !isSession);
  if (canAuthenticate && principal.accessKeyId !== undefined) {
    return { credentials: { accessKeyId: principal.accessKeyId, sessionToken } };
  }
  // Compiled session policies cannot be written down, and without them the session could do more than it may.
  if (principal.sessionPolicies) {
    throw invalidParameter(
      "credentials",
      "a session with session policies must ask with its session token in a header",
    );
  }
  return { principal };
}

/** "invalid": not one of ours, or the credentials behind it are no longer good. */
export async function bearerOfPassword(
  { cipher, identities, clock }: Pick<System, "cipher" | "identities" | "clock">,
  password: string,
): Promise<Bearer | "invalid" | "expired"> {
  const opened = cipher.open(PASSWORD, password);
  if (!opened) return "invalid";
  const { expiresAt, credentials, principal, sourceArn } = JSON.parse(opened.toString()) as Password;
  const now = clock.now();
  if (now.getTime() >= expiresAt) return "expired";
  if (principal) return { principal: revived(principal), sourceArn };
  if (!credentials) return "invalid";
  const known = await identities.authenticate(credentials.accessKeyId, credentials.sessionToken, now);
  if (typeof known !== "string") return { principal: known.principal, sourceArn };
  return known === "expired" ? "expired" : "invalid";
}

type DateMember = { [K in keyof Principal]-?: NonNullable<Principal[K]> extends Date ? K : never }[keyof Principal];
/** JSON knows no dates. A record, so that the compiler misses none that a principal may come to have. */
const DATES: Readonly<Record<DateMember, true>> = {
  mfaAuthenticatedAt: true,
  sessionExpiration: true,
  tokenIssueTime: true,
};

function revived(principal: Principal): Principal {
  const isDate = (name: string) => Object.hasOwn(DATES, name);
  return Object.fromEntries(
    Object.entries(principal).map(([name, value]) => [name, isDate(name) ? new Date(value as string) : value]),
  ) as unknown as Principal;
}

interface LayerAccess {
  readonly repositoryId: string;
  readonly digest: string;
}

export function sealLayerAccess(cipher: Cipher, { repositoryId, digest }: LayerAccess, now: Date): string {
  return cipher.seal(LAYER, JSON.stringify({ repositoryId, digest, expiresAt: now.getTime() + ONE_HOUR_MS }));
}

/** Whether the token of a download URL is good for this layer now. */
export function grantsLayer(cipher: Cipher, token: string, { repositoryId, digest }: LayerAccess, now: Date): boolean {
  const opened = cipher.open(LAYER, token);
  if (!opened) return false;
  const grant = JSON.parse(opened.toString()) as LayerAccess & { expiresAt: number };
  return grant.repositoryId === repositoryId && grant.digest === digest && now.getTime() < grant.expiresAt;
}
