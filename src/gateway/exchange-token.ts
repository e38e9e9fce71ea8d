/**
 * What a partner exchanges for credentials of the identity that accepted its delegation request. Like session tokens they
 * carry everything and are kept nowhere: IAM seals them, STS opens them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html
 */
import type { Cipher } from "./cipher.ts";
import type { Session } from "./session-token.ts";

/** Whom the partner acts as. */
export type Delegate = Pick<Session, "principal" | "mfaAuthenticatedAt" | "transitiveTagKeys">;

export interface Exchange {
  readonly requestId: string;
  /** "The exchange token can only be redeemed by the product provider account that created the delegation request." */
  readonly requestorAccountId: string;
  readonly delegate: Delegate;
  /** JSON: what the delegate's session may do at most. */
  readonly policy: string;
  /** When it was released, epoch milliseconds; absent in tokens of earlier versions. */
  readonly issuedAt?: number;
  /** Of the token and of all credentials that come of it: epoch milliseconds, whole seconds. */
  readonly expiration: number;
}

const PURPOSE = "delegation";

export function sealExchange(cipher: Cipher, exchange: Exchange): string {
  return cipher.seal(PURPOSE, JSON.stringify(exchange));
}

/** undefined where the token was not sealed here, or was changed. The caller checks account and expiration. */
export function openExchange(cipher: Cipher, token: string): Exchange | undefined {
  const opened = cipher.open(PURPOSE, token);
  return opened && (JSON.parse(opened.toString()) as Exchange);
}
