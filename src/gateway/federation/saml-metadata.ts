/**
 * What an identity provider's SAML metadata says of it.
 * https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf
 */
import { X509Certificate } from "node:crypto";
import { childrenOf, parseXml, type XmlElement, XmlError } from "./xml.ts";

const METADATA = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE = "http://www.w3.org/2000/09/xmldsig#";
const PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol";

export interface SamlMetadata {
  /** What its assertions name as their issuer. */
  readonly entityId: string;
  /** PEM: any of them may have signed. */
  readonly certificates: readonly string[];
  /** undefined: it does not expire. */
  readonly validUntil: Date | undefined;
}

/** Throws XmlError for what is no metadata of an identity provider that speaks SAML 2.0. */
export function parseSamlMetadata(document: string): SamlMetadata {
  const root = parseXml(document);
  if (root.namespace !== METADATA || root.name !== "EntityDescriptor") {
    throw new XmlError("The document is no EntityDescriptor");
  }
  const entityId = root.attributes.get("entityID");
  if (!entityId) throw new XmlError("The entity has no id");
  const descriptors = childrenOf(root, METADATA, "IDPSSODescriptor").filter((descriptor) =>
    descriptor.attributes.get("protocolSupportEnumeration")?.split(/\s+/).includes(PROTOCOL),
  );
  const certificates = descriptors.flatMap(signingCertificates);
  if (certificates.length === 0) throw new XmlError("The identity provider has no certificate to sign with");
  return { entityId, certificates, validUntil: instant(root.attributes.get("validUntil")) };
}

function signingCertificates(descriptor: XmlElement): string[] {
  return childrenOf(descriptor, METADATA, "KeyDescriptor")
    .filter(({ attributes }) => (attributes.get("use") ?? "signing") === "signing")
    .flatMap((key) => childrenOf(key, SIGNATURE, "KeyInfo"))
    .flatMap((info) => childrenOf(info, SIGNATURE, "X509Data"))
    .flatMap((data) => childrenOf(data, SIGNATURE, "X509Certificate"))
    .map(({ text }) => toPem(text));
}

function toPem(base64: string): string {
  try {
    return new X509Certificate(Buffer.from(base64, "base64")).toString();
  } catch (error) {
    throw new XmlError(`A certificate cannot be read: ${(error as Error).message}`);
  }
}

/** An xs:dateTime; undefined where there is none. Throws XmlError. */
export function instant(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/.test(text))
    throw new XmlError(`${text} is no time`);
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`; // SAML's times are UTC
  const date = new Date(zoned);
  if (Number.isNaN(date.getTime())) throw new XmlError(`${text} is no time`);
  return date;
}
