/** Identity providers for tests: an issuer of OpenID Connect tokens over real TLS, and one that signs SAML. */
import { KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import "reflect-metadata";
import { X509CertificateGenerator } from "@peculiar/x509";
import { SignedXml } from "xml-crypto";
import { newAuthorityPem, newLeaf, newPrivateKeyPem } from "../tls-certificates.ts";

/** What a request is answered with: JSON, or a function that answers by itself (or never does). */
type Answer = object | ((response: import("node:http").ServerResponse) => void);

export interface TestIssuer extends AsyncDisposable {
  /** `https://localhost:PORT` */
  readonly url: string;
  /** The authority that signed its certificate, PEM. */
  readonly caPem: string;
  /** By path; what is not here is answered with 404. */
  readonly answers: Map<string, Answer>;
  /** The paths that were asked for. */
  readonly asked: string[];
}

/**
 * Serves discovery and the keys given, as an issuer does, with a certificate of `authority` or of one that nobody knows;
 * `shownBeside` is PEM that its chain holds too.
 */
export async function testIssuer(jwks: object, authority?: Authority, shownBeside = ""): Promise<TestIssuer> {
  const signer = authority ?? (await newAuthority());
  const leaf = await newLeaf("localhost", signer);
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const server: Server = createServer(
    { cert: `${leaf.certificatePem}${signer.certificatePem}${shownBeside}`, key: leaf.privateKeyPem },
    (request, response) => {
      asked.push(request.url!);
      const answer = answers.get(request.url!);
      if (typeof answer === "function") return answer(response);
      response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? {}));
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  answers.set("/.well-known/openid-configuration", { issuer: url, jwks_uri: `${url}/keys` });
  answers.set("/keys", jwks);
  return {
    url,
    caPem: signer.certificatePem,
    answers,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export interface Authority {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export async function newAuthority(): Promise<Authority> {
  const privateKeyPem = await newPrivateKeyPem();
  return { privateKeyPem, certificatePem: await newAuthorityPem(privateKeyPem) };
}

/** In lower case, as IAM keeps it. */
export function thumbprintOf(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint.replaceAll(":", "").toLowerCase();
}

export interface SamlIssuer {
  readonly entityId: string;
  readonly privateKey: KeyObject;
  readonly certificatePem: string;
}

export async function samlIssuer(entityId = "https://idp.example.com/saml"): Promise<SamlIssuer> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: EXPONENT };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=idp",
    keys,
    signingAlgorithm: algorithm,
  });
  return {
    entityId,
    privateKey: KeyObject.from(keys.privateKey),
    certificatePem: `${certificate.toString("pem")}\n`,
  };
}

/** 65537 */
const EXPONENT = new Uint8Array([1, 0, 1]);

/** At least the 1000 characters that IAM wants. */
export function samlMetadata({ entityId, certificatePem }: SamlIssuer, attributes = ""): string {
  const certificate = certificatePem.replace(/-----[^-]+-----|\s/g, "");
  return [
    '<?xml version="1.0"?>',
    `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"${attributes}>`,
    '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">',
    '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>',
    `<ds:X509Certificate>${certificate}</ds:X509Certificate>`,
    "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
    '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/>',
    `</md:IDPSSODescriptor><!--${" ".repeat(300)}--></md:EntityDescriptor>`,
  ].join("");
}

/** As SAML has them. */
export const TRANSFORMS = [
  "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
  "http://www.w3.org/2001/10/xml-exc-c14n#",
] as const;

/** The document with the element of that id signed, the signature after the element's issuer. */
export function signedSaml(
  xml: string,
  id: string,
  { privateKey }: SamlIssuer,
  transforms: readonly string[] = TRANSFORMS,
): string {
  const signer = new SignedXml({
    privateKey: privateKey.export({ format: "pem", type: "pkcs8" }),
    canonicalizationAlgorithm: "http://www.w3.org/2001/10/xml-exc-c14n#",
    signatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  });
  signer.addReference({
    xpath: `//*[@ID='${id}']`,
    digestAlgorithm: "http://www.w3.org/2001/04/xmlenc#sha256",
    transforms: [...transforms],
  });
  signer.computeSignature(xml, { location: { reference: `//*[@ID='${id}']/*[1]`, action: "after" } });
  return signer.getSignedXml();
}
