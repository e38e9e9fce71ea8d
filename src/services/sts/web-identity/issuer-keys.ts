/**
 * The keys of OpenID Connect issuers, fetched as discovery says and kept for a while.
 * https://openid.net/specs/openid-connect-discovery-1_0.html
 */
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { isReachable } from "#gateway/egress-guard.ts";
import { type FetchOptions, fetchJson, type IssuerTrust } from "#gateway/federation/issuer-tls.ts";
import { perSystem } from "#gateway/per-system.ts";

/** How long keys are used without asking again: a revoked one is trusted for no longer. */
const FRESH_MS = 10 * 60_000;
/** A token of a key that is not known asks anew, but no more often than this: whoever sends tokens must not make us fetch. */
const COOLDOWN_MS = 30_000;
/** IAM takes up to 100 RSA and 100 EC keys; with certificate chains, one takes some KiB. */
const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 5_000;
const MAX_ISSUERS = 1_000;

export interface Issuer {
  /** `https://…`, as its tokens name it. */
  readonly url: string;
  readonly thumbprints: readonly string[];
}

interface Known {
  readonly at: number;
  /** Rejects where they could not be had. */
  readonly keys: Promise<JSONWebKeySet>;
}

export type KeyFetch = (issuer: Issuer) => Promise<JSONWebKeySet>;

export class IssuerKeys {
  readonly #fetch: KeyFetch;
  /** By URL and thumbprints; the oldest first. */
  readonly #known = new Map<string, Known>();

  constructor(fetch: KeyFetch) {
    this.#fetch = fetch;
  }

  /**
   * Finds the key that a token names. Throws UnreachableError or ThumbprintError as the fetch does, else Error: where the
   * issuer has no keys or not that one.
   */
  async finder(issuer: Issuer, kid: string | undefined, now: Date): Promise<JWTVerifyGetKey> {
    let set = await this.#keys(issuer, now, FRESH_MS);
    if (kid !== undefined && !set.keys.some((key) => key.kid === kid)) set = await this.#keys(issuer, now, COOLDOWN_MS);
    return createLocalJWKSet(set);
  }

  /** At most `maxAge` milliseconds old, failures included: they are not tried again at once. */
  #keys(issuer: Issuer, now: Date, maxAge: number): Promise<JSONWebKeySet> {
    const name = JSON.stringify([issuer.url, ...issuer.thumbprints]);
    const known = this.#known.get(name);
    const at = now.getTime();
    if (known && at - known.at < maxAge) return known.keys;
    const keys = this.#fetch(issuer);
    keys.catch(() => {
      // A failure is remembered for the cooldown only.
      const failed = this.#known.get(name);
      if (failed?.keys === keys) this.#known.set(name, { at: at - FRESH_MS + COOLDOWN_MS, keys });
    });
    this.#known.delete(name);
    if (this.#known.size >= MAX_ISSUERS) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(name, { at, keys });
    return keys;
  }
}

/** Tests have issuers whose names lead nowhere. */
export const [issuerKeys, useIssuerKeys] = perSystem(
  (system) => new IssuerKeys((issuer) => fetchKeys(issuer, system.caBundle())),
);

/** Throws UnreachableError, ForbiddenAddressError, ThumbprintError, or Error for an issuer whose answers are not what they must be. */
export async function fetchKeys(
  { url, thumbprints }: Issuer,
  caBundle: string,
  timeoutMs = TIMEOUT_MS,
): Promise<JSONWebKeySet> {
  const trust: IssuerTrust = { caBundle, thumbprints };
  const options: FetchOptions = { maxBytes: MAX_BYTES, timeoutMs };
  const discovery = new URL(`${url.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const { issuer, jwks_uri } = membersOf(await fetchJson(discovery, trust, options));
  if (issuer !== url) throw new Error(`${discovery} is of another issuer, ${String(issuer)}`);
  if (typeof jwks_uri !== "string" || !URL.canParse(jwks_uri)) throw new Error(`${discovery} names no keys`);
  const place = new URL(jwks_uri);
  // An administrator has registered the issuer's own host, wherever it is. Other hosts are the issuer's word only, which must
  // not lead to what this machine alone can reach.
  const elsewhere = place.host === discovery.host ? options : { ...options, isAllowed: isReachable };
  const { keys } = membersOf(await fetchJson(place, trust, elsewhere));
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "object" && key !== null)) {
    throw new Error(`${place} is no set of keys`);
  }
  return { keys } as JSONWebKeySet;
}

function membersOf(document: unknown): Readonly<Record<string, unknown>> {
  if (typeof document !== "object" || document === null) throw new Error("The document is no object");
  return document as Record<string, unknown>;
}
