/**
 * Seals secrets at rest and session tokens with the data folder's master key (AES-256-GCM, a fresh 96-bit nonce each).
 * The key lives in a file of mode 0600, or in SLIPWAY_MASTER_KEY (64 hex digits) where several processes share a database.
 *
 * A key is replaced by putting the new one before it, with a comma: `SLIPWAY_MASTER_KEY=NEW,OLD`. The first key seals, each
 * opens; the old one is taken away when what it sealed was made anew.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class Cipher {
  readonly #keys: readonly Buffer[];

  constructor(...keys: readonly Buffer[]) {
    if (keys.length === 0 || keys.some(({ length }) => length !== 32)) {
      throw new Error("The master key must have 32 bytes");
    }
    this.#keys = keys;
  }

  /** Opens the key file, or makes it; two processes that start at once end up with the same key. */
  static open(file: string): Cipher {
    const fromEnvironment = process.env.SLIPWAY_MASTER_KEY;
    if (fromEnvironment) {
      const keys = fromEnvironment.split(",");
      if (!keys.every((key) => /^[0-9a-f]{64}$/i.test(key))) {
        throw new Error("SLIPWAY_MASTER_KEY must be 64 hex digits, or several such keys with commas between");
      }
      return new Cipher(...keys.map((key) => Buffer.from(key, "hex")));
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
    const cipher = createCipheriv("aes-256-gcm", this.#keys[0]!, nonce);
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
    for (const key of this.#keys) {
      const opened = openedWith(key, purpose, bytes);
      if (opened) return opened;
    }
    return undefined;
  }
}

function openedWith(key: Buffer, purpose: string, bytes: Buffer): Buffer | undefined {
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function readKey(file: string): Buffer | undefined {
  try {
    // A folder that was copied without its modes must not go on handing the key to everybody.
    if (statSync(file).mode & 0o077) chmodSync(file, 0o600);
    return Buffer.from(readFileSync(file, "utf8").trim(), "hex");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
