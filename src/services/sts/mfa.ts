/** MFA devices when a session is made. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html */
import type { Call } from "#gateway/context.ts";
import { accessDenied } from "./errors.ts";

interface MfaRequest {
  readonly SerialNumber?: string | undefined;
  readonly TokenCode?: string | undefined;
}

/**
 * Whether the call proves an MFA device. To be asked once a call: a code counts once. Throws AccessDenied where it tries to
 * and fails.
 */
export async function provesMfa({ SerialNumber, TokenCode }: MfaRequest, call: Call): Promise<boolean> {
  if (SerialNumber === undefined && TokenCode === undefined) return false;
  if (SerialNumber === undefined || TokenCode === undefined) {
    throw accessDenied("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.");
  }
  const { identities } = call.system;
  const verdict = await identities.verifyMfa?.(call.principal, SerialNumber, TokenCode, call.now, call.db);
  if (verdict === "wrong-code") {
    throw accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ");
  }
  if (verdict !== "verified") {
    throw accessDenied(
      "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
    );
  }
  return true;
}
