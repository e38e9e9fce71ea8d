/** The keys of this Slipway for web identity tokens: made when first needed, sealed at rest, the public halves served to all. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { calculateJwkThumbprint, exportJWK, type JWK } from "jose";
import type { System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { findTokenKey, insertTokenKey } from "./store.ts";

/** "Valid values are RS256 (RSA with SHA-256) and ES384 (ECDSA using P-384 curve with SHA-384)." */
export const TOKEN_ALGORITHMS = ["RS256", "ES384"] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

const PURPOSE = "web-identity-token-key";
const generate = promisify(generateKeyPair);

export interface TokenKey {
  readonly privateKey: KeyObject;
  /** With its id, algorithm and use. */
  readonly publicJwk: JWK & { readonly kid: string };
}

export async function tokenKey(
  { cipher, clock }: Pick<System, "cipher" | "clock">,
  db: Database,
  algorithm: TokenAlgorithm,
): Promise<TokenKey> {
  let sealed = await findTokenKey(db, algorithm);
  if (sealed === undefined) {
    await insertTokenKey(db, algorithm, cipher.seal(PURPOSE, await newKeyPem(algorithm)), clock.now());
    sealed = (await findTokenKey(db, algorithm))!;
  }
  const pem = cipher.open(PURPOSE, sealed);
  if (!pem) throw new Error(`The ${algorithm} token key was sealed with another master key`);
  const privateKey = createPrivateKey(pem);
  const jwk = await exportJWK(createPublicKey(privateKey));
  return { privateKey, publicJwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: algorithm, use: "sig" } };
}

async function newKeyPem(algorithm: TokenAlgorithm): Promise<string> {
  const { privateKey } =
    algorithm === "RS256"
      ? await generate("rsa", { modulusLength: 2048 })
      : await generate("ec", { namedCurve: "P-384" });
  return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
}
