/**
 * SSH public keys in both encodings that IAM takes: ssh-rsa (RFC 4253) and PEM.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { invalidPublicKey, unrecognizedEncoding } from "./errors.ts";

const TYPE = "ssh-rsa";
/** "The minimum bit-length of the public key is 2048 bits, and the maximum length is 16384 bits." */
const MIN_BITS = 2048;
const MAX_BITS = 16_384;

/** Throws UnrecognizedPublicKeyEncoding where it is neither encoding, InvalidPublicKey for what no RSA key is made of. */
export function parsePublicKey(text: string): KeyObject {
  const body = text.trim();
  const key = /^-----BEGIN (RSA )?PUBLIC KEY-----/.test(body) ? fromPem(body) : fromSsh(body);
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== "rsa" || modulusLength < MIN_BITS || modulusLength > MAX_BITS) {
    throw invalidPublicKey(`The public key must be an RSA key of ${MIN_BITS} to ${MAX_BITS} bits.`);
  }
  return key;
}

export function toPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

export function toSsh(key: KeyObject): string {
  return `${TYPE} ${wireForm(key).toString("base64")}`;
}

/** MD5 of the key as SSH sends it, in pairs of digits. */
export function fingerprintOf(key: KeyObject): string {
  return createHash("md5").update(wireForm(key)).digest("hex").match(/../g)!.join(":");
}

function fromPem(body: string): KeyObject {
  try {
    return createPublicKey(body);
  } catch {
    throw invalidPublicKey("The public key is not valid PEM.");
  }
}

function fromSsh(body: string): KeyObject {
  const [type, encoded = ""] = body.split(/\s+/);
  if (type !== TYPE) throw unrecognizedEncoding("Invalid public key uploaded.");
  const [name, exponent, modulus, ...rest] = fields(Buffer.from(encoded, "base64"));
  if (name?.toString() !== TYPE || !exponent || !modulus || rest.length > 0) {
    throw invalidPublicKey("The public key is not a valid ssh-rsa key.");
  }
  const jwk = { kty: "RSA", e: exponent.toString("base64url"), n: withoutSign(modulus).toString("base64url") };
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    throw invalidPublicKey("The public key is not a valid ssh-rsa key.");
  }
}

/** Each after its length in four bytes; nothing where they do not come out even. */
function fields(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32BE(at) : bytes.length + 1;
    if (end > bytes.length) return [];
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

function wireForm(key: KeyObject): Buffer {
  const { n = "", e = "" } = key.export({ format: "jwk" });
  const parts = [Buffer.from(TYPE), mpint(Buffer.from(e, "base64url")), mpint(Buffer.from(n, "base64url"))];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}

/** RFC 4251: a number whose first bit is set is led by a zero byte, else it would be negative. */
function mpint(bytes: Buffer): Buffer {
  return bytes[0]! & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}

function withoutSign(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}
