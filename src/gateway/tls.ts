/**
 * The data folder's own certificate authority, and server certificates for whatever name a client asks for.
 *
 * Builds and tasks speak to AWS's host names unchanged; the gateway answers for those names with certificates signed here,
 * and clients trust them through `bundlePem`.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import type { CertificateWithKey } from "./tls-certificates.ts";
import { publishedFile } from "./tls-files.ts";

/** Where distributions keep the certificates that the system trusts (the list Go's crypto/x509 uses, the common part). */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Alpine
  "/etc/pki/tls/certs/ca-bundle.crt", // Fedora, RHEL, Amazon Linux
  "/etc/ssl/ca-bundle.pem", // openSUSE
  "/etc/ssl/cert.pem", // macOS, BSD
] as const;

/** A leaf costs at most 100 KB (measured: 256 of them, 25 MB). A Slipway in use serves a few dozen names; a client that makes names up must not fill memory. */
const LEAVES_KEPT = 256;

/** A leaf is replaced while this much of its life remains, so that no connection ever sees one that expires during it. */
const RENEW_BEFORE_MS = 30 * 24 * 60 * 60 * 1000;

/** A host name of DNS (RFC 1123, with the underscore that container networks use) of at most 253 characters. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** A server certificate ready for use. The same object is returned until it is renewed. */
export interface Leaf {
  /** PEM, the certificate alone: its issuer is the root that clients have. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly context: SecureContext;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export class TlsIssuer {
  /** The authority's certificate, PEM. */
  readonly caPem: string;
  readonly #authority: CertificateWithKey;
  readonly #now: () => number;
  /** By server name; the least recently used first. */
  readonly #leaves = new Map<string, Promise<Leaf>>();

  private constructor(authority: CertificateWithKey, now: () => number) {
    this.#authority = authority;
    this.#now = now;
    this.caPem = authority.certificatePem;
  }

  /**
   * The authority kept in `dir` as `ca.pem` and `ca.key` (0600), made on first use and valid for ten years.
   *
   * Any number of processes may open the same folder at once: each file is published whole and only once, and a certificate
   * lost between the two is made again from the key.
   * Rejects with a sentence when the files do not belong together, are not ECDSA P-256, or have expired.
   */
  static async open(dir: string, options: { now?: () => number } = {}): Promise<TlsIssuer> {
    const now = options.now ?? Date.now;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const privateKeyPem = await publishedFile(join(dir, "ca.key"), 0o600, async () =>
      (await import("./tls-certificates.ts")).newPrivateKeyPem(),
    );
    const certificatePem = await publishedFile(join(dir, "ca.pem"), 0o644, async () =>
      (await import("./tls-certificates.ts")).newAuthorityPem(privateKeyPem),
    );
    const authority = { certificatePem, privateKeyPem };
    assertUsable(authority, dir, now());
    return new TlsIssuer(authority, now);
  }

  /**
   * The system's trusted certificates followed by ours, PEM. Clients replace their own store with what `AWS_CA_BUNDLE`,
   * `SSL_CERT_FILE` and the like name, so the file must hold both for tunnelled hosts to stay verifiable.
   * On a system without a bundle, the ones that Node carries.
   */
  bundlePem(): string {
    const path = SYSTEM_BUNDLES.find((candidate) => existsSync(candidate));
    const system = path === undefined ? rootCertificates.join("\n") : readFileSync(path, "utf8");
    return `${system.trimEnd()}\n${this.caPem}`;
  }

  /** The context to serve `serverName` (a host name or an IP address) with. Rejects for what is neither. */
  async contextFor(serverName: string): Promise<SecureContext> {
    return (await this.leafFor(serverName)).context;
  }

  /** As `contextFor`, with the certificate as PEM for who must configure a server with it. Concurrent calls share one certificate. */
  async leafFor(serverName: string): Promise<Leaf> {
    const name = serverName.toLowerCase().replace(/\.$/, "");
    if (isIP(name) === 0 && !HOST_NAME.test(name)) {
      throw new Error(`A certificate cannot be issued for ${JSON.stringify(serverName)}: it is not a host name.`);
    }
    const known = this.#leaves.get(name);
    this.#leaves.delete(name);
    const leaf = known === undefined ? this.#issued(name) : this.#renewed(name, known);
    this.#leaves.set(name, leaf);
    if (this.#leaves.size > LEAVES_KEPT) {
      const [oldest] = this.#leaves.keys();
      this.#leaves.delete(oldest!);
    }
    return leaf;
  }

  async #renewed(name: string, known: Promise<Leaf>): Promise<Leaf> {
    const leaf = await known;
    return leaf.expiresAt - this.#now() > RENEW_BEFORE_MS ? leaf : this.#issued(name);
  }

  async #issued(name: string): Promise<Leaf> {
    try {
      const { newLeaf } = await import("./tls-certificates.ts");
      const { certificatePem, privateKeyPem } = await newLeaf(name, this.#authority);
      return {
        certificatePem,
        privateKeyPem,
        // `ca` is given only to keep OpenSSL from loading its root store, 10 ms and some megabytes, for a server that asks no
        // client for a certificate.
        context: createSecureContext({ cert: certificatePem, key: privateKeyPem, ca: this.caPem }),
        expiresAt: new X509Certificate(certificatePem).validToDate.getTime(),
      };
    } catch (error) {
      this.#leaves.delete(name); // the next connection tries again
      throw error;
    }
  }
}

function assertUsable({ certificatePem, privateKeyPem }: CertificateWithKey, dir: string, now: number): void {
  const remedy = `Remove ca.pem and ca.key from ${dir} to have new ones made; clients must then trust the new ca.pem.`;
  const key = createPrivateKey(privateKeyPem);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new Error(`The certificate authority's key is not ECDSA P-256. ${remedy}`);
  }
  const certificate = new X509Certificate(certificatePem);
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`The certificate authority's ca.pem and ca.key do not belong together. ${remedy}`);
  }
  if (certificate.validToDate.getTime() <= now) {
    throw new Error(`The certificate authority expired on ${certificate.validTo}. ${remedy}`);
  }
}
