/** Identifiers in AWS's form; the API reference gives each one's pattern. */
import { randomBytes, randomInt } from "node:crypto";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

function random(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

export const newOrganizationId = () => `o-${random(10)}`;
export const newRootId = () => `r-${random(4)}`;
export const newUnitId = (rootId: string) => `ou-${rootId.slice(2)}-${random(8)}`;
export const newPolicyId = () => `p-${random(8)}`;
export const newResourcePolicyId = () => `rp-${random(8)}`;
export const newHandshakeId = () => `h-${randomBytes(16).toString("hex")}`;
export const newTransferId = () => `rt-${random(8)}`;
export const newRequestId = () => `car-${randomBytes(16).toString("hex")}`;
/** Twelve digits, the first of them not zero, so that no tool takes it for a shorter number. */
export const newAccountId = () => String(randomInt(100_000, 1_000_000)) + String(randomInt(1_000_000)).padStart(6, "0");
