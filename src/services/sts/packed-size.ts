/** How much of a session token's space policies and tags take. AWS does not say how it packs them: this is an estimate. */
import type { Tag } from "@aws-sdk/client-sts";
import { packedPolicyTooLarge, packedTagsTooLarge } from "./errors.ts";

interface Packed {
  readonly Policy?: string | undefined;
  readonly PolicyArns?: readonly { readonly arn?: string | undefined }[] | undefined;
  readonly Tags?: readonly Tag[] | undefined;
}

const MAX_CHARACTERS = 4096;

/** Percent; 0 where there is nothing. Throws PackedPolicyTooLarge beyond 100. */
export function packedSize({ Policy = "", PolicyArns = [], Tags = [] }: Packed): number {
  const policies = [Policy, ...PolicyArns.map(({ arn }) => arn!)];
  const texts = [...policies, ...Tags.flatMap(({ Key, Value }) => [Key!, Value!])];
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  const percent = Math.ceil((characters / MAX_CHARACTERS) * 100);
  if (percent > 100) throw policies.some(Boolean) ? packedPolicyTooLarge(percent) : packedTagsTooLarge(percent);
  return percent;
}
