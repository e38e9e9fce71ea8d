/**
 * Making X.509 certificates: the local authority's own and the ones it signs. Everything else in the gateway handles them as PEM text.
 *
 * This module costs about 120 ms to load (`@peculiar/x509` and the decorators metadata it needs), so import it with
 * `await import(…)` at the moment when a certificate must be made, never at process start.
 */
import "reflect-metadata";
import { createHash, createPrivateKey, createPublicKey, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_YEARS = 10;
const LEAF_DAYS = 90;

/** Certificates start in the past: a container's or a colleague's clock may run behind ours. */
const BACKDATED_MS = DAY_MS;

/** RFC 5280 appendix A: ub-common-name. */
const COMMON_NAME_MAX = 64;

const ECDSA_P256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const ECDSA_SHA256 = { name: "ECDSA", hash: "SHA-256" } as const;

/** A certificate (PEM, the leaf alone) with its private key (PEM, PKCS #8). */
export interface CertificateWithKey {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A new ECDSA P-256 private key as PKCS #8 PEM. */
export async function newPrivateKeyPem(): Promise<string> {
  const { privateKey } = await webcrypto.subtle.generateKey(ECDSA_P256, true, ["sign", "verify"]);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", privateKey);
  return createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

/**
 * A self-signed authority certificate for the key, as PEM.
 *
 * The subject carries a digest of the key: two Slipways' authorities in one trust store must not have the same name, because
 * OpenSSL looks issuers up by name first.
 */
export async function newAuthorityPem(privateKeyPem: string): Promise<string> {
  const keys = await keyPair(privateKeyPem);
  const fingerprint = createHash("sha256").update(
    createPublicKey(privateKeyPem).export({ format: "der", type: "spki" }),
  );
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ O: ["Slipway"] }, { CN: [`Slipway local authority ${fingerprint.digest("hex").slice(0, 8)}`] }],
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + AUTHORITY_YEARS * 365 * DAY_MS),
    signingAlgorithm: ECDSA_SHA256,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPem(certificate);
}

/**
 * A server certificate for one host name or IP address, signed by the authority, with a key of its own.
 *
 * The names are in subjectAltName only as far as clients care (RFC 9525: the common name is not consulted), with serverAuth
 * among the extended key usages, which Go insists on, and both key identifiers, which Python's strict verification does.
 */
export async function newLeaf(serverName: string, authority: CertificateWithKey): Promise<CertificateWithKey> {
  const issuer = new X509Certificate(authority.certificatePem);
  const [issuerKeys, privateKeyPem] = await Promise.all([keyPair(authority.privateKeyPem), newPrivateKeyPem()]);
  const { publicKey } = await keyPair(privateKeyPem);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ O: ["Slipway"] }, ...(serverName.length <= COMMON_NAME_MAX ? [{ CN: [serverName] }] : [])],
    issuer: issuer.subjectName,
    notBefore: new Date(Math.max(now - BACKDATED_MS, issuer.notBefore.getTime())),
    notAfter: new Date(Math.min(now + LEAF_DAYS * DAY_MS, issuer.notAfter.getTime())),
    signingAlgorithm: ECDSA_SHA256,
    publicKey,
    signingKey: issuerKeys.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([{ type: isIP(serverName) ? "ip" : "dns", value: serverName }]),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuerKeys.publicKey),
    ],
  });
  return { certificatePem: toPem(certificate), privateKeyPem };
}

async function keyPair(privateKeyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = createPrivateKey(privateKeyPem).export({ format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKeyPem).export({ format: "der", type: "spki" });
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", pkcs8, ECDSA_P256, false, ["sign"]),
    webcrypto.subtle.importKey("spki", spki, ECDSA_P256, true, ["verify"]),
  ]);
  return { privateKey, publicKey };
}

/** 127 random bits, positive and non-zero, in hexadecimal: RFC 5280 §4.1.2.2 wants unique, positive, at most 20 octets. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString("hex");
}

function toPem(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
