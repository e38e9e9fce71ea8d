/** Unique identifiers in AWS's form. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
import { randomBytes } from "node:crypto";

const PREFIXES = {
  user: "AIDA",
  group: "AGPA",
  role: "AROA",
  policy: "ANPA",
  "instance profile": "AIPA",
  "SSH public key": "APKA",
  "server certificate": "ASCA",
  "service-specific credential": "ACCA",
} as const;

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** After the prefix: `AIDACKCEVSQ6C2EXAMPLE`. */
const ID_LENGTH = 17;

/** "TA7SMP42TDN5Z26OBPJE7EXAMPLE" */
const CERTIFICATE_ID_LENGTH = 28;

export function newId(kind: keyof typeof PREFIXES): string {
  return PREFIXES[kind] + randomCharacters(ID_LENGTH);
}

/** Of a signing certificate. */
export function newCertificateId(): string {
  return randomCharacters(CERTIFICATE_ID_LENGTH);
}

function randomCharacters(count: number): string {
  return Array.from(randomBytes(count), (byte) => BASE32[byte & 31]).join("");
}

const SAML_PREFIXES = { provider: "SAMLSP", "private key": "SAMLPK" } as const;
const SAML_ID_LENGTH = 16;

/** `SAMLSPD9IMTW2LM46J042K`: what stands behind `/saml/acs/` in a provider's own sign-in endpoint. */
export function newSamlId(kind: keyof typeof SAML_PREFIXES): string {
  return SAML_PREFIXES[kind] + Array.from(randomBytes(SAML_ID_LENGTH), (byte) => BASE32[byte & 31]).join("");
}

/** 40 characters, as AWS's are. */
export function newSecretAccessKey(): string {
  return randomBytes(30).toString("base64");
}
