import type { ContextKeys } from "#gateway/operation.ts";

/** The condition keys `aws:RequestTag/…` and `aws:TagKeys`. */
export function requestTags(input: { readonly tags?: Readonly<Record<string, string>> | undefined }): ContextKeys {
  const tags = Object.entries(input.tags ?? {});
  return {
    ...Object.fromEntries(tags.map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value])),
    "aws:tagkeys": tags.length > 0 ? tags.map(([key]) => key) : undefined,
  };
}
