import { type Checksums, givenChecksums } from "./checksums.ts";
import type { ObjectVersion } from "./model.ts";

/** An object's checksums as answers show them: composite ones with the number of parts behind. */
export function shownChecksums({ attributes }: Pick<ObjectVersion, "attributes">): Checksums & {
  ChecksumType?: "FULL_OBJECT" | "COMPOSITE";
} {
  const { checksums, checksumType, parts } = attributes;
  const entries = Object.entries(givenChecksums(checksums));
  if (entries.length === 0) return {};
  const suffix = checksumType === "COMPOSITE" ? `-${parts?.length ?? 1}` : "";
  return { ...Object.fromEntries(entries.map(([name, value]) => [name, value + suffix])), ChecksumType: checksumType };
}
