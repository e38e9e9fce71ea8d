/** Temporary credentials. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html */
import { randomBytes } from "node:crypto";
import type { Credentials } from "@aws-sdk/client-sts";
import { newAccessKeyId } from "#gateway/access-key-id.ts";
import type { Call } from "#gateway/context.ts";
import { type Session, sealSession } from "#gateway/session-token.ts";
import { validationError } from "./errors.ts";

/** Of `MinimumSessionTokenSize`, in bytes. */
const MAX_MINIMUM = 4096;

/** The token has `minimumSize` bytes at least. Throws ValidationError for more than can be asked for. */
export function issued(
  call: Call,
  seconds: number,
  session: Omit<Session, "accessKeyId" | "secretAccessKey" | "expiration">,
  minimumSize = 0,
): Credentials {
  requireMinimum(minimumSize);
  // Whole seconds: that is what the answer's timestamp can say.
  const expiration = (Math.floor(call.now.getTime() / 1000) + seconds) * 1000;
  const accessKeyId = newAccessKeyId("ASIA", session.principal.accountId);
  const secretAccessKey = randomBytes(30).toString("base64");
  const sealed = { issuedAt: call.now.getTime(), ...session, accessKeyId, secretAccessKey, expiration };
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sealSession(call.system.cipher, sealed, minimumSize),
    Expiration: new Date(expiration),
  };
}

/** "The value must not exceed 4,096 bytes." */
function requireMinimum(size: number): void {
  const violated =
    size > MAX_MINIMUM ? `less than or equal to ${MAX_MINIMUM}` : size < 0 ? "greater than or equal to 0" : undefined;
  if (violated === undefined) return;
  throw validationError(
    `1 validation error detected: Value '${size}' at 'minimumSessionTokenSize' failed to satisfy constraint: Member must have value ${violated}`,
  );
}

/** What every answer with credentials says of the token: bytes, and the percentage of the 4,096 that may be asked for. */
export function tokenSize({ SessionToken }: Credentials): {
  SessionTokenSize: number;
  SessionTokenUtilization: number;
} {
  const size = SessionToken!.length;
  return { SessionTokenSize: size, SessionTokenUtilization: Math.min(100, Math.ceil((size / MAX_MINIMUM) * 100)) };
}
