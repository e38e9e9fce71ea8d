/** Time-based one-time passwords as virtual MFA devices make them: RFC 6238 with HMAC-SHA-1, six digits, 30 seconds. */
import { createHmac, timingSafeEqual } from "node:crypto";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const STEP_MS = 30_000;
const MODULUS = 1_000_000;

/** RFC 4648 without padding; the length of what AWS's seeds are made of needs none. */
export function base32(bytes: Uint8Array): string {
  let bits = 0;
  let value = 0;
  let text = "";
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32[(value << (5 - bits)) & 31] : text;
}

/** The inverse of `base32`. Throws RangeError for other characters. */
export function fromBase32(text: string): Buffer {
  let bits = 0;
  let value = 0;
  const bytes: number[] = [];
  for (const character of text) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) throw new RangeError(`${character} is no Base32 digit`);
    value = (value << 5) | digit;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(value >>> bits);
    value &= (1 << bits) - 1;
  }
  return Buffer.from(bytes);
}

/** The number of the 30 seconds that `now` is in. */
export function stepAt(now: Date): number {
  return Math.floor(now.getTime() / STEP_MS);
}

export function totpCode(seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", seed).update(counter).digest();
  const number = digest.readUInt32BE(digest[digest.length - 1]! & 15) & 0x7fff_ffff;
  return String(number % MODULUS).padStart(6, "0");
}

/** The first step from `from` to `to` at which the device shows `codes` one after the other; undefined where there is none. */
export function findStep(seed: Uint8Array, codes: readonly string[], from: number, to: number): number | undefined {
  for (let step = Math.max(from, 0); step <= to; step++) {
    if (codes.every((code, index) => sameCode(totpCode(seed, step + index), code))) return step;
  }
  return undefined;
}

function sameCode(expected: string, given: string): boolean {
  return given.length === expected.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}
