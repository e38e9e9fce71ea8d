/**
 * GitHub's signature of a delivery: `sha256=` and the HMAC of the body.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { System } from "#gateway/context.ts";

const PURPOSE = "codebuild-webhook-secret";

export function sealedSecret(system: System, secret: string): string {
  return system.cipher.seal(PURPOSE, secret);
}

export function isSignedWith(system: System, sealed: string, body: Uint8Array, header: string | undefined): boolean {
  const secret = system.cipher.open(PURPOSE, sealed);
  if (!secret) return false;
  const expected = Buffer.from(gitHubSignature(secret, body));
  const given = Buffer.from(header ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** What GitHub sends as X-Hub-Signature-256. */
export function gitHubSignature(secret: string | Uint8Array, body: Uint8Array): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}
