/**
 * The checksums of objects and parts, by the names that S3's API has for them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
import { hash } from "node:crypto";
import { type ChecksumAlgorithm, createChecksum } from "#gateway/auth/checksums.ts";

const NAMES = {
  crc32: "ChecksumCRC32",
  crc32c: "ChecksumCRC32C",
  crc64nvme: "ChecksumCRC64NVME",
  sha1: "ChecksumSHA1",
  sha256: "ChecksumSHA256",
} as const satisfies Record<ChecksumAlgorithm, string>;

export type ChecksumName = (typeof NAMES)[ChecksumAlgorithm];
/** In base64; composite ones without the `-N` that AWS puts behind them. */
export type Checksums = { readonly [N in ChecksumName]?: string };

export const CHECKSUM_ALGORITHMS = Object.keys(NAMES) as readonly ChecksumAlgorithm[];

export const checksumName = (algorithm: ChecksumAlgorithm): ChecksumName => NAMES[algorithm];

/** "CRC64NVME", as `ChecksumAlgorithm` members have it. */
export const toAlgorithm = (text: string | undefined): ChecksumAlgorithm | undefined =>
  CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === text?.toLowerCase());

/** What S3 computes where the client asks for nothing. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = "crc64nvme";

/** The checksums among an input's members. */
export function givenChecksums(input: Checksums): Checksums {
  const given: { [N in ChecksumName]?: string } = {};
  for (const name of Object.values(NAMES)) if (input[name] !== undefined) given[name] = input[name];
  return given;
}

/** The checksum of the parts' checksums: what COMPOSITE means. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): string {
  const checksum = createChecksum(algorithm);
  for (const part of parts) checksum.update(Buffer.from(part, "base64"));
  return checksum.digest();
}

/** The ETag of a multipart object: the MD5 of the parts' MD5s, and their number. */
export function multipartEtag(md5s: readonly string[]): string {
  return `${hash("md5", Buffer.concat(md5s.map((md5) => Buffer.from(md5, "hex"))), "hex")}-${md5s.length}`;
}

/** CRC64NVME exists for whole objects only, SHA for composites only; CRC32 and CRC32C are composites unless asked otherwise. */
export function checksumType(
  algorithm: ChecksumAlgorithm,
  asked: "FULL_OBJECT" | "COMPOSITE" | undefined,
): "FULL_OBJECT" | "COMPOSITE" | undefined {
  if (algorithm === "crc64nvme") return asked === "COMPOSITE" ? undefined : "FULL_OBJECT";
  if (algorithm === "sha1" || algorithm === "sha256") return asked === "FULL_OBJECT" ? undefined : "COMPOSITE";
  return asked ?? "COMPOSITE";
}
