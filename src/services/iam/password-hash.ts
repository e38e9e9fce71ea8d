/** Passwords as they are kept: scrypt (RFC 7914) with a salt each, and the parameters beside, so that they can grow. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { perSystem } from "#gateway/per-system.ts";

export type PasswordCost = Readonly<Record<"N" | "r" | "p", number>>;

/**
 * One of the settings between which OWASP sees no difference in strength, from N=2^17 with p=1 down to N=2^13 with p=10: a
 * hash takes 32 MiB here instead of 128, and a third of a second of one core.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
 */
const RECOMMENDED: PasswordCost = { N: 2 ** 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Makes hashes, all at one cost. */
export class PasswordHashing {
  readonly #cost: PasswordCost;

  constructor(cost = RECOMMENDED) {
    this.#cost = cost;
  }

  /** `scrypt$N$r$p$salt$hash`, the last two in base64url. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await derive(password, salt, this.#cost);
    const { N, r, p } = this.#cost;
    return ["scrypt", N, r, p, salt.toString("base64url"), hash.toString("base64url")].join("$");
  }

  /** Whether the hash was made at less cost than this makes them. */
  isOutdated(hashed: string): boolean {
    return workOf(parsed(hashed).cost) < workOf(this.#cost);
  }
}

/** Tests have many passwords and no secrets. */
export const [passwordHashing, usePasswordHashing] = perSystem(() => new PasswordHashing());

/** At whatever cost it was hashed. */
export async function isPassword(password: string, hashed: string): Promise<boolean> {
  const { cost, salt, hash } = parsed(hashed);
  return timingSafeEqual(await derive(password, salt, cost), hash);
}

function parsed(hashed: string): { readonly cost: PasswordCost; readonly salt: Buffer; readonly hash: Buffer } {
  const [, N, r, p, salt = "", hash = ""] = hashed.split("$");
  return {
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, "base64url"),
    hash: Buffer.from(hash, "base64url"),
  };
}

function workOf({ N, r, p }: PasswordCost): number {
  return N * r * p;
}

/** Off the main thread. */
function derive(password: string, salt: Buffer, { N, r, p }: PasswordCost): Promise<Buffer> {
  // What OpenSSL allocates; unless it is told so, 32 MiB are already too much for it.
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p + 2) };
  return new Promise((resolve, reject) =>
    scrypt(password, salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key))),
  );
}
