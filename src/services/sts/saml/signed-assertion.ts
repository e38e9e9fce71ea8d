/**
 * The one assertion of a SAML response that the identity provider has signed, alone or with the whole response.
 *
 * Only what the signature covers is read, in its canonical form: whatever else a response holds (a second assertion wrapped
 * around the signed one, a comment inside a name) is not there.
 * https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf, 5.4
 */
import { createRequire } from "node:module";
import {
  childrenOf,
  type DomNode,
  domChildren,
  parsedDocument,
  parseXml,
  type XmlElement,
} from "#gateway/federation/xml.ts";

/** For the package that checks signatures, which is loaded with the first response: most Slipways never see one. */
const require = createRequire(import.meta.url);

export const ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion";
export const PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol";
const SIGNATURE = "http://www.w3.org/2000/09/xmldsig#";
const SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success";

/** SHA-1 is left out: it has been broken for signatures. */
const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
  "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
]);
const DIGEST_ALGORITHMS: ReadonlySet<string> = new Set([
  "http://www.w3.org/2001/04/xmlenc#sha256",
  "http://www.w3.org/2001/04/xmlenc#sha512",
]);
/** "Signatures in SAML messages SHOULD NOT contain transforms other than" these. */
const TRANSFORMS: ReadonlySet<string> = new Set([
  "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
  "http://www.w3.org/2001/10/xml-exc-c14n#",
  "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
]);
/** One of each kind. */
const MAX_TRANSFORMS = 2;

export class SamlError extends Error {
  override readonly name = "SamlError";
}

interface Trust {
  /** PEM, of the provider's metadata; those that the response brings count for nothing. */
  readonly certificates: readonly string[];
  /** Opens an EncryptedAssertion; throws SamlError. */
  readonly decrypt: (encrypted: XmlElement) => string;
  /** Takes encrypted assertions only. */
  readonly encryptedOnly: boolean;
}

/** Throws SamlError, XmlError. */
export function signedAssertion(response: string, trust: Trust): XmlElement {
  const { dom, root } = parsedDocument(response);
  if (root.namespace !== PROTOCOL || root.name !== "Response") throw new SamlError("The document is no SAML response");
  requireSuccess(root);
  const signed = signedIn(response, dom, trust);
  if (signed && isAssertion(signed)) {
    if (trust.encryptedOnly) throw notEncrypted();
    return signed;
  }
  // The whole response is signed, or nothing is but what may be encrypted in it.
  const assertions = childrenOf(signed ?? root, ASSERTION, "Assertion");
  const encrypted = childrenOf(signed ?? root, ASSERTION, "EncryptedAssertion");
  if (assertions.length + encrypted.length !== 1) throw new SamlError(signed ? ONE_ASSERTION : INVALID_SIGNATURE);
  if (encrypted[0]) return openedAssertion(trust.decrypt(encrypted[0]), signed !== undefined, trust);
  if (!signed) throw new SamlError(INVALID_SIGNATURE);
  if (trust.encryptedOnly) throw notEncrypted();
  return assertions[0]!;
}

const INVALID_SIGNATURE = "Response signature invalid";
const ONE_ASSERTION = "The SAML response must have exactly one assertion";

function notEncrypted(): SamlError {
  return new SamlError("The SAML provider requires that assertions are encrypted");
}

function openedAssertion(xml: string, vouched: boolean, trust: Trust): XmlElement {
  let document: ReturnType<typeof parsedDocument>;
  try {
    document = parsedDocument(xml);
  } catch {
    throw new SamlError(UNDECIPHERABLE);
  }
  if (!isAssertion(document.root)) throw new SamlError(UNDECIPHERABLE);
  if (vouched) return document.root;
  // What is wrong with what nobody has signed would tell whoever sends it, changed again and again, what it deciphers to.
  const signed = signedIn(xml, document.dom, trust);
  if (!signed || !isAssertion(signed)) throw new SamlError(UNDECIPHERABLE);
  return signed;
}

/** One sentence for everything that can be wrong: more would help to find out what was encrypted. */
export const UNDECIPHERABLE = "The encrypted assertion cannot be read";

function isAssertion({ namespace, name }: XmlElement): boolean {
  return namespace === ASSERTION && name === "Assertion";
}

function signedIn(xml: string, dom: DomNode, { certificates }: Trust): XmlElement | undefined {
  for (const place of signedPlaces(dom.documentElement!)) {
    for (const certificate of certificates) {
      const signed = signedElement(xml, place, certificate);
      if (signed) return signed;
    }
  }
  return undefined;
}

function requireSuccess(root: XmlElement): void {
  const codes = childrenOf(root, PROTOCOL, "Status").flatMap((status) => childrenOf(status, PROTOCOL, "StatusCode"));
  if (!codes.some(({ attributes }) => attributes.get("Value") === SUCCESS)) {
    throw new SamlError("The SAML response does not say that the user was authenticated");
  }
}

interface SignedPlace {
  readonly signature: DomNode;
  /** The id of the element that the signature stands in. */
  readonly id: string;
}

/** A signed assertion in a signed response. Each takes long to check, and whoever sends a response is nobody yet. */
const MAX_SIGNATURES = 2;

/** Where SAML has signatures: in the response itself, else in an assertion directly below it. Throws SamlError. */
function signedPlaces(root: DomNode): SignedPlace[] {
  const assertions = [...domChildren(root)].filter(
    ({ namespaceURI, localName }) => namespaceURI === ASSERTION && localName === "Assertion",
  );
  const places = [root, ...assertions].flatMap((element) => {
    const id = attribute(element, "ID");
    if (!id) return [];
    return [...domChildren(element)]
      .filter(({ namespaceURI, localName }) => namespaceURI === SIGNATURE && localName === "Signature")
      .map((signature) => ({ signature, id }));
  });
  if (places.length > MAX_SIGNATURES) throw new SamlError(INVALID_SIGNATURE);
  return places;
}

function attribute({ attributes }: DomNode, name: string): string | undefined {
  for (let index = 0; index < attributes.length; index++) {
    const { localName, nodeValue } = attributes.item(index);
    if (localName === name) return nodeValue ?? undefined;
  }
  return undefined;
}

/** What the signature covers; undefined where it is not one of the certificate's key over the element that it stands in. */
function signedElement(response: string, { signature, id }: SignedPlace, certificate: string): XmlElement | undefined {
  const { SignedXml } = require("xml-crypto") as typeof import("xml-crypto");
  const check = new SignedXml({ publicCert: certificate, getCertFromKeyInfo: () => null });
  check.idAttributes = ["ID"];
  try {
    check.loadSignature(signature as never);
    const [reference, ...more] = check.getReferences();
    if (!reference || more.length > 0 || reference.uri !== `#${id}`) return undefined;
    if (!SIGNATURE_ALGORITHMS.has(check.signatureAlgorithm ?? "")) return undefined;
    if (!DIGEST_ALGORITHMS.has(reference.digestAlgorithm)) return undefined;
    if (reference.transforms.length > MAX_TRANSFORMS) return undefined;
    if (!reference.transforms.every((transform) => TRANSFORMS.has(transform))) return undefined;
    if (!check.checkSignature(response)) return undefined;
  } catch {
    return undefined; // it throws for what it cannot verify, too
  }
  const [signed, ...others] = check.getSignedReferences();
  return signed === undefined || others.length > 0 ? undefined : parseXml(signed);
}
