/** X.509 certificates that people upload. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { keyPairMismatch, malformedCertificate } from "./errors.ts";

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** One certificate and nothing else. Throws MalformedCertificate. */
export function parseCertificate(pem: string): X509Certificate {
  const [certificate, ...others] = parseAll(pem);
  if (!certificate || others.length > 0) throw unparsable();
  return certificate;
}

/**
 * The certificate of a server after everything about it was checked: that it is one, that the private key is its own, and
 * that each certificate of the chain has issued the one before. Throws MalformedCertificate or KeyPairMismatch.
 */
export function checkedServerCertificate(body: string, privateKey: string, chain: string | undefined): X509Certificate {
  const certificate = parseCertificate(body);
  if (!certificate.checkPrivateKey(parsePrivateKey(privateKey))) {
    throw keyPairMismatch("The private key does not match the public key of the certificate.");
  }
  let issued = certificate;
  for (const [index, issuer] of (chain === undefined ? [] : parseAll(chain)).entries()) {
    if (!issued.checkIssued(issuer) || !issued.verify(issuer.publicKey)) {
      throw malformedCertificate(
        `Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: ${index}`,
      );
    }
    issued = issuer;
  }
  return certificate;
}

function parseAll(pem: string): X509Certificate[] {
  const blocks = pem.match(PEM_BLOCK) ?? [];
  if (blocks.length === 0 || pem.replace(PEM_BLOCK, "").trim() !== "") throw unparsable();
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw unparsable();
  }
}

/** Without a passphrase, in any form that PEM has for it. */
function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw malformedCertificate("Invalid Private Key.");
  }
}

function unparsable(): Error {
  return malformedCertificate("Unable to parse certificate. Please ensure the certificate is in PEM format.");
}
