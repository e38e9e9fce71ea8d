/**
 * Seals secrets at rest and session tokens with the data folder's master key (AES-256-GCM, a fresh 96-bit nonce each).
 * The key lives in a file of mode 0600, or in SLIPWAY_MASTER_KEY (64 hex digits) where several processes share a database.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class Cipher {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    if (key.length !== 32) throw new Error("The master key must have 32 bytes");
    this.#key = key;
  }

  /** Opens the key file, or makes it; two processes that start at once end up with the same key. */
  static open(file: string): Cipher {
    const fromEnvironment = process.env.SLIPWAY_MASTER_KEY;
    if (fromEnvironment) {
      if (!/^[0-9a-f]{64}$/i.test(fromEnvironment)) throw new Error("SLIPWAY_MASTER_KEY must be 64 hex digits");
      return new Cipher(Buffer.from(fromEnvironment, "hex"));
    }
    const existing = readKey(file);
    if (existing) return new Cipher(existing);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, randomBytes(32).toString("hex"), { mode: 0o600, flush: true });
    try {
      linkSync(temporary, file); // fails where another process was first, whose key then counts
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      unlinkSync(temporary);
    }
    return new Cipher(readKey(file)!);
  }

  /** base64url of nonce, tag and ciphertext. `purpose` is authenticated: what is sealed for one opens for no other. */
  seal(purpose: string, plaintext: string | Uint8Array): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    cipher.setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** undefined where the text was not sealed by this key for this purpose, or was changed. */
  open(purpose: string, sealed: string): Buffer | undefined {
    const bytes = Buffer.from(sealed, "base64url");
    // The decoder skips what is no base64url, and bits that make no whole byte: such a text is a changed one too.
    if (bytes.toString("base64url") !== sealed) return undefined;
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(purpose));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

function readKey(file: string): Buffer | undefined {
  try {
    return Buffer.from(readFileSync(file, "utf8").trim(), "hex");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
