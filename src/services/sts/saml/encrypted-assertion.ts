/**
 * Assertions that the identity provider has encrypted with a certificate of ours, whose private key IAM keeps.
 * https://www.w3.org/TR/xmlenc-core1/
 */
import { constants, createDecipheriv, privateDecrypt } from "node:crypto";
import { childrenOf, type XmlElement } from "#gateway/federation/xml.ts";
import { SamlError, UNDECIPHERABLE } from "./signed-assertion.ts";

const XMLENC = "http://www.w3.org/2001/04/xmlenc#";
const XMLENC11 = "http://www.w3.org/2009/xmlenc11#";
const SIGNATURE = "http://www.w3.org/2000/09/xmldsig#";

/** "AES-GCM or AES-CBC"; the key's length and the cipher's mode. */
const CIPHERS: Readonly<Record<string, readonly [bits: 128 | 192 | 256, mode: "cbc" | "gcm"]>> = {
  [`${XMLENC}aes128-cbc`]: [128, "cbc"],
  [`${XMLENC}aes192-cbc`]: [192, "cbc"],
  [`${XMLENC}aes256-cbc`]: [256, "cbc"],
  [`${XMLENC11}aes128-gcm`]: [128, "gcm"],
  [`${XMLENC11}aes192-gcm`]: [192, "gcm"],
  [`${XMLENC11}aes256-gcm`]: [256, "gcm"],
};
/** RSA with PKCS #1 v1.5 padding is left out: whoever may ask often enough can decrypt with it. */
const KEY_ALGORITHMS: ReadonlySet<string> = new Set([`${XMLENC}rsa-oaep-mgf1p`, `${XMLENC11}rsa-oaep`]);
const DIGESTS: Readonly<Record<string, string>> = {
  [`${SIGNATURE}sha1`]: "sha1",
  [`${XMLENC}sha256`]: "sha256",
  [`${XMLENC}sha512`]: "sha512",
};
const GCM_NONCE_BYTES = 12;
const GCM_TAG_BYTES = 16;
const BLOCK_BYTES = 16;

/** The XML of the assertion. Throws SamlError. */
export function decryptedAssertion(encrypted: XmlElement, privateKeys: readonly string[]): string {
  for (const privateKey of privateKeys) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(decrypted(encrypted, privateKey));
    } catch {
      // Another key may fit.
    }
  }
  throw new SamlError(UNDECIPHERABLE);
}

function decrypted(encrypted: XmlElement, privateKey: string): Buffer {
  const data = only(encrypted, XMLENC, "EncryptedData");
  // The key is inside the data or beside it.
  const inside = childrenOf(data, SIGNATURE, "KeyInfo").flatMap((info) => childrenOf(info, XMLENC, "EncryptedKey"));
  const encryptedKey = inside[0] ?? only(encrypted, XMLENC, "EncryptedKey");
  const [bits, mode] = CIPHERS[algorithmOf(data)]!;
  const key = contentKey(encryptedKey, privateKey);
  if (key.length * 8 !== bits) throw new Error("The key has another length");
  const bytes = cipherValue(data);
  return mode === "gcm" ? openGcm(bytes, key, bits) : openCbc(bytes, key, bits);
}

function contentKey(encryptedKey: XmlElement, privateKey: string): Buffer {
  if (!KEY_ALGORITHMS.has(algorithmOf(encryptedKey))) throw new Error("The key is encrypted in another way");
  const method = only(encryptedKey, XMLENC, "EncryptionMethod");
  const digest = childrenOf(method, SIGNATURE, "DigestMethod")[0]?.attributes.get("Algorithm");
  const oaepHash = digest === undefined ? "sha1" : DIGESTS[digest];
  if (!oaepHash) throw new Error("The digest is another one");
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key: privateKey, padding, oaepHash }, cipherValue(encryptedKey));
}

function openGcm(bytes: Buffer, key: Buffer, bits: 128 | 192 | 256): Buffer {
  const decipher = createDecipheriv(`aes-${bits}-gcm`, key, bytes.subarray(0, GCM_NONCE_BYTES), {
    authTagLength: GCM_TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(-GCM_TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(GCM_NONCE_BYTES, -GCM_TAG_BYTES)), decipher.final()]);
}

/** The last byte says how many bytes are padding; the others may be anything, unlike PKCS #7's. */
function openCbc(bytes: Buffer, key: Buffer, bits: 128 | 192 | 256): Buffer {
  const decipher = createDecipheriv(`aes-${bits}-cbc`, key, bytes.subarray(0, BLOCK_BYTES)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(bytes.subarray(BLOCK_BYTES)), decipher.final()]);
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > BLOCK_BYTES) throw new Error("The padding is wrong");
  return padded.subarray(0, -padding);
}

function algorithmOf(element: XmlElement): string {
  return only(element, XMLENC, "EncryptionMethod").attributes.get("Algorithm") ?? "";
}

function cipherValue(element: XmlElement): Buffer {
  const { text } = only(only(element, XMLENC, "CipherData"), XMLENC, "CipherValue");
  return Buffer.from(text, "base64");
}

function only(parent: XmlElement, namespace: string, name: string): XmlElement {
  const [element, ...more] = childrenOf(parent, namespace, name);
  if (!element || more.length > 0) throw new Error(`There must be exactly one ${name}`);
  return element;
}
