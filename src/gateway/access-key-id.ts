/**
 * Access key ids: a prefix (AKIA: long-term, ASIA: of a session) and 80 bits in base32. As in AWS's, 40 of the first 48
 * bits are the account, so that GetAccessKeyInfo can answer for keys that are stored nowhere.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
 * https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489
 */
import { randomBytes } from "node:crypto";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const RANDOM_BITS = 32n;
/** One marker bit, 40 of the account, 7 random. */
const ACCOUNT_SHIFT = 7n + RANDOM_BITS;
const ACCOUNT_MASK = (1n << 40n) - 1n;
const MARKER = 1n << 79n;

export function newAccessKeyId(prefix: "AKIA" | "ASIA", accountId: string): string {
  const random = BigInt(`0x${randomBytes(5).toString("hex")}`) & ((1n << ACCOUNT_SHIFT) - 1n);
  const bits = MARKER | (BigInt(accountId) << ACCOUNT_SHIFT) | random;
  let text = "";
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += BASE32[Number((bits >> shift) & 31n)];
  return prefix + text;
}

/** The account of an access key id; undefined where the text is not one. */
export function accountOfAccessKey(accessKeyId: string): string | undefined {
  const encoded = /^A[KS]IA([A-Z2-7]{16})$/.exec(accessKeyId)?.[1];
  if (encoded === undefined) return undefined;
  let bits = 0n;
  for (const character of encoded) bits = (bits << 5n) | BigInt(BASE32.indexOf(character));
  const account = (bits >> ACCOUNT_SHIFT) & ACCOUNT_MASK;
  return bits < MARKER || account > 999_999_999_999n ? undefined : String(account).padStart(12, "0");
}
