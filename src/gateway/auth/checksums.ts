/**
 * The checksums that S3 takes in `x-amz-checksum-…` headers and trailers, over a stream.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export interface Checksum {
  update(data: Uint8Array): void;
  /** In base64, as S3 writes it: big-endian for the cyclic redundancy checks. To be called once, at the end. */
  digest(): string;
}

const FACTORIES = {
  crc32: (): Checksum => new Crc32(),
  crc32c: (): Checksum => new Crc32C(),
  crc64nvme: (): Checksum => new Crc64Nvme(),
  sha1: () => hashChecksum("sha1"),
  sha256: () => hashChecksum("sha256"),
} as const;

export type ChecksumAlgorithm = keyof typeof FACTORIES;

export function createChecksum(algorithm: ChecksumAlgorithm): Checksum {
  return FACTORIES[algorithm]();
}

const HEADER_PREFIX = "x-amz-checksum-";

/** The algorithm of a header such as `x-amz-checksum-crc32c`, or undefined where the name is not one of these. */
export function checksumAlgorithm(headerName: string): ChecksumAlgorithm | undefined {
  if (!headerName.startsWith(HEADER_PREFIX)) return undefined;
  const algorithm = headerName.slice(HEADER_PREFIX.length);
  return Object.hasOwn(FACTORIES, algorithm) ? (algorithm as ChecksumAlgorithm) : undefined;
}

function hashChecksum(algorithm: "sha1" | "sha256"): Checksum {
  const hash = createHash(algorithm);
  return { update: (data) => void hash.update(data), digest: () => hash.digest("base64") };
}

class Crc32 implements Checksum {
  #value = 0;

  update(data: Uint8Array): void {
    this.#value = crc32(data, this.#value);
  }

  digest(): string {
    return base64OfWords(this.#value);
  }
}

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC32C_TABLE = crc32cTable();

function crc32cTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? CRC32C_POLYNOMIAL : 0);
    return value >>> 0;
  });
}

class Crc32C implements Checksum {
  #value = 0xffffffff;

  update(data: Uint8Array): void {
    let value = this.#value;
    for (let index = 0; index < data.length; index++) {
      value = CRC32C_TABLE[(value ^ data[index]!) & 0xff]! ^ (value >>> 8);
    }
    this.#value = value;
  }

  digest(): string {
    return base64OfWords(~this.#value);
  }
}

/** NVM Express's polynomial 0xAD93D23594C93659, reflected, in two halves: BigInt would be some fifty times slower. */
const CRC64NVME_POLYNOMIAL = { high: 0x9a6c9329, low: 0xac4bc9b5 } as const;
const CRC64NVME_TABLE = crc64nvmeTable();

function crc64nvmeTable(): { high: Uint32Array; low: Uint32Array } {
  const table = { high: new Uint32Array(256), low: new Uint32Array(256) };
  for (let byte = 0; byte < 256; byte++) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry) {
        high ^= CRC64NVME_POLYNOMIAL.high;
        low ^= CRC64NVME_POLYNOMIAL.low;
      }
    }
    table.high[byte] = high;
    table.low[byte] = low;
  }
  return table;
}

class Crc64Nvme implements Checksum {
  #high = 0xffffffff;
  #low = 0xffffffff;

  update(data: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let index = 0; index < data.length; index++) {
      const entry = (low ^ data[index]!) & 0xff;
      low = CRC64NVME_TABLE.low[entry]! ^ ((low >>> 8) | (high << 24));
      high = CRC64NVME_TABLE.high[entry]! ^ (high >>> 8);
    }
    this.#high = high;
    this.#low = low;
  }

  digest(): string {
    return base64OfWords(~this.#high, ~this.#low);
  }
}

function base64OfWords(...words: number[]): string {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4);
  return bytes.toString("base64");
}
