/**
 * Ciphertext blobs: which key, then AES-256-GCM. The encryption context is authenticated, not stored, as on AWS.
 * Layout: version (1 byte), key id (16), nonce (12), tag (16), ciphertext.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export type EncryptionContext = Readonly<Record<string, string>>;

const VERSION = 1;
const KEY_ID_END = 1 + 16;
const NONCE_END = KEY_ID_END + 12;
const TAG_END = NONCE_END + 16;

export function encrypted(
  keyId: string,
  material: Uint8Array,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  const head = Buffer.concat([Buffer.of(VERSION), Buffer.from(keyId.replaceAll("-", ""), "hex")]);
  const nonce = randomBytes(NONCE_END - KEY_ID_END);
  const cipher = createCipheriv("aes-256-gcm", material, nonce);
  cipher.setAAD(authenticated(head, context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([head, nonce, cipher.getAuthTag(), sealed]);
}

/** undefined where the bytes are no ciphertext of ours. */
export function keyIdOf(blob: Uint8Array): string | undefined {
  if (blob.length < TAG_END || blob[0] !== VERSION) return undefined;
  const hex = Buffer.from(blob.subarray(1, KEY_ID_END)).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** undefined where the blob was changed, or the context is not the one it was encrypted under. */
export function decrypted(material: Uint8Array, blob: Uint8Array, context: EncryptionContext): Uint8Array | undefined {
  const decipher = createDecipheriv("aes-256-gcm", material, blob.subarray(KEY_ID_END, NONCE_END));
  decipher.setAAD(authenticated(blob.subarray(0, KEY_ID_END), context));
  decipher.setAuthTag(blob.subarray(NONCE_END, TAG_END));
  try {
    return Buffer.concat([decipher.update(blob.subarray(TAG_END)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** The order of the context's pairs does not matter. */
function authenticated(head: Uint8Array, context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([head, Buffer.from(JSON.stringify(pairs))]);
}
